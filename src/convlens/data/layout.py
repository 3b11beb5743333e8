"""Where the axes of an array of images lie: found out from shape and content, and said."""

from __future__ import annotations

import math

import numpy as np

from ..errors import DataError
from ..typing import Array
from .pixels import refuse, square_shape

_SAMPLE = 500  # images from which the order of flattened colours is found out
_CLEARLY = 1.1  # how much smoother one reading of them must be than the other


def to_channels_last(
    values: Array, name: str, notes: list[str], *, order: list[str] | None = None, in_memory: bool = False
) -> Array:
    """Return an array as images (N, H, W, C) with 1 or 3 channels, and note every step that is not obvious.

    Accepted are (N, H, W), (N, H, W, C), (N, C, H, W), square images flattened to rows (N, D), and colour planes
    flattened one by one, (N, 3, D) or (N, D, 3).

    Parameters
    ----------
    values
        The array.
    name
        Its name in messages.
    notes
        Gets a sentence for each step.
    order
        The order of flattened colours, ``["planes"]`` or ``["pixels"]``, as found in the training images; empty: it is
        found out and put in.
    in_memory
        The array is one in memory: C is any number, and channels first are refused, because predictions are asked for
        with arrays of the same kind.

    Raises
    ------
    DataError
        If it has another shape, or the order of flattened colours is not clear.
    """
    if values.dtype.kind not in "buif":
        raise DataError(f"{name}: holds {values.dtype}; expected pixels: integers 0 to 255, or floats")
    channels = "(N, H, W, C), channels last" if in_memory else "(N, H, W, C), channels last: 1 (grey) or 3 (colour)"
    if 0 in values.shape or values.ndim not in {2, 3, 4}:
        raise DataError(f"{name}: is of shape {values.shape}; expected images (N, H, W) or {channels}")
    if values.ndim == 2:
        return _from_rows(values, name, notes, [] if order is None else order)
    if values.ndim == 3 and 3 in values.shape[1:] and _square(max(values.shape[1:])):
        side = math.isqrt(max(values.shape[1:]))
        if values.shape[1] == 3:
            notes.append(f"{name} holds three planes for each image: taken as red, green and blue")
            return np.moveaxis(values.reshape(-1, 3, side, side), 1, -1)
        return values.reshape(-1, side, side, 3)
    if values.ndim == 3:
        return values[..., np.newaxis]
    if values.shape[1] in {1, 3} and values.shape[3] not in {1, 3}:
        if in_memory and values.shape[2] != values.shape[3]:
            return values  # low images with several channels
        if in_memory:
            raise DataError(
                f"{name}: is of shape {values.shape}, which looks like channels first; expected {channels}: "
                "np.moveaxis(images, 1, -1)"
            )
        notes.append(f"{name} has channels first, {values.shape[1:]}: moved to the last axis")
        return np.moveaxis(values, 1, -1)
    if values.shape[3] not in {1, 3} and not in_memory:
        advice = (
            "leave out the fourth, transparency: images[..., :3]" if values.shape[3] == 4 else f"expected {channels}"
        )
        raise DataError(f"{name}: is of shape {values.shape}, so images have {values.shape[3]} channels; {advice}")
    return values


def _square(count: int) -> bool:
    return count >= 64 and math.isqrt(count) ** 2 == count


def _from_rows(values: Array, name: str, notes: list[str], order: list[str]) -> Array:
    """Return flattened images (N, D) as (N, H, W, C)."""
    height, width, channels = square_shape(values.shape[1], name)
    if channels == 1:
        return values.reshape(-1, height, width, 1)
    if not order:
        order.append(colour_order(values, height, width, name))
    if order[0] == "planes":
        notes.append(f"{name} has rows of {values.shape[1]:,} values: read as planes, all red, then green, then blue")
        return np.moveaxis(values.reshape(-1, 3, height, width), 1, -1)
    notes.append(f"{name} has rows of {values.shape[1]:,} values: read as red, green and blue of each pixel in turn")
    return values.reshape(-1, height, width, 3)


def colour_order(rows: Array, height: int, width: int, name: str) -> str:
    """Find out how flattened colour images (N, H * W * 3) are ordered: ``"planes"`` or ``"pixels"``.

    In the right reading neighbouring pixels are alike; in the wrong one they come from places far apart. Compared is
    the mean absolute difference of vertical and horizontal neighbours, over a sample of the images.

    Raises
    ------
    DataError
        If neither reading is clearly smoother.
    """
    if height == width == 1:
        return "pixels"  # and as planes: the values are the same
    refuse(~np.isfinite(rows), rows, name, "a finite number")
    sample = rows[:: max(1, len(rows) // _SAMPLE)].astype(np.float64)
    planes = _roughness(sample.reshape(-1, 3, height, width))
    pixels = _roughness(np.moveaxis(sample.reshape(-1, height, width, 3), -1, 1))
    if planes * _CLEARLY < pixels:
        return "planes"
    if pixels * _CLEARLY < planes:
        return "pixels"
    raise DataError(
        f"{name}: rows of {rows.shape[1]:,} values are colour images, and it is not clear whether as planes or "
        "as pixels; give an array (N, H, W, 3) in an .npz file"
    )


def _roughness(images: Array) -> float:
    """Return the mean absolute difference of neighbours in images (N, C, H, W)."""
    return float(np.abs(np.diff(images, axis=2)).mean() + np.abs(np.diff(images, axis=3)).mean())
