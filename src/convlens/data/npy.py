"""One array in NumPy's format ``.npy``, from a stream that is not trusted.

Nothing is unpickled, and an array is read only if the size that its header claims is the size that the stream holds,
and within a limit: a header alone could ask for any amount of memory.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import IO, Any, NamedTuple

import numpy as np

from ..errors import DataError
from ..typing import Array, Shape

NUMBERS = "buif"  # NumPy's kinds: booleans, unsigned and signed integers, floats
MAGIC = b"\x93NUMPY"

_DAMAGED = "is damaged, or not an array in NumPy's format"
_LONGEST_HEADER = 10_000  # bytes, as in `np.load`
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4}  # of the header's length, in each version of the format


class _Header(NamedTuple):
    shape: Shape
    fortran: bool
    dtype: np.dtype[Any]


def read_array(stream: IO[bytes], held: int, name: str, *, kinds: str = NUMBERS, largest: int) -> Array:
    """Read one array.

    Parameters
    ----------
    stream
        Where the array begins.
    held
        Number of bytes that the stream holds from there on.
    name
        What it is called in messages.
    kinds
        NumPy's kinds of values that are accepted.
    largest
        Most bytes that its values may take.

    Returns
    -------
    Array
        Read-only.

    Raises
    ------
    DataError
        If it is damaged, holds anything but such values, or claims another size than it has.
    """
    head = _head(stream, name)
    try:
        shape, fortran, dtype = _parsed(head)
    # on a hostile header, NumPy raises almost anything, MemoryError and RecursionError included
    except Exception as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{name}: {_DAMAGED} ({said}); save it again with NumPy") from error
    _check(shape, dtype, held - len(head), name, kinds, largest)
    size = math.prod(shape) * dtype.itemsize
    content = stream.read(size)
    if len(content) != size:
        raise DataError(f"{name}: ends after {len(content):,} of {size:,} bytes; get the file again")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _check(shape: Shape, dtype: np.dtype[Any], held: int, name: str, kinds: str, largest: int) -> None:
    """Raise DataError unless the values are of a kind that is accepted, and as many as there are bytes for."""
    if dtype.hasobject:
        raise DataError(
            f"{name}: holds Python objects, which are never read; save plain numbers, or texts: array.astype(str)"
        )
    if dtype.kind not in kinds or dtype.names:
        raise DataError(f"{name}: holds {dtype}; expected {'numbers' if kinds == NUMBERS else 'numbers or texts'}")
    size = math.prod(shape) * dtype.itemsize
    if size != held or min(shape, default=1) < 0:
        raise DataError(
            f"{name}: its header claims {shape} of {dtype}, {size:,} bytes, but the file holds {held:,}; save it again"
        )
    if not shape or size == 0 or size > largest:
        raise DataError(f"{name}: is {shape} of {dtype}, {size:,} bytes; expected 1 to {largest:,}")


def _head(stream: IO[bytes], name: str) -> bytes:
    """Read everything up to the values: signature, version, length of the header, header."""
    start = stream.read(8)
    if len(start) < 8 or not start.startswith(MAGIC):
        raise DataError(f"{name}: {_DAMAGED}; save it again with NumPy")
    version = start[6], start[7]
    if version not in _LENGTH_BYTES:
        raise DataError(f"{name}: is of NumPy's format {version}, which plain arrays do not need; save plain numbers")
    length = stream.read(_LENGTH_BYTES[version])
    if int.from_bytes(length, "little") > _LONGEST_HEADER:
        raise DataError(f"{name}: its header is longer than {_LONGEST_HEADER:,} bytes; save plain numbers")
    return start + length + stream.read(int.from_bytes(length, "little"))


@lru_cache(maxsize=64)  # a server reads the same few headers all the time, and parsing one takes 20 microseconds
def _parsed(head: bytes) -> _Header:
    stream = io.BytesIO(head)
    if np.lib.format.read_magic(stream) == (1, 0):
        return _Header(*np.lib.format.read_array_header_1_0(stream))
    return _Header(*np.lib.format.read_array_header_2_0(stream))
