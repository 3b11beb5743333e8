"""From a decoded image to pixels: upright, opaque, with eight bits a channel, of the wanted size and channels.

Every picture takes this way, whether it is read for training or for prediction.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..typing import UInt8
from .depth import eight_bits

if TYPE_CHECKING:
    from PIL.Image import Image

JPEGS = {"JPEG", "MPO"}  # Pillow calls a phone's photograph with small copies of itself MPO
_ORIENTATION = 0x0112  # EXIF's tag
_ON_ITS_SIDE = {5, 6, 7, 8}  # its values that swap width and height
_LUMA = np.array([19595, 38470, 7471], np.uint32)  # Rec. 601, times 2**16: what Pillow's conversion to grey uses


def upright_size(image: Image) -> tuple[int, int]:
    """Return width and height after the image has been turned upright, without decoding it where that can be."""
    width, height = image.size
    # Pillow turns TIFF itself, and reads a whole PNG to find its EXIF, which does not matter for a square.
    if image.format == "TIFF" or width == height or not _lies_on_its_side(image):
        return width, height
    return height, width


def _lies_on_its_side(image: Image) -> bool:
    return image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE


def is_grey(image: Image) -> bool:
    """Whether an image is grey, judging by its mode or palette, not by its pixels."""
    if image.mode == "P":
        palette = image.getpalette("RGB")
        return palette is not None and palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in {"1", "L", "LA", "La", "F"} or image.mode.startswith("I")


def natural_pixels(image: Image, size: tuple[int, int], white: int) -> UInt8:
    """Decode an image in the channels that it has.

    Parameters
    ----------
    image
        As it was opened.
    size
        Width and height wanted. An image of another size is scaled, its proportions kept, until it covers that size,
        and what extends beyond it on two sides is cut off, as much on one as on the other: no border is invented,
        nothing is distorted.
    white
        The value that becomes 255 in an image with more than eight bits a channel.

    Returns
    -------
    UInt8
        (H, W, 1) if its mode is grey, else (H, W, 3).
    """
    from PIL import ImageOps
    from PIL.Image import Resampling

    grey = is_grey(image)
    image = _opaque(eight_bits(ImageOps.exif_transpose(image), white)).convert("L" if grey else "RGB")
    if image.size != size:
        image = ImageOps.fit(image, size, Resampling.BILINEAR)
    return np.array(image).reshape(size[1], size[0], 1 if grey else 3)


def with_channels(pixels: UInt8, channels: int) -> UInt8:
    """Return pixels (..., 1 or 3) with 1 or 3 channels: grey by Rec. 601, or grey in each of three channels."""
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    return ((pixels @ _LUMA + 2**15) >> 16).astype(np.uint8)[..., np.newaxis]


class Colours(NamedTuple):
    """A picture with all the channels that it has.

    Attributes
    ----------
    pixels
        (H, W, 1, 3 or 4), upright; the fourth channel is opacity.
    turned
        Whether it was turned upright.
    size
        Width and height, upright, before it was reduced.
    """

    pixels: UInt8
    turned: bool
    size: tuple[int, int]


def colours_of(image: Image, white: int, longest: int, *, ours: bool) -> Colours:
    """Decode an image upright, reduced to at most `longest` pixels along its longer side.

    `ours` says whether it was opened here, and may be left changed.
    """
    from PIL import ImageOps

    turned, size = image.getexif().get(_ORIENTATION, 1) not in {0, 1}, upright_size(image)
    if ours:
        _halve_early(image, -(-max(size) // longest))
    image = eight_bits(image, white)
    mode = "RGBA" if image.has_transparency_data else "L" if is_grey(image) else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    image = ImageOps.exif_transpose(_shrunk(image, longest))
    return Colours(np.array(image).reshape(image.height, image.width, -1), turned, size)


def _halve_early(image: Image, factor: int) -> None:
    """Have a JPEG that will be reduced by an even factor decoded at 1/2, 1/4 or 1/8 of its size: that is faster."""
    halved = math.gcd(factor, 8)
    if halved > 1 and image.format in JPEGS:
        image.draft(None, (max(1, image.width // halved), max(1, image.height // halved)))


def _shrunk(image: Image, longest: int) -> Image:
    """Return an image with at most `longest` pixels along its longer side: means of whole blocks of pixels."""
    factor = -(-max(image.size) // longest)
    return image if factor == 1 else image.reduce(factor)


def _opaque(image: Image) -> Image:
    """Return the image composited onto white, if it is transparent."""
    from PIL import Image

    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
