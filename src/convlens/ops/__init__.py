"""The mathematics: pure functions on arrays, each forward pass beside its backward pass. NumPy only.

``y, saved = op(x, ...)`` and ``dx, ... = op_backward(dy, saved)``: what the backward pass needs travels in `saved`
and nothing is kept anywhere else, so the same function serves any number of threads. Every op returns the dtype it was
given: float32 when training, float64 when a gradient is checked.

Reading order: `window` (which pixels an output sees), `conv`, `pool`, `dense`, `activation`, `loss`, `update`, `warp`.
"""

from .activation import relu, relu_backward, softmax
from .conv import conv2d, conv2d_backward
from .dense import dense, dense_backward
from .loss import softmax_cross_entropy, softmax_cross_entropy_backward
from .pool import average_pool2d, average_pool2d_backward, max_pool2d, max_pool2d_backward
from .window import Window

__all__ = [
    "Window",
    "average_pool2d",
    "average_pool2d_backward",
    "conv2d",
    "conv2d_backward",
    "dense",
    "dense_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
]
