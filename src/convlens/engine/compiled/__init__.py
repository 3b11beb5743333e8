"""The compiled plan's toolbox: kernels bound to the functions of `convlens.fast`. Importing it compiles them, once."""

from __future__ import annotations

from ...fast.compiler import announced

with announced():
    from ...fast import update
    from ...fast.loss import judge
    from ...fast.warp import warp
    from .conv import ConvKernel
    from .local import LocalKernel
    from .norm import CompiledBatchNormKernel
    from .point import CompiledAddKernel, CompiledReluKernel, CompiledTanhKernel
    from .pool import CompiledMaxPoolKernel, WeighingPoolKernel

from ..kernels import KERNELS
from ..toolbox import Toolbox

COMPILED = Toolbox(
    kernels={
        **KERNELS,
        "add": CompiledAddKernel,
        "average_pool2d": WeighingPoolKernel,
        "batch_norm": CompiledBatchNormKernel,
        "batch_norm_max_pool2d": CompiledBatchNormKernel,
        "blur_pool2d": WeighingPoolKernel,
        "conv2d": ConvKernel,
        "conv2d_max_pool2d": ConvKernel,
        "local2d": LocalKernel,
        "max_pool2d": CompiledMaxPoolKernel,
        "relu": CompiledReluKernel,
        "tanh": CompiledTanhKernel,
    },
    poolers=("batch_norm", "conv2d"),
    rectifiers=("add", "batch_norm", "batch_norm_max_pool2d", "conv2d", "conv2d_max_pool2d", "local2d", "max_pool2d"),
    judge=judge,
    updates=update,
    warp=warp,
    add_up=update.add_up,
    training_bytes=12 << 20,
    prediction_bytes=3 << 20,
    chunk=1 << 16,
)

__all__ = ["COMPILED"]
