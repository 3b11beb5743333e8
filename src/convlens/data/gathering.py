"""Copy rows out of a memory-mapped file without keeping the file in memory as well."""

from __future__ import annotations

import mmap

import numpy as np

from ..typing import Array
from .split import Indexes

_BLOCK_BYTES = 4 << 20


def gather(array: Array, rows: Indexes) -> Array:
    """Return ``array[rows]``; at most about 4 MiB of a mapped file stay in this process's memory.

    The operating system's page cache keeps the file while there is room, so reading it again is cheap.
    """
    mapping = _mapping(array)
    out = np.empty((len(rows), *array.shape[1:]), array.dtype)
    step = max(1, _BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        np.take(array, rows[part], axis=0, out=out[part], mode="clip")  # mode="raise" would buffer `out`
        if mapping is not None:
            mapping.madvise(mmap.MADV_DONTNEED)
    return out


def _mapping(array: Array) -> mmap.mmap | None:
    """Return the mapping that an array is a view of, if it is read-only and its pages can be released."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and not array.flags.writeable and hasattr(mmap, "MADV_DONTNEED"):
        return base
    return None
