"""Read one image from a file, from bytes or from Pillow, for predicting and serving.

The image is used as it is. Making an image of a digit like MNIST's (size, polarity, centring, orientation) is the work
of `convlens.pictures.digits`.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ConfigurationError, ConvlensError, DataError, ShapeError
from ..preprocessing import Intake
from ..typing import UInt8

if TYPE_CHECKING:
    from PIL.Image import Image

# Common formats only: every decoder adds attack surface.
DECODERS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "PPM")
LARGEST_FILE = 32 * 2**20  # bytes
LARGEST_PIXELS = 2**24  # pixels: a 16-megapixel photograph

_ORIENTATION = 0x0112  # EXIF's tag
_MODES = {1: "L", 3: "RGB"}  # channels -> Pillow's name for them
_WARNINGS = threading.Lock()  # warnings.catch_warnings changes process-wide state


def read_image(
    source: str | os.PathLike[str] | bytes | Image, input_shape: tuple[int, int, int], *, intake: Intake | None = None
) -> UInt8:
    """Read an image of a model's input shape, in grey or colour as the model requires.

    Transparent images are composited onto white; to look like MNIST's, a digit must be white on opaque black. Of an
    animation the first frame is used; of 16-bit grey values the upper eight bits.

    Parameters
    ----------
    source
        A file's name or content, or a Pillow image.
    input_shape
        (H, W, C) with C 1 (grey) or 3 (red, green, blue).
    intake
        How the model's training images were read; by default pictures are not resized.

    Returns
    -------
    UInt8
        (H, W, C), 0-255.

    Raises
    ------
    DataError
        If it cannot be read, is not an image, is damaged, or is too large.
    ShapeError
        If the image has another size; it is not resized.
    ConfigurationError
        If the model takes neither 1 nor 3 channels.
    """
    height, width, channels = input_shape
    if channels not in _MODES:
        raise ConfigurationError(f"an image file gives 1 or 3 channels, the model takes {channels}; give it an array")
    from PIL import ImageOps

    with opened(source) as (given, name):
        image = ImageOps.exif_transpose(given)
        if image.size != (width, height):
            if intake is None or not intake.resize:
                raise ShapeError(
                    f"{name}: is {_shown(image)}, expected {width} x {height} as the model takes; resize it first, or "
                    "train the model with --resize, so that pictures of any size are resized"
                )
            image = ImageOps.fit(image, (width, height))
        return pixels_of(image, channels)


@contextlib.contextmanager
def opened(source: str | os.PathLike[str] | bytes | Image) -> Iterator[tuple[Image, str]]:
    """Open a picture; yields it and its name in messages. Any exception from Pillow inside becomes a DataError.

    Raises
    ------
    DataError
        If it cannot be read, is not an image, is damaged, or is too large.
    """
    if isinstance(source, str | bytes | os.PathLike):
        content, name = read_content(source)
        with damage_named(name):
            yield open_image(content, name), name
        return
    from PIL import Image

    if not isinstance(source, Image.Image):
        raise DataError(
            f"a {type(source).__name__} is not a picture; expected a file's name or content, a Pillow image or an array"
        )
    name = "the image"
    with damage_named(name):
        _check_size(source, name)
        yield source, name


def read_content(source: str | os.PathLike[str] | bytes) -> tuple[bytes, str]:
    """Return an image file's content, and its name in messages.

    Raises
    ------
    DataError
        If it cannot be read, is empty, or is too large.
    """
    content = source if isinstance(source, bytes) else _read(Path(source))
    name = f"the image ({len(content):,} bytes)" if isinstance(source, bytes) else str(source)
    if not 0 < len(content) <= LARGEST_FILE:
        problem = f"is larger than {LARGEST_FILE:,} bytes" if content else "is empty"
        raise DataError(f"{name}: {problem}; expected a small image ({', '.join(DECODERS)})")
    return content, name


@contextlib.contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn any exception from Pillow inside into a DataError that names the file."""
    try:
        yield
    except ConvlensError:
        raise
    # Pillow's decoders raise almost any exception on damaged files; all mean the same here.
    except Exception as error:
        raise DataError(
            f"{name}: is damaged ({_said(error)}); expected a whole image ({', '.join(DECODERS)})"
        ) from error


def open_image(content: bytes, name: str) -> Image:
    """Read an image's header and check the size it claims, before decoding any pixel. Call it in `damage_named`.

    Raises
    ------
    DataError
        If it is not an image, or is too large.
    """
    image = _open(content, name)
    _check_size(image, name)
    return image


def _check_size(image: Image, name: str) -> None:
    if image.width * image.height > LARGEST_PIXELS:
        raise DataError(
            f"{name}: claims {_shown(image)}, more than the {LARGEST_PIXELS:,} pixels allowed; give a smaller image"
        )


def pixels_of(image: Image, channels: int, *, turned: bool = False) -> UInt8:
    """Decode an image as (H, W, C) with 1 or 3 channels, upright if `turned`. Call it in `damage_named`."""
    if turned:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    pixels = np.asarray(_converted(image, _MODES[channels]))
    return pixels.reshape(image.height, image.width, channels).copy()


def colours_of(image: Image) -> tuple[UInt8, bool]:
    """Decode an image upright: (H, W, 1, 3 or 4), the fourth channel being opacity, and whether it was turned.

    Call it in `damage_named`.
    """
    from PIL import ImageOps

    turned = image.getexif().get(_ORIENTATION, 1) not in {0, 1}
    image = _eight_bits(ImageOps.exif_transpose(image))
    mode = "RGBA" if image.has_transparency_data else "L" if is_grey(image) else "RGB"
    pixels = np.array(image.convert(mode))
    return pixels.reshape(image.height, image.width, -1), turned


def lies_on_its_side(image: Image) -> bool:
    """Whether the EXIF orientation swaps width and height."""
    return image.getexif().get(_ORIENTATION) in {5, 6, 7, 8}


def is_grey(image: Image) -> bool:
    """Whether an image is grey, judging by its mode or palette, not by its pixels."""
    if image.mode == "P":
        palette = image.getpalette("RGB")
        return palette is not None and palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in {"1", "L", "LA", "La", "F"} or image.mode.startswith("I")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give an image file") from error


def _open(content: bytes, name: str) -> Image:
    """Read an image's header; Pillow's warning about a decompression bomb is an error."""
    from PIL import Image, UnidentifiedImageError  # imported when needed: training needs no Pillow

    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return Image.open(io.BytesIO(content), formats=DECODERS)
        except UnidentifiedImageError as error:  # Pillow's text names a Python object
            raise DataError(f"{name}: is not an image; expected {', '.join(DECODERS)}") from error
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise DataError(
                f"{name}: is refused as a decompression bomb ({_said(error)}); give a small image"
            ) from error


def _shown(image: Image) -> str:
    return f"{image.width:,} x {image.height:,} pixels (width x height)"


def _converted(image: Image, mode: str) -> Image:
    """Return the image in grey or colour, opaque, with eight bits per channel."""
    from PIL import Image

    image = _eight_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert(mode)


def _eight_bits(image: Image) -> Image:
    """Reduce 16-bit grey to its upper eight bits; Pillow's own conversion would clip at 255."""
    from PIL import Image

    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    return image


def _said(error: Exception) -> str:
    """Return an exception's text on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
