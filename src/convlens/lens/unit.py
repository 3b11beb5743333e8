"""One unit: which pixels of the input it sees, and its arithmetic, number by number.

Every op but the activations is a weighted sum of what a unit reads, plus a bias::

    value = sum over the patch of (patch * kernel) + bias

A convolution reads its window, padding included, and its kernel are its weights. For the others the kernel is: of a
maximum, 1 at the largest value and 0 elsewhere; of a mean, 1 over the number of values; of a blur, binomial weights; of
a batch normalisation, gamma / sqrt(variance + epsilon), with bias beta - mean * kernel; of a sum of branches, ones. An
activation is applied to one such value, and is told with it; if it follows none, its kernel is its value over what it
reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, ShapeError
from ..nn import Model
from ..ops.pool import binomial
from ..ops.window import Window
from ..program import INPUT, Node, Program
from ..typing import FloatArray
from .result import Result, Table
from .values import activations, checked, find, shape_of

ACTIVATIONS = ("relu", "tanh")
_ROWS = 5  # of the table: the products that add most
Place = tuple[int, ...]


@dataclass(frozen=True)
class Field:
    """A rectangle of an image: the rows from `top` to before `bottom`, the columns from `left` to before `right`."""

    top: int
    left: int
    bottom: int
    right: int

    def through(self, window: Window, height: int, width: int) -> Field:
        """Return what a rectangle of outputs of a window reads of its input (height, width): padding is not of it."""
        top, bottom = _read(window, 0, (self.top, self.bottom), height)
        left, right = _read(window, 1, (self.left, self.right), width)
        return Field(top, left, bottom, right)

    def joined(self, other: Field | None) -> Field:
        """Return the smallest rectangle that holds both."""
        if other is None:
            return self
        return Field(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )


def _read(window: Window, axis: int, outputs: tuple[int, int], size: int) -> tuple[int, int]:
    """Return which of `size` pixels along an axis a range of outputs reads: first, and after the last."""
    stride, before = window.stride[axis], (window.rows, window.columns)[axis][0]
    first, end = outputs[0] * stride - before, (outputs[1] - 1) * stride - before + window.kernel[axis]
    if window.mode == "reflect":  # pixel -i is pixel i, and pixel size - 1 + i is pixel size - 1 - i
        first, end = min(first, 2 * size - 1 - end), max(end, 1 - first)
    return max(first, 0), min(end, size)


@dataclass(frozen=True, eq=False)
class UnitArithmetic(Result):
    """One unit's value, and how it comes about. In what follows, P is the shape of the patch.

    Attributes
    ----------
    node, op
        The node that computes the weighted sum: its name, and what it does.
    place
        The unit: (row, column, channel), or (number,) of a flat value.
    reads
        Names of the values that it reads.
    patch
        (KH, KW, C_in) or (D,): what it reads. Padding is in it, as 0 or as the reflected pixel.
    kernel
        P: by what that is multiplied.
    bias
        What is added.
    value
        The network's value: the sum of the products and of the bias, up to rounding.
    activation
        The node that applies a function to this value alone; None if there is none.
    activated
        Its value.
    sees
        The rectangle of the input that the unit sees, (top, left, bottom, right); bottom and right are the first row
        and column beyond it.
    """

    node: str
    op: str
    place: Place
    reads: tuple[str, ...]
    patch: FloatArray
    kernel: FloatArray
    bias: float
    value: float
    activation: str | None
    activated: float | None
    sees: tuple[int, int, int, int]

    @property
    def products(self) -> FloatArray:
        """P, float64: patch times kernel."""
        found: FloatArray = self.patch.astype(np.float64) * self.kernel
        return found

    @property
    def total(self) -> float:
        """The sum of the products and of the bias, in float64."""
        return float(self.products.sum()) + self.bias

    def table(self) -> Table:
        products, flat = self.products, np.argsort(-np.abs(self.products), axis=None)[:_ROWS]
        rows: list[tuple[object, ...]] = []
        for place in zip(*np.unravel_index(flat, products.shape), strict=True):
            numbers = (f"{one[place]:.4g}" for one in (self.patch, self.kernel, products))
            rows.append((", ".join(map(str, map(int, place))), *numbers))
        rest = float(products.sum() - products.ravel()[flat].sum())
        rows += [(f"{products.size - len(flat)} others", "", "", f"{rest:.4g}"), ("bias", "", "", f"{self.bias:.4g}")]
        rows.append((f"value of {self.node}", "", "", f"{self.value:.4g}"))
        if self.activation is not None:
            rows.append((f"value of {self.activation}", "", "", f"{self.activated:.4g}"))
        title = f"unit {', '.join(map(str, self.place))} of {self.node}"
        return title, ("place in the patch", "reads", "times", "gives"), rows


def unit(model: Model, image: npt.ArrayLike, node: str, place: int | Place) -> UnitArithmetic:
    """Return how one unit's value comes about.

    Parameters
    ----------
    model
        Any model.
    image
        (H, W, C), or (1, H, W, C): as for `Model.logits`.
    node
        Name of a node. Of an activation, the node before it is told, and the activation with it.
    place
        (row, column, channel) in the node's map; of a flat value, a unit's number.

    Raises
    ------
    ConfigurationError
        If there is no such node or unit; the message names the nearest node, or the node's shape.
    DataError, ShapeError
        If the image is not as for `Model.logits`, or there are several.

    Examples
    --------
    >>> from convlens import lens, models
    >>> found = lens.unit(models.build("cnn"), np.full((28, 28, 1), 255, np.uint8), "pool1", (0, 3, 5))
    >>> found.reads, found.patch.shape, found.sees
    (('relu1',), (2, 2, 1), (0, 5, 3, 9))
    """
    batch = checked(model, image)
    if len(batch) != 1:
        raise ShapeError(f"the arithmetic of a unit is that for one image, not for {len(batch):,}")
    asked = find(model.program, node)
    where = _checked_place(asked, place)
    told, after = _told(model.program, asked)
    names = {*told.inputs, told.name, *([] if after is None else [after.name])}
    values = {name: one[0] for name, one in activations(model, batch, names).items()}
    patch, kernel, bias = _weighted(model, told, values, where)
    field = seen_by(model.program, told.name, where)
    return UnitArithmetic(
        node=told.name,
        op=told.op,
        place=where,
        reads=told.inputs,
        patch=patch,
        kernel=kernel,
        bias=bias,
        value=float(values[told.name][where]),
        activation=None if after is None else after.name,
        activated=None if after is None else float(values[after.name][where]),
        sees=(field.top, field.left, field.bottom, field.right),
    )


def _checked_place(node: Node, place: object) -> Place:
    """Return a unit's place as a tuple; ConfigurationError if the node has no such unit."""
    given = (place,) if isinstance(place, int | np.integer) else place
    if isinstance(given, tuple | list) and all(
        isinstance(one, int | np.integer) and not isinstance(one, bool) for one in given
    ):
        found = tuple(map(int, given))
        if len(found) == len(node.output_shape) and all(
            0 <= one < size for one, size in zip(found, node.output_shape, strict=True)
        ):
            return found
    wanted = "its number" if len(node.output_shape) == 1 else "(row, column, channel)"
    raise ConfigurationError(
        f"a unit of {node.name!r}, of shape {node.output_shape}, is {wanted} within that, not {place!r}"
    )


def _told(program: Program, asked: Node) -> tuple[Node, Node | None]:
    """Return the node whose weighted sum is told, and the activation with it: the one asked for, or the only reader."""
    if asked.op in ACTIVATIONS:
        before = None if asked.inputs[0] == INPUT else find(program, asked.inputs[0])
        return (asked, None) if before is None or before.op in ACTIVATIONS else (before, asked)
    readers = program.consumers(asked.name)
    return asked, readers[0] if len(readers) == 1 and readers[0].op in ACTIVATIONS else None


def _weighted(
    model: Model, node: Node, values: Mapping[str, FloatArray], place: Place
) -> tuple[FloatArray, FloatArray, float]:
    """Return (patch, kernel, bias) of a unit: patch and kernel have one shape."""
    x = values[node.inputs[0]]
    parameters = {key: model.parameters[slot.name] for key, slot in node.parameters.items()}
    if node.op == "dense":
        return x, parameters["w"][:, place[0]], float(parameters["b"][place])
    if node.op in ("conv2d", "local2d"):
        w, b = parameters["w"], parameters["b"]
        own = (w, b) if node.op == "conv2d" else (w[place[0], place[1]], b[place[0], place[1]])
        return _patch(node.window, x, place), own[0][..., place[2]], float(own[1][place[2]])
    if node.op.endswith("_pool2d"):
        patch = _patch(node.window, x[..., place[2] : place[2] + 1], place)
        return patch, _pooling_weights(node, patch), 0.0
    if node.op == "batch_norm":
        return _normalised(model, node, x, place)
    if node.op == "reshape":
        return np.array([x.reshape(node.output_shape)[place]]), np.ones(1, x.dtype), 0.0
    if node.op in ACTIVATIONS:
        ratio = values[node.name][place] / x[place] if x[place] else 0.0
        return np.array([x[place]]), np.array([ratio]), 0.0
    patch = np.array([values[name][place] for name in node.inputs])  # a sum of branches, or dropout, which does nothing
    return patch, np.ones(len(patch), x.dtype), 0.0


def _patch(window: Window, x: FloatArray, place: Place) -> FloatArray:
    """Return what a unit's window reads of an image (H, W, C): (KH, KW, C)."""
    found: FloatArray = window.patches(window.pad(x[None]))[0, place[0], place[1]].copy()
    return found


def _pooling_weights(node: Node, patch: FloatArray) -> FloatArray:
    """Return the kernel (KH, KW, 1) of a pooling."""
    if node.op == "max_pool2d":
        weights = np.zeros_like(patch)
        weights.flat[int(patch.argmax())] = 1  # the first of equals, as the op takes it
        return weights
    if node.op == "blur_pool2d":
        return binomial(node.window, patch.dtype)[..., None]
    return np.full_like(patch, 1 / math.prod(node.window.kernel))


def _normalised(model: Model, node: Node, x: FloatArray, place: Place) -> tuple[FloatArray, FloatArray, float]:
    """Return (patch, kernel, bias) of a batch normalisation, as in prediction; the last axis is the channels'."""
    channel = place[-1]
    gamma, beta = (float(model.parameters[node.parameters[key].name][channel]) for key in ("gamma", "beta"))
    mean, variance = (float(model.buffers[node.buffers[key].name][channel]) for key in ("mean", "variance"))
    scale = gamma / math.sqrt(variance + node.attributes["epsilon"])
    return np.array([x[place]]), np.array([scale]), beta - mean * scale


def seen_by(program: Program, node: str, place: Place) -> Field:
    """Return which rectangle of the input a unit sees; all of it after a layer that sees all.

    Followed back through the windows of the Program, at the edges too. Where branches meet, it is the smallest
    rectangle that holds what each sees.
    """
    height, width = program.input_shape[:2]
    everything = Field(0, 0, height, width)
    last = find(program, node)
    if len(last.output_shape) != 3:
        return everything
    fields: dict[str, Field] = {node: Field(place[0], place[1], place[0] + 1, place[1] + 1)}
    for one in reversed(program.nodes[: program.nodes.index(last) + 1]):
        field = fields.pop(one.name, None)
        if field is None:
            continue
        for name in one.inputs:
            before = shape_of(program, name)
            if isinstance(one.sight, Window):
                fields[name] = field.through(one.sight, *before[:2]).joined(fields.get(name))
            elif one.sight == "point" and before[:2] == one.output_shape[:2] and len(before) == 3:
                fields[name] = field.joined(fields.get(name))
            else:  # it sees all, or positions have no meaning
                return everything
    return fields.get(INPUT, everything)
