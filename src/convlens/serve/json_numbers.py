"""Long nested lists of numbers in JSON, read without a Python object for each list and number.

A body of 6 MiB can hold a million and a half short lists, which an image of one channel is made of. Python's parser
makes all of them in one call, which takes more than a hundred MiB, and during which nobody else is answered. Here, the
one long list is cut out, and what is left is parsed as any JSON. Its brackets and commas say its shape: those of a
regular array are known from its first rows. Its numbers are parsed as flat lists, a piece at a time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import DataError
from ..plain import parsed_json
from ..typing import Array, Shape

SHORT = 64 * 2**10  # bytes: a body, what is left of a longer one, and a piece that is parsed at a time
DEEPEST = 5  # lists within lists: images have four axes

_RUN = re.compile(rb"[][0-9.eE+\-, \t\r\ntrufals]{1024,}")  # lists of numbers, of true and of false
_SPACE = b" \t\r\n"
_NO_OUTLINE = bytes(set(range(256)) - set(b"[],"))
_MISPLACED = re.compile(rb"[^\[,]\[|\][^\],]|\[\]")  # no list follows a number, no number a list, and none is empty


def parsed(body: bytes, what: str) -> Any:
    """Return the JSON that somebody sent; a list of numbers that is too long to be parsed at once is an array.

    Parameters
    ----------
    body
        The bytes, which nothing is known of.
    what
        What they are, for the message.

    Raises
    ------
    DataError
        If they are not JSON; or if they are long, and are not one nested list of numbers and little beside it.
    """
    if len(body) <= SHORT:
        return parsed_json(body, what)
    start, end = _longest(body)
    rest = body[:start] + b"NaN" + body[end:]  # for which the parser calls `found`
    if len(rest) > SHORT:
        raise DataError(
            f"{what} has {len(body):,} bytes, of which {end - start:,} are one nested list of numbers; expected at "
            f"most {SHORT:,} beside such a list"
        )
    arrays = [_array(body[start:end], what)]

    def found(name: str) -> Array:
        if name != "NaN" or not arrays:
            raise ValueError(f"{name} is no number of JSON")
        return arrays.pop()

    plain = parsed_json(rest, what, constant=found)
    if arrays:
        raise DataError(f"{what} has a text of numbers; expected nested lists of them")
    return plain


def regular(what: str) -> DataError:
    """Return the error about lists of several shapes."""
    return DataError(f"{what} is nested lists of numbers of one shape, and these are not")


def too_deep(what: str) -> DataError:
    """Return the error about too many lists within lists."""
    return DataError(f"{what} is nested more than {DEEPEST} deep; expected images (N, H, W, C)")


def numbers_of(values: list[Any], what: str) -> Array:
    """Return nested lists that hold numbers only as an array; DataError if they are of several shapes, or too large."""
    try:
        found: Array = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise regular(what) from error
    if found.dtype.kind not in "buif":
        raise DataError(f"{what} has whole numbers beyond 64 bits; expected pixels, or floats")
    return found


def _longest(body: bytes) -> tuple[int, int]:
    """Return where the longest list begins and ends, by the characters in it; (0, 0) if none is long."""
    runs = [match.span() for match in _RUN.finditer(body)]
    places = [(body.find(b"[", *run), body.rfind(b"]", *run) + 1) for run in runs]
    return max((one for one in places if 0 <= one[0] < one[1]), key=lambda one: one[1] - one[0], default=(0, 0))


def _array(text: bytes, what: str) -> Array:
    """Return the array in nested lists of numbers."""
    shape = _shape(text.translate(None, _NO_OUTLINE), what)
    if _MISPLACED.search(text.translate(None, _SPACE)):
        raise regular(what)
    parts = [_numbers(piece, what) for piece in _pieces(text.translate(None, b"[]"))]
    if sum(map(len, parts)) != math.prod(shape):  # nothing follows the last comma
        raise regular(what)
    return np.concatenate(parts).reshape(shape)


def _shape(outline: bytes, what: str) -> Shape:
    """Return the shape of nested lists with these brackets and commas; DataError unless they are those of an array.

    The outline of a list is ``[part,part,...]``, with as many equal parts as it has; the innermost's parts are nothing.
    """
    depth = len(outline) - len(outline.lstrip(b"["))
    if depth > DEEPEST:
        raise too_deep(what)
    part, shape = b"", list[int]()
    for start in reversed(range(depth)):  # of the first list of each level, the innermost first
        end = outline.find(b"]" * (depth - start)) + depth - start
        count = (end - start - 1) // (len(part) + 1)
        part = b"[" + (count * (part + b","))[:-1] + b"]"
        shape.insert(0, count)
    if outline != part:
        raise regular(what)
    return tuple(shape)


def _pieces(text: bytes) -> Iterator[bytes]:
    """Yield flat numbers with commas, cut at commas into pieces of about `SHORT` bytes."""
    start = 0
    while start < len(text):
        end = text.find(b",", start + SHORT)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def _numbers(piece: bytes, what: str) -> Array:
    """Return flat numbers, with commas, as an array."""
    if len(piece) > 2 * SHORT:
        raise DataError(f"{what} has a number, or space, of more than {SHORT:,} characters; expected numbers")
    found = numbers_of(parsed_json(b"[" + piece + b"]", what), what)
    if found.dtype.kind == "u":  # beside negative numbers in other pieces, these would become floats
        raise DataError(f"{what} has whole numbers of 64 bits; expected pixels, or floats")
    return found
