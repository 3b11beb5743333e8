"""Read a picture as a model's training images were read, and say what was done to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..preprocessing import Intake
from ..typing import Array, Shape, UInt8
from .conversion import is_grey
from .digits import Account
from .formats import DECODERS
from .image_file import opened, read_image

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112  # EXIF's tag


def is_picture(array: Array, input_shape: Shape) -> bool:
    """Whether pixels, of another shape than a model's, are those of a picture: grey, in colour, or with opacity."""
    if array.shape == tuple(input_shape) or (input_shape[2] == 1 and array.shape == tuple(input_shape[:2])):
        return False
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    return input_shape[2] in {1, 3} and channels in {1, 3, 4} and array.size > 0


def read_picture(
    source: str | os.PathLike[str] | bytes | Image | npt.NDArray[np.uint8],
    input_shape: tuple[int, int, int],
    intake: Intake,
) -> tuple[UInt8, Account]:
    """Read a picture of any kind as `read_image` does, without making it like a digit.

    Parameters
    ----------
    source
        A file's name or content; a Pillow image; or a uint8 array that `is_picture`.
    input_shape
        (H, W, C) of the model.
    intake
        How its training images were read.

    Returns
    -------
    image, account
        uint8 of the input shape, and what was done to the picture.

    Raises
    ------
    DataError, ShapeError, ConfigurationError
        As `read_image`.
    """
    if isinstance(source, np.ndarray):
        source = _image(source)
    pixels = read_image(source, input_shape, intake=intake)
    with opened(source) as (image, _):
        return pixels, Account(tuple(_steps(image, input_shape, intake)))


def thumbnail(source: str | os.PathLike[str] | bytes | Image, side: int) -> UInt8:
    """Return a picture upright in colour, (H, W, 3) with H and W at most `side`, to be looked at.

    Raises
    ------
    DataError
        If it cannot be read, is not an image, is damaged, or is too large.
    """
    from PIL import Image, ImageOps

    with opened(source) as (given, _):
        if given is not source:  # a Pillow image of the caller's would stay changed
            given.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded at a fraction of its size
        image = ImageOps.exif_transpose(given)
        if image.mode == "F" or image.mode.startswith("I"):  # more than eight bits: stretched, to be seen
            values = np.asarray(image).astype(np.float64)
            values = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
            image = Image.fromarray(np.rint(255 * values).astype(np.uint8))
        image.thumbnail((side, side))
        if image.has_transparency_data:
            layer = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        return np.array(image.convert("RGB"))


def images_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the image files in a folder, sorted by name, and what else lies there that is not hidden.

    Raises
    ------
    DataError
        If the folder cannot be read, or holds no image file.
    """
    from PIL import Image

    kinds = {suffix for suffix, kind in Image.registered_extensions().items() if kind in DECODERS}
    try:
        visible = sorted(path for path in folder.iterdir() if path.name[0] != ".")
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}); give a readable folder") from error
    images = [path for path in visible if path.suffix.lower() in kinds and path.is_file()]
    if not images:
        inner = next((path.name for path in visible if path.is_dir()), None)
        advice = f"name its sub-folders, such as {folder / inner}" if inner else "give a folder with images in it"
        raise DataError(f"{folder}: this folder holds no image ({', '.join(DECODERS)}); {advice}")
    known = set(images)
    return images, [path for path in visible if path not in known]


def _image(pixels: npt.NDArray[np.uint8]) -> Image:
    from PIL import Image  # imported when needed: training needs no Pillow

    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels))


def _steps(image: Image, input_shape: Shape, intake: Intake) -> list[str]:
    """Return in words what `read_image` does to an opened image."""
    done = []
    orientation = image.getexif().get(_ORIENTATION, 1)
    width, height = image.size
    if orientation not in {0, 1}:
        done.append("turned upright as the camera noted")
        if orientation >= 5 and image.format != "TIFF":  # Pillow turns TIFF as it opens it
            width, height = height, width
    if image.mode == "F" or image.mode.startswith("I"):
        done.append(f"scaled its values, {intake.white:,} being white")
    if image.has_transparency_data:
        done.append("laid on white (it is transparent)")
    if is_grey(image) and input_shape[2] == 3:
        done.append("converted from grey to colour")
    if not is_grey(image) and input_shape[2] == 1:
        done.append("converted from colour to grey")
    if (height, width) != tuple(input_shape[:2]):
        done.append(f"resized from {width:,} x {height:,} to {input_shape[1]} x {input_shape[0]}")
    return done
