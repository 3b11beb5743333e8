"""The compiled plan's toolbox: kernels bound to the functions of `convlens.fast`. Importing it compiles them, once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...fast import loss, norm, update
from ...fast.native import make_ready
from ...fast.script import Call, Script, join, reads
from ...fast.warp import warp
from ...typing import Array, Float32, IntArray
from ..numpy.toolbox import KERNELS
from ..toolbox import Toolbox
from .conv import CompiledConvKernel
from .dense import CompiledDenseKernel
from .local import LocalKernel
from .norm import CompiledBatchNormKernel
from .point import CompiledAddKernel, CompiledDropoutKernel, CompiledReluKernel, CompiledTanhKernel
from .pool import CompiledMaxPoolKernel, WeighingPoolKernel
from .sharing import shares
from .team import Team
from .updates import CompiledUpdate

make_ready()


def loss_step(logits: Float32, labels: IntArray, settings: Array, dlogits: Float32, result: Array) -> Call:
    """See `convlens.engine.toolbox.LossStep`."""
    return loss.cross_entropy(logits.reshape(-1), labels, logits.shape[1], settings, dlogits.reshape(-1), result)


def probabilities_step(logits: Float32, out: Float32) -> Script:
    """See `convlens.engine.toolbox.probabilities_step`."""
    return Script([loss.probabilities(logits.reshape(-1), logits.shape[1], out.reshape(-1))])


def fold(**given: Any) -> Call:
    """See `convlens.engine.toolbox.Fold`."""
    flat = {key: value.reshape(-1) if isinstance(value, np.ndarray) else value for key, value in given.items()}
    return norm.fold(**flat)


def add_up(gradients: Array, part: slice, out: Array) -> Call:
    """See `convlens.engine.toolbox.Toolbox`."""
    return update.add_up(gradients.reshape(-1), gradients.shape[1], part.start, part.stop, out)


COMPILED = Toolbox(
    kernels={
        **KERNELS,
        "add": CompiledAddKernel,
        "average_pool2d": WeighingPoolKernel,
        "batch_norm": CompiledBatchNormKernel,
        "batch_norm_max_pool2d": CompiledBatchNormKernel,
        "blur_pool2d": WeighingPoolKernel,
        "conv2d": CompiledConvKernel,
        "conv2d_max_pool2d": CompiledConvKernel,
        "dense": CompiledDenseKernel,
        "dropout": CompiledDropoutKernel,
        "local2d": LocalKernel,
        "max_pool2d": CompiledMaxPoolKernel,
        "relu": CompiledReluKernel,
        "tanh": CompiledTanhKernel,
    },
    poolers=("batch_norm", "conv2d"),
    rectifiers=(
        *("add", "batch_norm", "batch_norm_max_pool2d", "conv2d", "conv2d_max_pool2d"),
        *("dense", "local2d", "max_pool2d"),
    ),
    loss_step=loss_step,
    fold=fold,
    join=join,
    bind=CompiledUpdate,
    warp=warp,
    add_up=add_up,
    probabilities_step=probabilities_step,
    reads=reads,
    shares=shares,
    workers=Team,
    training_bytes=12 << 20,
    prediction_bytes=3 << 20,
)

__all__ = ["COMPILED"]
