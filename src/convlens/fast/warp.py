"""`convlens.ops.warp.warp`, compiled: image by image, so that nothing leaves the first-level cache."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import types

from ..ops.warp import gaussian_matrix
from ..typing import Array, FloatArray
from .compiler import FLOATS, INDICES, NOTHING, NUMBER, SIZE, compiled
from .product import NO_FLOOR, product
from .vector import LANES

_FRAME = types.UniTuple(types.intp, 3)
