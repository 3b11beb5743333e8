"""The NumPy plan's toolbox: which kernel runs an op, the loss, and the sizes that suit NumPy.

A *kernel* is one node of a Program bound to its arrays (`convlens.engine.kernel`). Binding does all the slicing and
reshaping, so that running is a short list of NumPy calls with ``out=``. An op without a row in `KERNELS` runs through
`convlens.ops` (`convlens.engine.fallback`). To add a fast kernel, add a row.
"""

from __future__ import annotations

import numpy as np

from ... import ops
from ...ops.warp import warp
from ...typing import Array, Float32, IntArray
from ..kernel import Kernel, Step
from ..lanes import Workers
from ..toolbox import Toolbox
from .conv import ConvKernel
from .dense import DenseKernel
from .norm import BatchNormKernel, DropoutKernel
from .pointwise import AddKernel, ReluKernel, ReshapeKernel, TanhKernel
from .pool import AveragePoolKernel, MaxPoolKernel

KERNELS: dict[str, type[Kernel]] = {
    "add": AddKernel,
    "average_pool2d": AveragePoolKernel,
    "batch_norm": BatchNormKernel,
    "conv2d": ConvKernel,
    "conv2d_max_pool2d": ConvKernel,
    "dense": DenseKernel,
    "dropout": DropoutKernel,
    "max_pool2d": MaxPoolKernel,
    "relu": ReluKernel,
    "reshape": ReshapeKernel,
    "tanh": TanhKernel,
}


def loss_step(logits: Float32, labels: IntArray, settings: Array, dlogits: Float32, result: Array) -> Step:
    """See `convlens.engine.toolbox.LossStep`."""

    def step() -> None:
        smoothing, weight = settings
        losses, saved = ops.softmax_cross_entropy(logits, labels, float(smoothing))
        dlogits[...] = ops.softmax_cross_entropy_backward(np.full(len(losses), weight, np.float32), saved)
        result[0] += losses.sum(dtype=np.float64)
        result[1] += (logits.argmax(axis=1) == labels).sum()

    return step


def fold(
    *,
    w: Float32,
    b: Float32,
    gamma: Float32,
    beta: Float32,
    mean: Float32,
    variance: Float32,
    epsilon: float,
    folded_w: Float32,
    folded_b: Float32,
) -> Step:
    """See `convlens.engine.toolbox.Fold`."""

    def step() -> None:
        factor = gamma / np.sqrt(variance + np.float32(epsilon))
        np.multiply(w, factor, out=folded_w)
        np.subtract(b, mean, out=folded_b)
        np.multiply(folded_b, factor, out=folded_b)
        np.add(folded_b, beta, out=folded_b)

    return step


def add_up(gradients: Array, part: slice, out: Array) -> Step:
    """See `convlens.engine.toolbox.Toolbox`."""
    first, *others = gradients[:, part]
    total = out[part]

    def step() -> None:
        np.copyto(total, first)
        for other in others:
            np.add(total, other, out=total)

    return step


NUMPY = Toolbox(
    kernels=KERNELS,
    poolers=("conv2d",),
    rectifiers=(),
    loss_step=loss_step,
    fold=fold,
    join=list,
    bind=None,
    warp=warp,
    add_up=add_up,
    workers=Workers,
    training_bytes=12 << 20,
    prediction_bytes=3 << 20,
)
