"""The ops once more, written for speed in NumPy: bound to preallocated arrays, fused, in place.

A *kernel* here is one node of a Program bound to its arrays. Binding does all the slicing and reshaping, so that
running is a short list of NumPy calls with ``out=``. `KERNELS` names the kernel of each op; an op that has none runs
through `convlens.ops` (`fallback`), correctly. Adding a fast kernel is adding a row.
"""

from .base import Kernel, Stage, Step, Wiring
from .conv import ConvKernel
from .dense import DenseKernel
from .fallback import FallbackKernel
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

__all__ = ["KERNELS", "BatchNormKernel", "DropoutKernel", "FallbackKernel", "Kernel", "Stage", "Step", "Wiring"]
