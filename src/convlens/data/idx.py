"""Read IDX files, the format MNIST was published in: strictly, gzip-compressed or plain.

::

    0x00 0x00   type   dimensions   size of each dimension (big-endian, 4 bytes)   values, in C order
                0x08 = unsigned byte; 0x0C = 4-byte integer, big-endian, which only QMNIST's labels are

A header is not trusted: memory grows with the bytes that are read, never with the size a header claims, and at most
one byte beyond that size is unpacked.

Source: Yann LeCun, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import numpy as np

from ..errors import DataError
from ..typing import Array, Shape, UInt8

FilePath: TypeAlias = str | os.PathLike[str]

IMAGES = 3  # dimensions of a file of grey images: number, height, width
LABELS = 1  # dimensions of a file of labels
RECORDS = 2  # dimensions of a file of 4-byte integers: number, and what is known of each image; its label comes first
LARGEST_CONTENT = 2**31  # bytes; far more than any data set of small images needs, and harmless to allocate

_UNSIGNED_BYTE = 0x08
_TYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
_KINDS = {IMAGES: "images", LABELS: "labels"}
_INTEGER, _INTEGER_BYTES = 0x0C, 4
_GZIP_START = b"\x1f\x8b"
_CHUNK = 2**20


def read_content(path: FilePath, dimensions: int) -> UInt8:
    """Read and check a whole file, header included: the bytes that are hashed, and that `parse` views as an array.

    Parameters
    ----------
    path
        An IDX file, gzip-compressed or plain.
    dimensions
        Number of dimensions it must have: `IMAGES`, `LABELS` or `RECORDS`.

    Returns
    -------
    UInt8
        The unpacked bytes, flat and read-only.

    Raises
    ------
    DataError
        If the file is not exactly as expected; the message names the file, what was expected and what was found.
    """
    try:
        with Path(path).open("rb") as file, _unpacked(file, path) as stream:
            content = bytearray(stream.read(_header_length(dimensions)))
            expected = len(content) + _length(_sizes(content, dimensions, path))
            # In pieces: reading all at once would allocate what the header claims before a byte has been read.
            while len(content) <= expected and (piece := stream.read(min(_CHUNK, expected + 1 - len(content)))):
                content += piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged gzip data ({error}); get the file again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give a readable IDX file") from error
    flat = np.frombuffer(content, dtype=np.uint8)
    flat.setflags(write=False)
    _check_length(flat, expected, path)
    return flat


def parse(content: UInt8, dimensions: int, name: FilePath) -> Array:
    """View unpacked content as the array it describes, without a copy.

    Parameters
    ----------
    content
        Flat bytes of a whole IDX file, header included.
    dimensions
        Number of dimensions it must have: `IMAGES`, `LABELS` or `RECORDS`.
    name
        Its name in messages.

    Returns
    -------
    Array
        Of the shape in the header, read-only if `content` is; 4-byte integers if they are `RECORDS`.

    Raises
    ------
    DataError
        If header, length and `dimensions` do not agree.
    """
    start = _header_length(dimensions)
    sizes = _sizes(content[:start].tobytes(), dimensions, name)
    _check_length(content, start + _length(sizes), name)
    values: Array = content[start:].view(">i4") if dimensions == RECORDS else content[start:]
    return values.reshape(sizes)


def _length(sizes: Shape) -> int:
    """Return the number of bytes after a header."""
    return math.prod(sizes) * (_INTEGER_BYTES if len(sizes) == RECORDS else 1)


def _unpacked(file: BinaryIO, path: FilePath) -> BinaryIO:
    """Return a stream of the unpacked bytes; the first bytes, not the name, decide whether it is compressed."""
    start = file.read(2)
    file.seek(0)
    if not start:
        raise DataError(f"{path}: is empty, an IDX file was expected; get the file again")
    if start == _GZIP_START:
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if Path(path).suffix == ".gz":
        raise DataError(
            f"{path}: is not gzip data though its name ends in .gz (starts with "
            f"0x{start.hex()}, expected 0x1f8b); "
            "get the file again, or drop .gz from its name if it was unpacked already"
        )
    return file


def _header_length(dimensions: int) -> int:
    return 4 + 4 * dimensions


def _sizes(header: bytes | bytearray, dimensions: int, name: FilePath) -> Shape:
    """Check a header and return the size of each dimension."""
    _check_magic(bytes(header[:4]), dimensions, name)
    if len(header) < _header_length(dimensions):
        raise DataError(
            f"{name}: ends inside its header ({len(header)} of {_header_length(dimensions)} bytes); get it again"
        )
    sizes = struct.unpack(f">{dimensions}I", header[4:])
    shown = " x ".join(f"{size:,}" for size in sizes)
    if 0 in sizes:
        raise DataError(
            f"{name}: its header says {shown}, so it is empty; expected some {_KINDS.get(dimensions, 'labels')}"
        )
    if _length(sizes) > LARGEST_CONTENT:
        raise DataError(
            f"{name}: its header claims {shown} bytes, more than the limit of {LARGEST_CONTENT / 2**30:g} GiB; "
            "the header is damaged, or the file must be split"
        )
    return sizes


def _named(dimensions: int) -> str:
    return _KINDS[IMAGES if dimensions == IMAGES else LABELS]


def _check_magic(magic: bytes, dimensions: int, name: FilePath) -> None:
    """Raise unless the first four bytes are those of unsigned bytes, or of records, in this number of dimensions."""
    wanted = bytes((0, 0, _INTEGER if dimensions == RECORDS else _UNSIGNED_BYTE, dimensions))
    if magic == wanted:
        return
    expected = f"expected {_named(dimensions)}, which start with 0x{wanted.hex()}"
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES:
        raise DataError(f"{name}: is not an IDX file (starts with 0x{magic.hex()}; {expected}); give an IDX file")
    if magic[2] != wanted[2]:
        raise DataError(f"{name}: holds {_TYPES[magic[2]]} values (0x{magic.hex()}); {expected}; convert it to uint8")
    found = _KINDS.get(magic[3], f"{magic[3]} dimensions")
    advice = "were image and label files swapped?" if magic[3] in _KINDS else f"give {dimensions} dimension(s)"
    raise DataError(f"{name}: holds {found} (0x{magic.hex()}); {expected}; {advice}")


def _check_length(content: UInt8, expected: int, name: FilePath) -> None:
    """Raise unless the content is exactly as long as its header says."""
    if len(content) < expected:
        raise DataError(
            f"{name}: is truncated: its header promises {expected:,} bytes, {len(content):,} came; get the file again"
        )
    if len(content) > expected:
        raise DataError(f"{name}: has bytes after the {expected:,} that its header promises; get the file again")
