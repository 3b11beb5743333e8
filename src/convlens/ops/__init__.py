"""The mathematics: pure functions on arrays, each forward pass beside its backward pass. NumPy only.

``y, saved = op(x, ...)`` and ``dx, ... = op_backward(dy, saved)``: what the backward pass needs travels in `saved`
and nothing is kept anywhere else, so the same function serves any number of threads. Every op returns the dtype it was
given: float32 when training, float64 when a gradient is checked.

Reading order: `window` (which pixels an output sees), `conv`, `pool`, `dense`, `local`, `norm`, `activation`,
`loss`, `update`, `warp`.
"""

from .activation import relu, relu_backward, softmax, tanh, tanh_backward
from .conv import conv2d, conv2d_backward
from .dense import dense, dense_backward
from .local import local2d, local2d_backward
from .loss import softmax_cross_entropy, softmax_cross_entropy_backward
from .norm import batch_norm, batch_norm_backward, normalize, unbiased
from .pool import (
    average_pool2d,
    average_pool2d_backward,
    blur_pool2d,
    blur_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from .window import Window

__all__ = [
    "Window",
    "average_pool2d",
    "average_pool2d_backward",
    "batch_norm",
    "batch_norm_backward",
    "blur_pool2d",
    "blur_pool2d_backward",
    "conv2d",
    "conv2d_backward",
    "dense",
    "dense_backward",
    "local2d",
    "local2d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "normalize",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "tanh",
    "tanh_backward",
    "unbiased",
]
