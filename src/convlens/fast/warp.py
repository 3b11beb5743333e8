"""`convlens.ops.warp.warp`, compiled: image by image, so that nothing leaves the first-level cache."""

from __future__ import annotations

from numba import types

_FRAME = types.UniTuple(types.intp, 3)
