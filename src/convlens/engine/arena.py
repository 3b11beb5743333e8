"""Preallocated memory: one growing block, cut into aligned arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..memory import require
from ..program import ALIGNMENT, aligned_zeros
from ..typing import Array, Float32, Shape

_BLOCK = 1 << 20  # floats: 4 MiB, the smallest block
_PAGE = 4096  # bytes: pages of memory are as large, or a multiple


def readable(size: int) -> Array:
    """Return a flat zeroed array that can be read a few values past its end: kernels read whole vectors.

    ConfigurationError if it does not fit into memory.
    """
    require(4 * size, "one array of the network's values", "choose smaller images, smaller kernels or fewer filters")
    return aligned_zeros(size + ALIGNMENT)[:size]


def readable_place(array: Array) -> int | None:
    """Return the address of an array if a kernel can read it where it is, as if it came from `readable`; else None.

    It is contiguous float32, and the values that a kernel may read past its end are in the same page of memory.
    """
    if array.dtype != np.float32 or not (array.flags.c_contiguous and array.flags.aligned):
        return None
    place: int = array.ctypes.data
    return place if 0 < (place + array.nbytes) % _PAGE <= _PAGE - 4 * ALIGNMENT else None


class Arena:
    """A stack of float32 memory that many plans use in turn.

    `take` cuts the next array; `release` gives back everything cut since a `mark`, for the next user. Memory is never
    returned to the system, so plans bound to one arena one after the other use the same, cached, addresses.
    """

    def __init__(self) -> None:
        self._blocks: list[Array] = []
        self._block, self._used = 0, 0
        self.high_water = 0  # most floats in use so far

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it holds."""
        return sum(block.nbytes for block in self._blocks)

    def take(self, shape: Shape) -> Float32:
        """Return an array with undefined contents, aligned to 64 bytes."""
        size = -(-math.prod(shape) // ALIGNMENT) * ALIGNMENT
        while self._block < len(self._blocks) and self._used + size > self._blocks[self._block].size:
            self._block, self._used = self._block + 1, 0
        if self._block == len(self._blocks):
            self._blocks.append(readable(max(size, _BLOCK)))
        start, self._used = self._used, self._used + size
        before = sum(block.size for block in self._blocks[: self._block])
        self.high_water = max(self.high_water, before + self._used)
        flat: Float32 = self._blocks[self._block][start : start + math.prod(shape)]
        return flat.reshape(shape)

    def mark(self) -> tuple[int, int]:
        """Return the current height of the stack."""
        return self._block, self._used

    def release(self, mark: tuple[int, int]) -> None:
        """Give back everything taken since `mark`."""
        self._block, self._used = mark


def require_room(arenas: Sequence[Arena], needed: int, what: str, besides: int = 0) -> None:
    """Raise ConfigurationError if the memory that arenas lack, to hold this number of bytes each, is not there.

    `what` needs it, and another number of bytes `besides`.
    """
    missing = sum(max(0, needed - arena.nbytes) for arena in arenas)
    require(missing + besides, what, "choose smaller images, fewer layers or filters, smaller batches or fewer threads")


def sign_mask(values: Float32, out: Float32) -> None:
    """Write all one bits to `out` where a value is negative, all zero bits elsewhere: its sign bit, repeated."""
    np.right_shift(values.view(np.int32), 31, out=out.view(np.int32))


def bits(values: Float32) -> Array:
    """Return float32 values as int32, for masks."""
    return values.view(np.int32)
