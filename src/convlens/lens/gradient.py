"""The derivative of any value inside a network with respect to its input, or to any value before it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..engine import interpreter
from ..engine.blas import single_threaded_blas
from ..engine.engines import BLOCK_BYTES
from ..errors import ConfigurationError, ShapeError
from ..nn import Model
from ..program import INPUT
from ..typing import Array, FloatArray, Shape
from .values import checked, find, in_order, prepared, shape_of

Unit: TypeAlias = "int | tuple[int, ...] | npt.ArrayLike"

_COPIES = 4  # of every value, about, that forward and backward keep at the same time


def input_gradient(model: Model, images: npt.ArrayLike, unit: Unit, node: str | None = None) -> FloatArray:
    """Return the derivative of a unit, or of a weighted sum of units, with respect to the network's input.

    With v the value of the node and w the weights (1 for the unit asked for, else 0), it is the derivative of
    sum over units of w * v, for every image on its own, by the chain rule (`convlens.engine.interpreter.backward`), as
    in prediction: dropout does nothing, and batch normalisation uses its running statistics. Where a ReLU or a maximum
    has no derivative it is the interpreter's: 0 at a ReLU's 0, and the first of equal maxima.

    The network's input is the *prepared* image. A pixel p becomes (p * scale - mean) / deviation, so the derivative
    with respect to a pixel of 0..255 is this one times ``preprocessing.scale / preprocessing.deviation``.

    It is computed in float64, and returned in the type of the model's parameters: the last bits of a float64 product
    vary between processors, and rounding to float32 removes them (all but surely: one value in some 10^8 may lie so
    close to the middle of two).

    Parameters
    ----------
    model
        Any model.
    images
        (N, H, W, C), as for `Model.logits`.
    unit
        Number of a unit of a flat value, such as a class; (row, column, channel) of an image value; or an array of
        weights of the value's shape, the same for all images, or (N, *shape), those of each.
    node
        Whose value it is; the output, the logits, if None.

    Returns
    -------
    FloatArray
        (N, H, W, C).

    Raises
    ------
    ConfigurationError
        If node or unit is unknown.
    ShapeError
        If weights have another shape.

    Examples
    --------
    >>> from convlens import lens, models
    >>> lens.input_gradient(models.build("cnn"), np.zeros((2, 28, 28, 1), np.uint8), (3, 3, 0), "pool1").shape
    (2, 28, 28, 1)
    """
    return value_gradient(model, images, unit, node)


def value_gradient(
    model: Model, images: npt.ArrayLike, unit: Unit, node: str | None = None, of: str = INPUT
) -> FloatArray:
    """Return the derivative of a unit, or of a weighted sum of units, with respect to a value before it.

    As `input_gradient`, which is this for the prepared images.

    Parameters
    ----------
    model, images, unit, node
        As for `input_gradient`.
    of
        Name of the value that the derivative is with respect to. If the unit does not depend on it, the derivative is
        0.

    Returns
    -------
    FloatArray
        (N, *shape), with the shape of the value `of`.

    Raises
    ------
    ConfigurationError
        If a node or the unit is unknown.
    ShapeError
        If weights have another shape.

    Examples
    --------
    >>> from convlens import lens, models
    >>> lens.value_gradient(models.build("cnn"), np.zeros((2, 28, 28, 1), np.uint8), 3, of="pool2").shape
    (2, 7, 7, 32)
    """
    batch = checked(model, images)
    name = model.program.output if node is None else node
    weights = _weights(unit, find(model.program, name).output_shape, len(batch), name)
    in_order(model.program, [of])
    size = max(1, BLOCK_BYTES // (_COPIES * 8 * interpreter.values_of(model.program)))
    found = np.empty((len(batch), *shape_of(model.program, of)), model.flat.dtype)
    with single_threaded_blas():
        for start in range(0, len(batch), size):
            part = slice(start, start + size)
            found[part] = _derivative(model, batch[part], weights if len(weights) == 1 else weights[part], name, of)
    return found


def _derivative(model: Model, batch: Array, weights: FloatArray, name: str, of: str) -> FloatArray:
    """Return the derivative for a block of images, in float64."""
    flat, buffers = model.flat.astype(np.float64), model.flat_buffers.astype(np.float64)
    x = prepared(model, batch).astype(np.float64)
    tape = interpreter.forward(model.program, flat, x, interpreter.Context(buffers))
    dy = np.broadcast_to(weights, tape.values[name].shape)
    return interpreter.backward(model.program, tape, dy, np.empty_like(flat), start=name, end=of)


def _weights(unit: Unit, shape: Shape, images: int, name: str) -> FloatArray:
    """Return the weights of a value's units, (1, *shape) or (N, *shape)."""
    place = (unit,) if isinstance(unit, int | np.integer) and not isinstance(unit, bool) else unit
    if isinstance(place, tuple) and all(isinstance(one, int | np.integer) for one in place):
        if len(place) != len(shape) or not all(0 <= one < size for one, size in zip(place, shape, strict=True)):
            wanted = "its number" if len(shape) == 1 else "(row, column, channel)"
            raise ConfigurationError(f"a unit of {name!r}, of shape {shape}, is {wanted} within that, not {unit!r}")
        weights = np.zeros((1, *shape))
        weights[(0, *place)] = 1
        return weights
    given: FloatArray = np.asarray(unit, np.float64)
    if given.shape == shape:
        return given[None]
    if given.shape == (images, *shape):
        return given
    raise ShapeError(f"weights of the units of {name!r} have shape {shape} or {(images, *shape)}, not {given.shape}")
