"""From pixels to the network's input: the same few lines for training, looking inside and serving."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from .errors import ConfigurationError, DataError, ShapeError
from .plain import check_keys, is_number
from .typing import Array, Float32, Shape

Prepare: TypeAlias = Literal["digits", "as-is"]

BOX = 20 / 28  # share of an image of MNIST that the longer side of its digit takes

_PIXEL_MODES = ("1", "L", "RGB", "RGBA", "I;16")  # modes of Pillow images whose numbers are pixels
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    r"""What is done to pixels before the first layer: :math:`y = (scale \cdot x - mean) / deviation`.

    Pixels are whole numbers from 0 to 255. Floats are the network's input already and stay as they are.

    It travels inside every artifact, so that a served model sees what the trained one saw.

    Parameters
    ----------
    input_shape
        (H, W, C) in pixels and channels; images of any other size are refused, not resized.
    scale
        Multiplies the pixels, 0-255; the default makes them 0 to 1.
    mean, deviation
        Of the scaled pixels: the mean is subtracted, then the result is divided by the deviation.

    Raises
    ------
    ShapeError
        If the input shape is not three positive whole numbers.
    ConfigurationError
        If a number is not finite, or scale or deviation is not positive.
    """

    input_shape: tuple[int, int, int]
    scale: float = 1 / 255
    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_shape", checked_shape(self.input_shape))
        for name in ("scale", "mean", "deviation"):
            value = getattr(self, name)
            if not is_number(value):
                raise ConfigurationError(f"preprocessing: {name} must be a finite number, not {value!r}")
            if name != "mean" and value <= 0:
                raise ConfigurationError(f"preprocessing: {name} must be greater than 0, not {value!r}")
            object.__setattr__(self, name, float(value))
        if (self.scale * 255 + abs(self.mean)) / self.deviation > _LARGEST_FLOAT32:
            raise ConfigurationError(
                "preprocessing: these numbers overflow float32; use a smaller scale or a larger deviation"
            )

    def __call__(self, images: Array, out: Float32 | None = None) -> Float32:
        """Prepare images for a model.

        Parameters
        ----------
        images
            Pixels, or floats: (N, H, W, C), or one image (H, W, C); with one channel also (N, H, W) or (H, W).
        out
            (N, H, W, C) float32, C-contiguous: where to write. Without it, a new array.

        Returns
        -------
        Float32
            (N, H, W, C), C-contiguous; `out` if it was given. One image gives N = 1.

        Raises
        ------
        ShapeError
            If the images, or `out`, are of another shape; the message names both.
        DataError
            If the images are neither pixels nor floats.
        """
        batch = self.as_batch(images)
        if out is None:
            out = np.empty(batch.shape, dtype=np.float32)
        elif out.shape != batch.shape or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ShapeError(
                f"preprocessing: out must be C-contiguous float32 of shape {batch.shape}, "
                f"not {out.dtype} of shape {out.shape}; leave it out to get a new array"
            )
        self.fill(batch, out)
        return out

    def fill(self, batch: Array, out: Array) -> None:
        """Write what images become, uint8 or floats (N, H, W, C), to a float array of the same shape."""
        # Converted first, then multiplied in place: in NumPy the two are faster than one product of mixed types.
        np.copyto(out, batch, casting="same_kind")
        if batch.dtype == np.uint8:
            factor, shift = self._factors
            np.multiply(out, factor, out)
            if shift:
                np.subtract(out, shift, out)

    @cached_property
    def _factors(self) -> tuple[np.float32, np.float32]:
        """What pixels are multiplied with, and what is then subtracted; as NumPy takes them fastest."""
        return np.float32(self.scale / self.deviation), np.float32(self.mean / self.deviation)

    def of_pixels(self, *values: float) -> tuple[float, ...]:
        """Return what pixels of these values, 0 to 255, become: (value * scale - mean) / deviation."""
        return tuple((value * self.scale - self.mean) / self.deviation for value in values)

    def as_batch(self, images: object) -> Array:
        """Return images as (N, H, W, C), uint8 or floats; without a copy if they are that already.

        Parameters
        ----------
        images
            Anything that NumPy makes an array of, in the shapes that `__call__` takes. Whole numbers of any type are
            pixels; true and false are 255 and 0.

        Raises
        ------
        DataError
            If they are no numbers, or whole numbers that cannot be pixels: below 0, above 255, or only 0 and 1.
        ShapeError
            If they have another shape.
        """
        given = _numbers(images)
        if given.shape[1:] == self.input_shape:
            return given
        if given.shape == self.input_shape:
            return given[np.newaxis]
        height, width, channels = self.input_shape
        if channels == 1 and given.shape[-2:] == (height, width) and given.ndim in {2, 3}:
            return given.reshape(-1, height, width, 1)
        if given.shape == (0,):  # an empty list
            return given.reshape(0, *self.input_shape)
        raise ShapeError(
            f"expected images of shape {self.input_shape} or a batch (N, {height}, {width}, {channels}), "
            f"got {given.shape}; {_advice(given.shape, self.input_shape)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data from which `from_dict` makes an equal object."""
        return {**dataclasses.asdict(self), "input_shape": list(self.input_shape)}

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Preprocessing:
        """Make the object that `to_dict` described.

        Parameters
        ----------
        settings
            ``input_shape`` and, where they differ from the defaults, ``scale``, ``mean`` and ``deviation``.

        Raises
        ------
        ConfigurationError
            If a key is unknown (the message names the nearest right one), ``input_shape`` is missing or a
            value is wrong.
        """
        check_keys(cls, settings, "preprocessing")
        return cls(**settings)


@dataclasses.dataclass(frozen=True)
class Intake:
    """How a picture from elsewhere becomes pixels of the model's size: found out from the training data.

    It travels with a data set and in the header of every model trained on it, so that a picture is read for prediction
    as it would have been for training.

    Attributes
    ----------
    prepare
        ``"digits"``: the training images are like MNIST's (light ink on black, centred, scaled to one size), so a
        picture is first made like them. ``"as-is"``: it is not changed.
    resize
        Whether training images of other sizes were resized to the model's, so that pictures are too. If not, a picture
        of another size is refused, unless it is prepared.
    white
        The value that becomes 255 in files with more than eight bits a channel: 65535, or 4095 of a twelve-bit camera.
    box
        Share of the image's shorter side that the longer side of a prepared digit takes: 20/28 as in MNIST, or 20/32
        where MNIST's images were padded to 32 x 32.

    Raises
    ------
    ConfigurationError
        If a value is of another type, or out of range.
    """

    prepare: Prepare = "as-is"
    resize: bool = False
    white: int = 65535
    box: float = BOX

    def __post_init__(self) -> None:
        if self.prepare not in get_args(Prepare):
            raise ConfigurationError(f"intake: prepare is 'digits' or 'as-is', not {self.prepare!r}")
        if type(self.resize) is not bool:
            raise ConfigurationError(f"intake: resize is true or false, not {self.resize!r}")
        if type(self.white) is not int or not 1 <= self.white <= 65535:
            raise ConfigurationError(f"intake: white is a whole number from 1 to 65535, not {self.white!r}")
        if not is_number(self.box) or not 0.25 <= self.box <= 1:
            raise ConfigurationError(f"intake: box is a number from 0.25 to 1, not {self.box!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data from which `from_dict` makes an equal object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Intake:
        """Make the object that `to_dict` described; ConfigurationError if a key or a value is wrong."""
        check_keys(cls, settings, "intake")
        return cls(**settings)


def checked_shape(shape: object) -> tuple[int, int, int]:
    """Return the shape of an image as (height, width, channels): three whole numbers above 0, in any sequence.

    Raises
    ------
    ShapeError
        If it is anything else.
    """
    if isinstance(shape, tuple | list | np.ndarray) and len(shape) == 3:
        sizes = [size.item() if isinstance(size, np.integer) else size for size in shape]
        if all(type(size) is int and size > 0 for size in sizes):
            return sizes[0], sizes[1], sizes[2]
    raise ShapeError(f"an input shape is (height, width, channels), each above 0, such as (28, 28, 1), not {shape!r}")


def _numbers(images: object) -> Array:
    """Return images as an array of uint8 or floats, of any shape."""
    if isinstance(images, np.ndarray) and (images.dtype == np.uint8 or images.dtype.kind == "f"):
        return images
    _refuse_pictures(images)
    try:
        given: Array = np.asarray(images)
        if given.dtype == object:
            given = np.asarray(given.tolist())
    except (TypeError, ValueError, RuntimeError) as error:  # of several shapes; a tensor on another device
        reason = str(error).partition("\n")[0]
        raise DataError(f"images must be one array, all of the same shape, and these are not ({reason})") from error
    if given.dtype == np.uint8 or given.dtype.kind == "f":
        return given
    if given.dtype == np.bool_:
        return given.astype(np.uint8) * np.uint8(255)
    if given.dtype.kind not in "iu":
        what = str(given.dtype)
        if given.dtype == object:
            what = "objects" if isinstance(images, np.ndarray) else type(images).__name__
        raise DataError(f"images must be pixels, whole numbers from 0 to 255, or floats, not {what}")
    least, most = (int(given.min()), int(given.max())) if given.size else (0, 0)
    if not 0 <= least <= most <= 255:
        raise DataError(
            f"images of type {given.dtype} hold {least} to {most}, and pixels are 0 to 255; scale them to that, or "
            "give the network's input as floats"
        )
    if most == 1:
        raise DataError(
            f"images of type {given.dtype} hold only 0 and 1, nearly black; give images.astype(bool) if 1 is white, or "
            "uint8 if they are pixels"
        )
    return given.astype(np.uint8)


def _refuse_pictures(images: object) -> None:
    """Refuse what is not an array of numbers but a picture still to be read, alone or in a list."""
    first = images[0] if isinstance(images, list | tuple) and images else images
    mode = getattr(first, "mode", None)  # of a Pillow image: in mode P, for instance, its numbers are no pixels
    if isinstance(first, str | bytes | os.PathLike) or (isinstance(mode, str) and mode not in _PIXEL_MODES):
        what = type(first).__name__ if mode is None else f"Pillow image of mode {mode}"
        raise DataError(
            f"images must be arrays, not a {what}; for files and pictures of any kind use "
            "convlens.Predictor(model).predict_one(picture)"
        )


def _advice(shape: Shape, expected: Shape) -> str:
    """Say what to do about images of this shape."""
    if 0 in shape[-3:]:
        return "there are no pixels in these"
    if len(shape) < 2 or (len(shape) == 2 and shape[-1] == math.prod(expected)):
        return f"reshape them to (N, {', '.join(map(str, expected))})"
    height, width, channels = expected
    if shape[-3:] == (channels, height, width) and len(shape) in {3, 4}:
        return "channels come last: np.moveaxis(images, -3, -1)"
    if len(shape) == 4:
        meant: Shape = shape[1:]
    elif len(shape) > 4:
        return f"reshape them to (N, {', '.join(map(str, expected))})"
    else:
        meant = shape if len(shape) == 3 and shape[-1] in {1, 3} else (*shape[-2:], 1)
    return f"resize them, or build the model with input_shape={meant}"
