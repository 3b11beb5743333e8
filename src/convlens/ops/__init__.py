"""The mathematics: pure functions on arrays, each forward pass beside its backward pass. NumPy only.

``y, saved = op(x, ...)`` and ``dx, ... = op_backward(dy, saved)``: what the backward pass needs travels in `saved`
and nothing is kept anywhere else, so the same function serves any number of threads. Every op returns the dtype it was
given: float32 when training, float64 when a gradient is checked.

Reading order: `window` (which pixels an output sees), `conv`, `pool`, `dense`, `local`, `norm`, `activation`,
`loss`, `update`, `warp`.
"""

from .activation import relu as relu
from .activation import relu_backward as relu_backward
from .activation import softmax as softmax
from .activation import tanh as tanh
from .activation import tanh_backward as tanh_backward
from .conv import conv2d as conv2d
from .conv import conv2d_backward as conv2d_backward
from .dense import dense as dense
from .dense import dense_backward as dense_backward
from .local import local2d as local2d
from .local import local2d_backward as local2d_backward
from .loss import softmax_cross_entropy as softmax_cross_entropy
from .loss import softmax_cross_entropy_backward as softmax_cross_entropy_backward
from .norm import batch_norm as batch_norm
from .norm import batch_norm_backward as batch_norm_backward
from .norm import normalize as normalize
from .norm import normalize_backward as normalize_backward
from .norm import unbiased as unbiased
from .pool import average_pool2d as average_pool2d
from .pool import average_pool2d_backward as average_pool2d_backward
from .pool import blur_pool2d as blur_pool2d
from .pool import blur_pool2d_backward as blur_pool2d_backward
from .pool import max_pool2d as max_pool2d
from .pool import max_pool2d_backward as max_pool2d_backward
from .window import Window as Window
