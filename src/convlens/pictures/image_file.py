"""Read one picture from a file, from bytes or from Pillow: the one reader, for training, predicting and serving.

The picture is turned upright and used as it is. Making a digit like MNIST's (polarity, scale, position) is the work of
`convlens.pictures.digits`.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from ..errors import ConfigurationError, ConvlensError, DataError, ShapeError
from ..preprocessing import Intake
from ..typing import UInt8
from . import conversion
from .conversion import JPEGS, Colours, natural_pixels, upright_size, with_channels
from .conversion import is_grey as is_grey
from .depth import FULL, Depth, depth_of, is_deep, white_of, white_of_one
from .formats import DECODERS as DECODERS
from .formats import START, camera_raw, named
from .problem import PictureError

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_FILE = 128 * 2**20  # bytes
LARGEST_PIXELS = 2**26  # pixels: a photograph of 64 megapixels takes 192 MiB once it is decoded

_UNREADABLE_MODES = {"LAB"}  # Pillow opens these and cannot convert them
_WARNINGS = threading.Lock()  # warnings.catch_warnings changes process-wide state


def read_image(
    source: str | os.PathLike[str] | bytes | Image, input_shape: tuple[int, int, int], *, intake: Intake | None = None
) -> UInt8:
    """Read a picture as an image of a model's input shape, in grey or colour as the model requires.

    It is turned upright as its EXIF data say. Transparent pictures are composited onto white; to look like MNIST's, a
    digit must be white on opaque black. Of several frames or pages the first is used.

    Parameters
    ----------
    source
        A file's name or content, or a Pillow image.
    input_shape
        (H, W, C) with C 1 (grey) or 3 (red, green, blue).
    intake
        How the model's training images were read: whether pictures are resized (scaled to cover the size, the middle
        cut out), and what is white in files with more than eight bits a channel. By default pictures are not resized,
        and all sixteen bits are used.

    Returns
    -------
    UInt8
        (H, W, C), 0-255.

    Raises
    ------
    DataError
        If it cannot be read, is not an image, is damaged, is too large, or has deep values that do not fit `intake`.
    ShapeError
        If the picture has another size and is not resized.
    ConfigurationError
        If the model takes neither 1 nor 3 channels.
    """
    height, width, channels = input_shape
    if channels not in {1, 3}:
        raise ConfigurationError(f"an image file gives 1 or 3 channels, the model takes {channels}; give it an array")
    intake = intake or Intake()
    with opened(source) as (image, name):
        deep, found = is_deep(image), upright_size(image)
        if found != (width, height) and not intake.resize:
            raise ShapeError(
                f"{name}: is {_shown(found)}, expected {width} x {height} as the model takes; resize it first, or "
                "train the model with --resize, so that pictures of any size are resized"
            )
        white = white_of_one(depth_of(image), intake.white, name) if deep else intake.white
        if isinstance(source, str | bytes | os.PathLike):  # a Pillow image would stay changed
            _reduce_early(image, (width, height))
        return with_channels(natural_pixels(image, (width, height), white), channels)


class Header(NamedTuple):
    """What can be known of a picture before it is decoded.

    Attributes
    ----------
    deep
        Whether it has more than eight bits a channel.
    size
        Width and height after it is turned upright.
    grey
        Whether its mode or palette is grey.
    several
        Whether it has several frames or pages, of which the first is read.
    """

    deep: bool
    size: tuple[int, int]
    grey: bool
    several: bool


def header_of(path: Path) -> Header:
    """Read the header of a file; PictureError as for `read_image`."""
    name = str(path)
    with _file(path) as file, damage_named(name):
        image = _open_image(file, name)
        # a phone's photograph may hold small copies of itself (MPO), which say nothing more
        several = image.format != "MPO" and bool(getattr(image, "is_animated", False))
        image.seek(0)
        return Header(is_deep(image), upright_size(image), is_grey(image), several)


@contextlib.contextmanager
def opened(source: str | os.PathLike[str] | bytes | Image) -> Iterator[tuple[Image, str]]:
    """Open a picture; yields it and its name in messages. Any exception from Pillow inside becomes a PictureError.

    Raises
    ------
    DataError
        If it cannot be read, is not an image, is damaged, or is too large.
    """
    if isinstance(source, str | bytes | os.PathLike):
        content, name = read_content(source)
        with damage_named(name):
            yield _open_image(io.BytesIO(content), name), name
        return
    from PIL import Image

    if not isinstance(source, Image.Image):
        raise DataError(
            f"a {type(source).__name__} is not a picture; expected a file's name or content, a Pillow image or an array"
        )
    name = "the image"
    with damage_named(name):
        _check(source, name)
        yield source, name


def decoded(content: bytes, name: str, size: tuple[int, int], white: int) -> UInt8:
    """Decode a file's content, in the channels that it has; see `natural_pixels`. PictureError as for `read_image`."""
    with damage_named(name):
        image = _open_image(io.BytesIO(content), name)
        _reduce_early(image, size)
        return natural_pixels(image, size, white)


def depth_of_content(content: bytes, name: str) -> Depth:
    """Return the values of a file with more than eight bits a channel; PictureError as for `read_image`."""
    with damage_named(name):
        return depth_of(_open_image(io.BytesIO(content), name))


def _reduce_early(image: Image, size: tuple[int, int]) -> None:
    """Have a large JPEG decoded at 1/2, 1/4 or 1/8 of its size, still at least twice as wide and high as wanted."""
    if upright_size(image) != size and image.format in JPEGS:
        image.draft(None, (2 * max(size), 2 * max(size)))


def read_content(source: str | os.PathLike[str] | bytes) -> tuple[bytes, str]:
    """Return an image file's content, and its name in messages.

    Raises
    ------
    PictureError
        If it cannot be read, is empty, is too large, or is no file but a folder, a pipe or a device.
    """
    if isinstance(source, bytes):
        name = f"the image ({len(source):,} bytes)"
        _check_length(len(source), name)
        return source, name
    path = Path(source)
    with _file(path) as file:
        content = file.read(LARGEST_FILE + 1)
    _check_length(len(content), str(source))
    return content, str(source)


def _check_length(length: int, name: str) -> None:
    if not 0 < length <= LARGEST_FILE:
        problem = f"is larger than {LARGEST_FILE:,} bytes" if length else "is empty"
        raise PictureError(name, problem, f"expected a picture ({', '.join(DECODERS)})")


@contextlib.contextmanager
def _file(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file; opening a pipe would wait for somebody to write into it."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, a socket or a device, not a file"
            raise PictureError(str(path), f"cannot be read (it is {what})", "give an image file")
        _check_length(status.st_size, str(path))
        file = path.open("rb")
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error})"
        raise PictureError(str(path), problem, "give an image file") from error
    except ValueError as error:  # a null character in its name
        raise PictureError(str(path), f"cannot be read ({error})", "give an image file") from error
    with file:
        yield file


@contextlib.contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn any exception from Pillow inside into a PictureError that names the file."""
    try:
        yield
    except ConvlensError:
        raise
    # Pillow's decoders raise almost any exception on damaged files; all mean the same here.
    except Exception as error:
        raise PictureError(
            name, f"is damaged ({_said(error)})", f"expected a whole image ({', '.join(DECODERS)})"
        ) from error


def colours_of(source: str | os.PathLike[str] | bytes | Image, longest: int) -> Colours:
    """Read a picture with all its channels, reduced to at most `longest` pixels along its longer side.

    In an image with more than eight bits a channel, white is found out from this image alone: its contrast is stretched
    later anyway.

    Raises
    ------
    DataError
        If it cannot be read, is not an image, is damaged, or is too large.
    """
    with opened(source) as (image, name):
        white = white_of([depth_of(image)], name) if is_deep(image) else FULL
        return conversion.colours_of(image, white, longest, ours=isinstance(source, str | bytes | os.PathLike))


def _open_image(file: IO[bytes], name: str) -> Image:
    """Read an image's header and check the size it claims, before decoding any pixel."""
    from PIL import Image, UnidentifiedImageError  # imported when needed: training needs no Pillow

    expected = f"expected {', '.join(DECODERS)}: convert it, for instance to PNG"
    if raw := camera_raw(name):
        raise PictureError(name, f"is {raw}, a format that is not read", expected)
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(file, formats=DECODERS)
        except UnidentifiedImageError as error:  # Pillow's text names a Python object
            file.seek(0)
            what = named(file.read(START))
            problem = f"is not an image but {what}" if what else "is not an image"
            if what and what.endswith(("image", "drawing")):
                problem = f"is {what}, a format that is not read"
            raise PictureError(name, problem, expected) from error
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise PictureError(
                name, f"is refused as a decompression bomb ({_said(error)})", "give a smaller image"
            ) from error
    _check(image, name)
    return image


def _check(image: Image, name: str) -> None:
    if image.width * image.height > LARGEST_PIXELS:
        problem = f"claims {_shown(image.size)}, more than the {LARGEST_PIXELS:,} pixels allowed"
        raise PictureError(name, problem, "give a smaller image")
    if image.mode in _UNREADABLE_MODES:
        raise PictureError(name, f"has colours of the kind {image.mode}", "save it in RGB")


def _shown(size: tuple[int, int]) -> str:
    return f"{size[0]:,} x {size[1]:,} pixels (width x height)"


def _said(error: Exception) -> str:
    """Return an exception's text on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
