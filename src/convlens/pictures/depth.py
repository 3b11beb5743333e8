"""Pictures with more than eight bits a channel: which of their values is white.

A camera of twelve bits writes 0 to 4095 into a file of sixteen, and a program may write 0 to 255 or 0 to 1 there. Taken
for 0 to 65535 such pictures are all but black. What white is can be told from many pictures, hardly from one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ..typing import Array, UInt8
from .problem import PictureError

if TYPE_CHECKING:
    from PIL.Image import Image

FULL = 65535  # white of a picture that uses all of its sixteen bits
_WHITES = (1, 255, 1023, 4095, 16383, FULL)  # values scaled to 0..1, and 8, 10, 12, 14 and 16 bits
_FOUR_BITS = (15, 16)  # white only where a picture has just that value
_DOUBTFUL = range(2, 64)  # largest values between: a mask, levels, or dark pictures
_DARK_BYTE = 15  # largest upper byte of a colour that may have been twelve bits or fewer
_SIXTEEN = re.compile(r"^(?!BGR).*;16[BLN]?$")  # Pillow's raw modes of sixteen bits a channel; BGR;16 are 5, 6 and 5
_ADVICE = "convert the images to eight bits a channel"


class Depth(NamedTuple):
    """The values of one deep picture.

    Attributes
    ----------
    kind
        ``"colour"``: whole numbers of which only the upper eight bits can be read; these are `least` and `most`.
    least, most
        The extreme values; NaN if one is not finite.
    """

    kind: Literal["whole numbers", "floats", "colour"]
    least: float
    most: float


def is_deep(image: Image) -> bool:
    """Whether an image has more than eight bits a channel. Ask first: decoding it, even for its EXIF, hides that."""
    if _one_deep_channel(image):
        return True
    tiles = getattr(image, "tile", None) or ()
    return any(_SIXTEEN.search(mode) for tile in tiles for mode in _arguments(tile[3]) if isinstance(mode, str))


def depth_of(image: Image) -> Depth:
    """Return the values of a deep image, which is decoded for this."""
    if not _one_deep_channel(image):
        extremes: Array = np.array(image.convert("RGB").getextrema())  # (3, 2): of each channel
        return Depth("colour", float(extremes[:, 0].min()), float(extremes[:, 1].max()))
    values: Array = np.asarray(image)
    if not np.isfinite(values).all():
        return Depth("floats", math.nan, math.nan)
    kind: Literal["whole numbers", "floats"] = "floats" if image.mode == "F" else "whole numbers"
    return Depth(kind, float(values.min()), float(values.max()))


def _one_deep_channel(image: Image) -> bool:
    return image.mode == "F" or image.mode.startswith("I")


def _arguments(arguments: object) -> Sequence[object]:
    return arguments if isinstance(arguments, tuple) else (arguments,)


def white_of(depths: Sequence[Depth], name: str) -> int:
    """Find the value that is white in deep pictures that belong together.

    It is the largest value of the smallest usual depth that holds them all: 1, 255, 1023, 4095, 16383 or 65535; or 15
    or 16, if that is the largest value of all.

    Raises
    ------
    PictureError
        If it cannot be told, or the pictures have values of several kinds.
    """
    _check(depths, name)
    whites = {}
    for kind in ("whole numbers", "floats"):
        most = max((depth.most for depth in depths if depth.kind == kind), default=0.0)
        if most > FULL:
            raise PictureError(name, f"has values up to {most:,.6g}, more than sixteen bits", _ADVICE)
        if most in _FOUR_BITS:
            whites[kind] = int(most)
            continue
        if most > 1 and math.ceil(most) in _DOUBTFUL:
            raise PictureError(name, f"has values up to {most:,.6g}, and no way to tell which one is white", _ADVICE)
        if most > 0:
            whites[kind] = next(white for white in _WHITES if most <= white)
    if len(set(whites.values())) > 1:
        said = " and ".join(f"{kind} for which {white:,}" for kind, white in whites.items())
        raise PictureError(name, f"has pictures of {said} seems to be white", _ADVICE)
    return next(iter(whites.values()), FULL)


def white_of_one(depth: Depth, white: int, name: str) -> int:
    """Return what is white in one picture that is read for a model whose training data had this `white`.

    Raises
    ------
    PictureError
        If the picture has brighter values; or, taken as sixteen bits, would be all but black without being so.
    """
    _check([depth], name)
    if depth.kind == "colour":
        return white
    if white == FULL and depth.kind == "floats" and depth.most <= 1:
        return 1
    if depth.most > white:
        raise PictureError(
            name, f"has values up to {depth.most:,.6g}, and {white:,} is white in the training images", _ADVICE
        )
    if white == FULL and 0 < depth.most <= 4095:
        raise PictureError(
            name, f"has values up to {depth.most:,.6g} only, all but black where {FULL:,} is white", _ADVICE
        )
    return white


def _check(depths: Sequence[Depth], name: str) -> None:
    """Raise PictureError for values that no picture has."""
    if any(math.isnan(depth.most) for depth in depths):
        raise PictureError(name, "has non-finite values", _ADVICE)
    least = min((depth.least for depth in depths), default=0)
    if least < 0:
        raise PictureError(name, f"has negative values, down to {least:,.6g}", _ADVICE)
    colours = [depth.most for depth in depths if depth.kind == "colour"]
    if colours and 0 <= max(colours) <= _DARK_BYTE:
        raise PictureError(
            name, "has 16-bit colour of twelve bits or fewer, of which only the upper eight bits can be read", _ADVICE
        )


def eight_bits(image: Image, white: int) -> Image:
    """Return an image with eight bits a channel: rint(255 · value / white). Others are returned as they are."""
    from PIL import Image

    if not _one_deep_channel(image):
        return image
    values = np.clip(np.asarray(image).astype(np.float32), 0, white)
    pixels: UInt8 = np.rint(values * np.float32(255 / white)).astype(np.uint8)
    return Image.fromarray(pixels)
