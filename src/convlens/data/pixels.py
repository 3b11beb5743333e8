"""Turn arrays of any numeric type into images of pixels; values that cannot be meant are errors, never guessed at."""

from __future__ import annotations

import math

import numpy as np

from ..errors import DataError
from ..typing import Array, UInt8

SCALED = "floats from 0 to 1, multiplied by 255 and rounded"


def square_shape(count: int, name: str) -> tuple[int, int, int]:
    """Return the shape of a square image with `count` values: (H, H, 1) or (H, H, 3).

    Raises
    ------
    DataError
        If there is none. No count fits both, because 3 is not a square.
    """
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if count > 0 and side * side * channels == count:
            return side, side, channels
    raise DataError(
        f"{name}: {count:,} values per image are neither H x H (grey) nor H x H x 3 (colour); "
        "flattened images must be square: give others as arrays (N, H, W) in an .npz file, or as image files"
    )


def to_pixels(values: Array, name: str) -> tuple[UInt8, bool]:
    """Return the whole numbers of arrays in memory as bytes; they must be 0 to 255, or booleans.

    The range of a single picture does not show in its values; that of a whole table is found out by `pixel_range`.

    Parameters
    ----------
    values
        (N, ...) of any numeric type.
    name
        Their name in messages.

    Returns
    -------
    pixels, scaled
        uint8 of the same shape, and whether they were booleans, whose true is 255.

    Raises
    ------
    DataError
        If they are no numbers, or a value is not whole or out of range; the message names the first one and its image.
    """
    if values.dtype == np.uint8:
        return values, False
    if values.dtype.kind not in "buif":
        raise DataError(f"{name}: holds {values.dtype}; expected pixels: integers 0 to 255, or floats")
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), True
    refuse(~((values >= 0) & (values <= 255) & (values == np.floor(values))), values, name, "a whole number, 0 to 255")
    return values.astype(np.uint8), False


def refuse(wrong: Array, values: Array, name: str, expected: str, first: int = 0) -> None:
    """Raise DataError for the first value where `wrong` is true, if any; `first` is the number of the first row."""
    if wrong.any():
        where = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise WrongValueError(name, (first + int(where[0]), *map(int, where[1:])), values[where].item(), expected)


class WrongValueError(DataError):
    """A value that cannot be meant; a source that knows lines and columns reports its place in those."""

    def __init__(self, name: str, place: tuple[int, ...], value: object, expected: str) -> None:
        inner = f" at {place[1:]}" if len(place) > 1 else ""
        super().__init__(f"{name}: number {place[0]:,} has {value!r}{inner}; expected {expected}")
        self.place, self.value, self.expected = place, value, expected
