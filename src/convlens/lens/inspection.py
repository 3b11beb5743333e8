"""One image in one network: everything that this room can say about it, together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, ShapeError
from ..nn import Model
from ..ops.activation import softmax
from ..program import INPUT, Node, Program
from ..typing import Array, FloatArray
from .attribution import ATTRIBUTIONS, Attribution, attribution
from .equivariance import Equivariance, equivariance
from .result import Result, Table, share
from .shift import ImageShifts, blank, over_shifts, shifted
from .unit import UnitArithmetic, unit
from .values import activations, checked, filters

SHIFT, REACH = (0, 3), 8  # pixels
_SQUARES = 2_500  # of one occlusion map, at most: above images of 50 x 50 pixels they are more than a pixel apart
_DIGITS = 6  # significant ones of values that are written


@dataclass(frozen=True, eq=False)
class Inspection(Result):
    """What a network makes of one image.

    Attributes
    ----------
    class_names
        Names of the K classes.
    target
        The class that attributions and shifts are about.
    probabilities
        (K,).
    values, moved
        The value of every node, without N, the input's first; and those of the image shifted as in `equivariance`.
    filters
        As `convlens.lens.filters` gives them.
    strongest
        The arithmetic of the unit that is most active in the last convolution, or without one in the first dense
        layer; None if the network has neither.
    attributions
        Every one that the network allows.
    left_out
        The others: why not, by name.
    equivariance
        Of every node, under one shift.
    shifts
        The probabilities at every shift.
    """

    class_names: tuple[str, ...]
    target: int
    probabilities: FloatArray
    values: Mapping[str, FloatArray]
    moved: Mapping[str, FloatArray]
    filters: Mapping[str, Array]
    strongest: UnitArithmetic | None
    attributions: tuple[Attribution, ...]
    left_out: Mapping[str, str]
    equivariance: Equivariance
    shifts: ImageShifts

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data; values of nodes have six significant digits, and those moved are left out."""
        strongest = self.strongest
        sums = {} if strongest is None else {"products": strongest.products.tolist(), "total": strongest.total}
        return {
            "class_names": list(self.class_names),
            "target": self.target,
            "probabilities": self.probabilities.tolist(),
            "values": {name: _shortened(one) for name, one in self.values.items()},
            "filters": {name: _shortened(one) for name, one in self.filters.items()},
            "strongest": None if strongest is None else {**strongest.to_dict(), **sums},
            "attributions": {one.method: one.to_dict() for one in self.attributions},
            "left_out": dict(self.left_out),
            "equivariance": self.equivariance.to_dict(),
            "shifts": {**self.shifts.to_dict(), "predicted": self.shifts.predicted.tolist()},
        }

    def table(self) -> Table:
        errors = {one.node: one for one in self.equivariance.nodes}
        rows = [
            (
                name,
                " x ".join(map(str, one.shape)),
                f"{one.min():.4g}",
                f"{one.max():.4g}",
                share(float((one != 0).mean()), 1),
                share(errors[name].error),
            )
            for name, one in self.values.items()
        ]
        shift = "{}, {}".format(*self.equivariance.shift)
        header = ("value", "shape", "least", "largest", "not 0", f"error under a shift by {shift}")
        return f"one image, seen as {self.class_names[self.target]}", header, rows


def _shortened(values: Array) -> Any:
    return np.reshape([float(f"{one:.{_DIGITS}g}") for one in values.ravel().tolist()], values.shape).tolist()


def inspect(
    model: Model,
    image: npt.ArrayLike,
    target: int | None = None,
    *,
    shift: tuple[int, int] = SHIFT,
    reach: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Inspection:
    """Look at one image in one network: values, filters, a unit, attributions, and what becomes of it when it moves.

    Parameters
    ----------
    model
        Any model.
    image
        (H, W, C), or (1, H, W, C): as for `Model.logits`.
    target
        The class that attributions are about; the most probable one, if None.
    shift
        (dy, dx) in pixels, for equivariance.
    reach
        How far the image is moved to every side; 8 pixels, or as far as the image allows, if None.
    progress
        Called with what is being computed, in a line.

    Raises
    ------
    ConfigurationError
        If there is no such class, or shift or reach do not fit the image.
    DataError, ShapeError
        If the image is not as for `Model.logits`, or there are several.

    Examples
    --------
    >>> from convlens import lens, models
    >>> found = lens.inspect(models.build("baseline"), np.full((28, 28, 1), 99, np.uint8), reach=1)
    >>> [one.method for one in found.attributions], found.left_out
    (['occlusion', 'gradient', 'integrated-gradients'], {'grad-cam': 'it needs the maps of a convolution'})
    """
    batch = checked(model, image)
    if len(batch) != 1:
        raise ShapeError(f"one image is looked at, not {len(batch):,}")
    logits = model.logits(batch)
    class_ = int(logits.argmax()) if target is None else _checked_class(target, model)
    errors = equivariance(model, batch, shift)
    names = [INPUT, *(node.name for node in model.program.nodes)]
    moved = shifted(batch, *errors.shift, blank(model, batch))
    values, others = ({name: one[0] for name, one in activations(model, one, names).items()} for one in (batch, moved))
    usable = [name for name in ATTRIBUTIONS if name != "grad-cam" or _convolutions(model.program)]
    furthest = min(REACH, min(batch.shape[1:3]) - 1)
    attributions = []
    for number, name in enumerate(usable, 1):
        if progress is not None:
            progress(f"attribution {number}/{len(usable)}: {name}")
        attributions.append(attribution(model, batch, name, class_, **_settings(name, batch)))
    return Inspection(
        class_names=model.class_names,
        target=class_,
        probabilities=softmax(logits)[0],
        values=values,
        moved=others,
        filters=filters(model),
        strongest=_strongest(model, batch, values),
        attributions=tuple(attributions),
        left_out={name: "it needs the maps of a convolution" for name in ATTRIBUTIONS if name not in usable},
        equivariance=errors,
        shifts=over_shifts(model, batch, furthest if reach is None else reach),
    )


def _settings(method: str, batch: Array) -> dict[str, Any]:
    """Return the settings with which a method takes seconds on an image of any size."""
    stride = math.ceil(math.sqrt(batch.shape[1] * batch.shape[2] / _SQUARES))
    if method != "occlusion" or stride == 1:
        return {}
    return {"stride": stride, "size": max(5, stride + 1 - stride % 2)}  # squares that leave no gap


def _checked_class(target: int, model: Model) -> int:
    if type(target) is not int or not 0 <= target < model.classes:
        raise ConfigurationError(f"a class is a number from 0 to {model.classes - 1}, not {target!r}")
    return target


def _convolutions(program: Program) -> list[Node]:
    """Return the convolutions, shared or not, whose maps have more than one pixel."""
    return [
        node
        for node in program.nodes
        if node.op in ("conv2d", "local2d") and min(node.output_shape[:2]) > 1
    ]  # fmt: skip


def _strongest(model: Model, batch: Array, values: Mapping[str, FloatArray]) -> UnitArithmetic | None:
    """Return the arithmetic of the most active unit of the last convolution, or of the first dense layer."""
    dense = [node for node in model.program.nodes if node.op == "dense"]
    chosen = (_convolutions(model.program)[-1:] or dense[:1])[:1]
    if not chosen:
        return None
    name = chosen[0].name
    place = np.unravel_index(int(values[name].argmax()), values[name].shape)
    return unit(model, batch, name, tuple(map(int, place)))
