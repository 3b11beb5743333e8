"""From a request's bytes to arrays, and nothing else: pure functions that trust nothing.

Every function raises `DataError` with one sentence if the body is not what it claims. Memory stays within a small
multiple of the body: a header's claim is compared with the body before anything is allocated, and nothing is unpickled.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..data.npy import read_array
from ..errors import DataError
from ..plain import check_keys
from ..typing import Array
from .json_numbers import DEEPEST, SHORT, numbers_of, parsed, regular, too_deep
from .media import CSV, JSON, NPY, NPZ

_NAME = "the body"
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_FRACTION = (b".", b"e", b"E", b"n", b"N")  # characters of numbers that are not whole


def read_numbers(kind: str, body: bytes, largest: int) -> Array:
    """Return the array in a body.

    Parameters
    ----------
    kind
        `media.NPY`, `NPZ`, `JSON` or `CSV`.
    body
        The bytes. JSON is nested lists of numbers, alone or as ``{"instances": ...}``; CSV has one flat image a line,
        without a heading; npz has one array.
    largest
        Most bytes that the array may take.

    Returns
    -------
    Array
        Whole numbers and booleans of any type, or float32, as `finite` makes them.
    """
    return finite(_READERS[kind](body, largest))


def finite(array: Array) -> Array:
    """Return an array whose floats are float32; DataError if one of them is not finite in float32."""
    if array.dtype.kind != "f":
        return array
    with np.errstate(all="ignore"):
        wrong = ~(np.abs(array) <= _LARGEST_FLOAT)  # NaN compares false
    if wrong.any():
        raise DataError(f"{_NAME} has a value that is not finite, or too large for float32; expected finite numbers")
    return np.ascontiguousarray(array, np.float32)


def array_of(values: object, what: str) -> Array:
    """Return nested lists of numbers, of `parsed` JSON, as an array; DataError if they are anything else."""
    if isinstance(values, np.ndarray):
        return values
    if not isinstance(values, list):
        raise DataError(f"{what} is nested lists of numbers, not {_named(values)}")
    _require_numbers(values, what, DEEPEST)
    return numbers_of(values, what)


def _require_numbers(values: list[Any], what: str, depth: int) -> None:
    """Raise DataError unless there are only numbers: of a long text beside numbers, NumPy makes an array as wide."""
    kinds = set(map(type, values))
    if list not in kinds:
        if wrong := kinds - {int, float, bool}:
            raise DataError(f"{what} is nested lists of numbers, and holds {_named(wrong.pop()())}")
    elif len(kinds) > 1:
        raise regular(what)
    elif not depth:
        raise too_deep(what)
    else:
        for one in values:
            _require_numbers(one, what, depth - 1)


def _json(body: bytes, _: int) -> Array:
    given = parsed(body, _NAME)
    if isinstance(given, Mapping):
        check_keys(("instances",), given, _NAME)
        given = given.get("instances")
    return array_of(given, _NAME)


def _csv(body: bytes, _: int) -> Array:
    """Read one flat image a line."""
    try:
        lines = [line for line in body.decode("ascii").splitlines() if line.strip()]
        if not lines:
            raise DataError(f"{_NAME} is empty; expected one image a line, numbers with commas")
        count = max(1, len(lines) * SHORT // len(body))  # lines at a time: meanwhile, nobody else is answered
        blocks = [lines[start : start + count] for start in range(0, len(lines), count)]
        found = np.concatenate([np.loadtxt(one, np.float64, delimiter=",", comments=None, ndmin=2) for one in blocks])
    except ValueError as error:  # UnicodeDecodeError is one
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{_NAME} is not CSV with one image a line ({said}); expected numbers with commas") from error
    whole = not any(one in body for one in _FRACTION) and bool((np.abs(found) < 2**31).all())
    return found.astype(np.int32) if whole else found


def _npy(body: bytes, largest: int) -> Array:
    return read_array(io.BytesIO(body), len(body), _NAME, largest=largest)


def _npz(body: bytes, largest: int) -> Array:
    """Read the one array of an archive, whose claims about itself are compared with what it holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise DataError(f"{_NAME} is an archive of {len(members):,} arrays; expected one")
            if members[0].compress_type not in _COMPRESSIONS or members[0].flag_bits & 1:
                raise DataError(f"{_NAME} is an archive that np.savez does not write; save it with NumPy")
            with archive.open(members[0]) as stream:
                return read_array(stream, members[0].file_size, _NAME, largest=largest)
    except DataError:
        raise
    # zipfile raises almost anything on a hostile archive; all mean the same here
    except Exception as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{_NAME} is damaged, or not an .npz file ({said}); save it with np.savez") from error


_READERS = {NPY: _npy, NPZ: _npz, JSON: _json, CSV: _csv}


def _named(value: object) -> str:
    kinds = {dict: "an object", str: "a text", type(None): "null", bool: "true or false", list: "an empty list"}
    return kinds.get(type(value), "a single number")
