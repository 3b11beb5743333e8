"""What is checked before an engine runs: compiled code writes wherever a label, or an array's length, sends it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.labels import check_labels
from ..errors import ConfigurationError, DataError, ShapeError
from ..program import Program
from ..typing import Array, FloatArray, Labels


def checked_images(program: Program, x: Any, *, prepared: bool = True) -> FloatArray:
    """Return x as an array of floats (N, H, W, C); of any type if it has still to be prepared.

    Raises
    ------
    DataError
        If it does not hold floats.
    ShapeError
        If it has another shape; NumPy would repeat a single row or column in silence.
    """
    given: FloatArray = np.asarray(x)
    if prepared and given.dtype.kind != "f":
        raise DataError(
            f"an engine takes floats, the network's input, not {given.dtype}; give pixels to model.preprocessing first"
        )
    if given.shape[1:] != program.input_shape:
        wanted = ", ".join(map(str, program.input_shape))
        raise ShapeError(f"an engine takes images of shape (N, {wanted}), not {given.shape}; give model.logits others")
    return given


def checked_labels(program: Program, labels: Any, images: int) -> Labels:
    """Return the classes of a batch, (N,) int64.

    Raises
    ------
    DataError
        If there are no images, the labels differ from them in number, or one is not in 0..K-1.
    """
    given, classes = np.asarray(labels), program.output_shape[0]
    if not images or given.shape != (images,):
        raise DataError(
            f"a batch of {images} images has labels of shape {given.shape}; expected an image or more, one label each"
        )
    if given.dtype.kind in "iu":  # every step comes here: one pass, in which negative numbers count as huge ones
        found: Labels = given.astype(np.int64, copy=False)
        if max(found.view(np.uint64).tolist()) < classes:  # NumPy's maximum takes 1 us, even of a single label
            return found
    return check_labels(given, classes)


def require_layout(array: Any, size: int, what: str) -> None:
    """Check that a flat array has the size that a Program states, and holds floats in one piece.

    Raises
    ------
    ConfigurationError
        If not.
    """
    if not (
        isinstance(array, np.ndarray)
        and array.shape == (size,)
        and array.dtype in (np.float32, np.float64)
        and array.flags.c_contiguous
    ):
        raise ConfigurationError(
            f"the {what} of this Program are a contiguous float32 or float64 array of {size:,} values, such as "
            f"its model's, not {_described(array)}"
        )


def require_flat(array: Any, like: Array, what: str) -> None:
    """Check that a flat array can be written in place of another: its size and type, in one piece.

    Raises
    ------
    ConfigurationError
        If it cannot.
    """
    fits = isinstance(array, np.ndarray) and (array.shape, array.dtype) == (like.shape, like.dtype)
    if not (fits and array.flags.carray):
        raise ConfigurationError(
            f"{what} is a writable, contiguous {like.dtype} array of {like.size:,} values, such as "
            f"np.zeros_like(model.flat), not {_described(array)}"
        )


def require_smoothing(smoothing: Any) -> None:
    """Check a label smoothing; ConfigurationError if it is not a number from 0 to below 1."""
    if not (isinstance(smoothing, float | int) and 0 <= smoothing < 1):
        raise ConfigurationError(f"a label smoothing is a number from 0 to below 1, not {smoothing!r}")


def _described(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return f"a {type(value).__name__}"
    flags = "" if value.flags.carray else ", not contiguous and writable"
    return f"{value.dtype} of shape {value.shape}{flags}"
