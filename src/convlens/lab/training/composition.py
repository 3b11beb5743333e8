"""What a list of layers comes to: shapes, parameters, FLOPs, receptive fields; or what is wrong, and where."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ...errors import ConfigurationError
from ...memory import require
from ...nn.builder import ProgramBuilder
from ...nn.layers import Layer
from ...nn.serialize import layer_from_dict
from ...program import INPUT, Program, ReceptiveField
from ...typing import Shape

MOST_LAYERS = 100
_TOO_MANY = f"a network composed here has at most {MOST_LAYERS} layers; take some out"
_FLOAT = 4  # bytes


Place: TypeAlias = tuple[int, ...]
"""Where a layer stands: its position, from 0; within a branch that of the layer that has it comes before."""


@dataclass(frozen=True)
class ComposedLayer:
    """What a layer comes to: the image shape after it, its parameters and FLOPs, and what a pixel after it sees.

    A layer with a branch has those of the branch too.
    """

    place: Place
    shape: Shape
    parameters: int
    flops: int
    field: ReceptiveField

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        seen = "all" if self.field.everything else "scattered" if self.field.scattered else "window"
        window = {"size": [self.field.height, self.field.width], "stride": list(self.field.stride)}
        return {
            "place": list(self.place),
            "shape": list(self.shape),
            "parameters": self.parameters,
            "flops": self.flops,
            "sees": seen,
            **(window if seen == "window" else {}),
        }


@dataclass(frozen=True)
class Composition:
    """What a list of layers comes to.

    Attributes
    ----------
    layers
        Those before the one that is wrong, in the order in which they are computed; all, if none is.
    problem
        What is wrong, as a sentence; empty if the network can be trained.
    at
        The place of the layer that causes it; None if there is no layer.
    """

    layers: tuple[ComposedLayer, ...]
    problem: str = ""
    at: Place | None = None

    @property
    def outermost(self) -> list[ComposedLayer]:
        """Those that are in no branch."""
        return [one for one in self.layers if len(one.place) == 1]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        at = None if self.at is None else list(self.at)
        return {
            "layers": [one.to_dict() for one in self.layers],
            "parameters": sum(one.parameters for one in self.outermost),
            "flops": sum(one.flops for one in self.outermost),
            "problem": {"layer": at, "sentence": self.problem} if self.problem else None,
        }


@dataclass
class _Trace:
    """What is known of layers that are being lowered."""

    places: list[Place] = field(default_factory=list)  # of those begun; a node's `layer` is a position in this list
    values: dict[Place, str] = field(default_factory=dict)  # of those done
    blamed: Place | None = None


@dataclass(frozen=True)
class _Given(Layer):
    """A layer as plain data, read when it is lowered: so what is wrong is found where it stands, in a branch too."""

    data: Any
    place: Place
    trace: _Trace

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        outer, builder.layer = builder.layer, len(self.trace.places)
        self.trace.places.append(self.place)
        try:
            if len(self.trace.places) > MOST_LAYERS:
                self.trace.blamed = self.place[:1]
                raise ConfigurationError(_TOO_MANY)
            found = self._layer().lower(builder, value)
        except ConfigurationError:
            self.trace.blamed = self.trace.blamed or self.place  # the innermost one comes first
            raise
        builder.layer = outer
        self.trace.values[self.place] = found
        return found

    def _layer(self) -> Layer:
        branch = self.data.get("layers") if isinstance(self.data, Mapping) else None
        if not isinstance(branch, list) or not branch:
            return layer_from_dict(self.data)
        frame = layer_from_dict({**self.data, "layers": [{"layer": "ReLU"}]})
        within = tuple(_Given(one, (*self.place, i), self.trace) for i, one in enumerate(branch))
        return replace(frame, layers=within)  # type: ignore[call-arg] # what takes `layers` has them


def compose(layers: object, input_shape: Shape, classes: int) -> Composition:
    """Lower layers one after the other, as `convlens.nn.Model` does.

    Parameters
    ----------
    layers
        Plain data, a mapping for each layer: ``{"layer": "Conv2D", "filters": 16}``.
    input_shape
        (H, W, C) of the images.
    classes
        K: what the last layer has to give.

    Raises
    ------
    ConfigurationError
        If `layers` is no list, or has more than `MOST_LAYERS`; whatever is wrong with a layer is in the result.
    """
    builder, value, trace, problem = ProgramBuilder(input_shape), INPUT, _Trace(), ""
    for position, one in enumerate(_checked(layers)):
        try:
            value = _Given(one, (position,), trace).lower(builder, value)
        except ConfigurationError as error:
            problem = str(error)
            break
    found = Composition(tuple(_rows(builder.build(), trace)))
    if problem:
        return replace(found, problem=problem, at=trace.blamed)
    problem, at = _end(found, classes)
    return replace(found, problem=problem, at=at)


def layer_words(place: Place) -> str:
    """Return a place as a user counts: ``layer 4``, ``layer 4.2`` for the second one of its branch."""
    return f"layer {'.'.join(str(one + 1) for one in place)}"


def _checked(layers: object) -> list[Any]:
    if not isinstance(layers, list):
        raise ConfigurationError(f"layers are a list such as [{{'layer': 'Flatten'}}], not {layers!r}")
    if len(layers) > MOST_LAYERS:
        raise ConfigurationError(_TOO_MANY)
    return layers


def _rows(program: Program, trace: _Trace) -> list[ComposedLayer]:
    """Return what each layer comes to, by the value that it gives."""
    fields = program.receptive_fields()
    shapes = {INPUT: program.input_shape, **{node.name: node.output_shape for node in program.nodes}}
    owners = [(trace.places[node.layer], node) for node in program.nodes]
    rows = []
    for place, value in sorted(trace.values.items(), key=lambda one: (*one[0], math.inf)):
        nodes = [node for owner, node in owners if owner[: len(place)] == place]
        parameters, flops = sum(node.parameter_count for node in nodes), sum(node.flops for node in nodes)
        rows.append(ComposedLayer(place, shapes[value], parameters, flops, fields[value]))
    return rows


def _end(found: Composition, classes: int) -> tuple[str, Place | None]:
    """Return what is wrong with layers that fit together, and at which of them; empty if nothing is."""
    if not found.layers:
        return "there is no layer yet; add Flatten and Dense, for instance", None
    largest = max(found.layers, key=lambda one: (one.parameters, len(one.place)))
    try:
        count = sum(one.parameters for one in found.outermost)
        require(
            2 * _FLOAT * count, f"a network of {count:,} parameters", "choose fewer filters or units, or pool before"
        )
    except ConfigurationError as error:
        return str(error), largest.place
    last, shape = found.outermost[-1].place, found.outermost[-1].shape
    if len(shape) != 1:
        return (
            f"the network ends in {_said(shape)}, and a classifier ends in one score for each class: add Flatten and "
            f"Dense with {classes} units"
        ), last
    if shape[0] != classes:
        return f"the network ends in {shape[0]} scores, and the data have {classes} classes", last
    return "", None


def _said(shape: Shape) -> str:
    return f"maps of {' x '.join(map(str, shape))}"
