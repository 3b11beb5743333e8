"""Turn arrays of any numeric type into pixels and labels; values that cannot be meant are errors, never guessed at."""

from __future__ import annotations

import math

import numpy as np

from ..errors import DataError
from ..typing import Array, Labels, UInt8
from .labels import check_labels

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


def to_images(values: Array, name: str, *, any_channels: bool = False) -> Array:
    """Return an array as (N, H, W, C), without a copy; flattened images (N, D) must be square.

    C is 1 or 3, unless `any_channels` is set.

    Raises
    ------
    DataError
        If it has another shape.
    """
    if values.ndim == 2:
        return values.reshape(len(values), *square_shape(values.shape[1], name))
    if values.ndim == 3:
        values = values[..., np.newaxis]
    allowed = "C)" if any_channels else "1) or (N, H, W, 3)"
    if values.ndim == 4 and values.shape[1] in {1, 3} and values.shape[2] == values.shape[3] not in {1, 3}:
        raise DataError(
            f"{name}: is of shape {values.shape}, which looks like channels first; expected (N, H, W, {allowed}, "
            "channels last: np.moveaxis(images, 1, -1)"
        )
    if values.ndim != 4 or 0 in values.shape or not (any_channels or values.shape[3] in {1, 3}):
        raise DataError(
            f"{name}: is of shape {values.shape}; expected images (N, H, W) or (N, H, W, {allowed}, channels last"
        )
    return values


def to_pixels(values: Array, name: str, *, scaled: bool | None = None) -> tuple[UInt8, bool]:
    """Return images as uint8.

    Integral values from 0 to 255 are pixels, whatever their type. Floats that all lie between 0 and 1 are multiplied by
    255 and rounded; the caller notes that in the provenance. Anything else is an error.

    Parameters
    ----------
    values
        (N, ...) of any numeric type.
    name
        Their name in messages.
    scaled
        True: they must be floats from 0 to 1, as the training images were; False: they must not be; None: either.

    Returns
    -------
    pixels, scaled
        uint8 of the same shape, and whether they were floats from 0 to 1.

    Raises
    ------
    DataError
        If they are not numbers, or a value is not finite, not whole or out of range; the message names the first
        one and its image.
    """
    if values.dtype == np.uint8:
        return values, False
    if values.dtype.kind not in "buif":
        raise DataError(f"{name}: holds {values.dtype}; expected pixels: integers 0 to 255, or floats")
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255), False
    floating = np.issubdtype(values.dtype, np.floating)
    if floating:
        refuse(~np.isfinite(values), values, name, "a finite number")
        if scaled is None:
            scaled = bool(values.max() <= 1)
        if scaled:
            refuse((values < 0) | (values > 1), values, name, "0 to 1, as in the training images")
            return np.rint(values * values.dtype.type(255)).astype(np.uint8), True
    refuse((values < 0) | (values > 255), values, name, "0 to 255")
    if floating:
        refuse(values != np.floor(values), values, name, "a whole number from 0 to 255, or all from 0 to 1")
    return values.astype(np.uint8), False


def to_labels(values: Array, name: str) -> Labels:
    """Return labels (N,) as int64; (N, 1) and integral floats are accepted.

    Raises
    ------
    DataError
        If they are not integers from 0, one per image.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        raise DataError(f"{name}: is of shape {values.shape}; give one class number per image, labels.argmax(axis=1)")
    if values.ndim == 1 and np.issubdtype(values.dtype, np.floating):
        refuse(~np.isfinite(values), values, name, "a class number")
        refuse((values != np.floor(values)) | (np.abs(values) > 2**31), values, name, "a whole class number")
        values = values.astype(np.int64)
    return check_labels(values, name=name)


def refuse(wrong: Array, values: Array, name: str, expected: str) -> None:
    """Raise DataError for the first value where `wrong` is true, if any."""
    if wrong.any():
        where = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        place = f" at {tuple(int(index) for index in where[1:])}" if len(where) > 1 else ""
        raise DataError(f"{name}: number {where[0]:,} has {values[where].item()!r}{place}; expected {expected}")
