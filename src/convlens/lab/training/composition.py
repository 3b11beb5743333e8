"""What a list of layers comes to: shapes, parameters, FLOPs, receptive fields; or what is wrong, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import ConfigurationError
from ...memory import require
from ...nn.builder import ProgramBuilder
from ...nn.serialize import layer_from_dict
from ...program import INPUT, Program, ReceptiveField
from ...typing import Shape

MOST_LAYERS = 100
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class ComposedLayer:
    """What a layer comes to: the image shape after it, its own parameters and FLOPs, and what a pixel after it sees."""

    shape: Shape
    parameters: int
    flops: int
    field: ReceptiveField

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        seen = "all" if self.field.everything else "scattered" if self.field.scattered else "window"
        window = {"size": [self.field.height, self.field.width], "stride": list(self.field.stride)}
        return {
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
        Those before the one that is wrong; all, if none is.
    problem
        What is wrong, as a sentence; empty if the network can be trained.
    at
        The position of the layer that causes it, from 0; None if there is no layer.
    """

    layers: tuple[ComposedLayer, ...]
    problem: str = ""
    at: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "layers": [one.to_dict() for one in self.layers],
            "parameters": sum(one.parameters for one in self.layers),
            "flops": sum(one.flops for one in self.layers),
            "problem": {"layer": self.at, "sentence": self.problem} if self.problem else None,
        }


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
    given = _checked(layers)
    builder, value, done = ProgramBuilder(input_shape), INPUT, list[str]()
    problem = ""
    for position, one in enumerate(given):
        builder.layer = position
        try:
            value = layer_from_dict(one).lower(builder, value)
        except ConfigurationError as error:
            problem = str(error)
            break
        except RecursionError:
            problem = "layers are nested too deeply; take some out of the others"
            break
        done.append(value)
    program = builder.build()
    found = Composition(tuple(_rows(program, done)))
    if problem:
        return replace(found, problem=problem, at=len(done))
    problem, at = _end(found, classes)
    return replace(found, problem=problem, at=at)


def _checked(layers: object) -> list[Any]:
    if not isinstance(layers, list):
        raise ConfigurationError(f"layers are a list such as [{{'layer': 'Flatten'}}], not {layers!r}")
    if len(layers) > MOST_LAYERS:
        raise ConfigurationError(f"a network composed here has at most {MOST_LAYERS} layers, not {len(layers)}")
    return layers


def _rows(program: Program, values: list[str]) -> list[ComposedLayer]:
    """Return what each layer comes to, by the value that it gives."""
    fields = program.receptive_fields()
    shapes = {INPUT: program.input_shape, **{node.name: node.output_shape for node in program.nodes}}
    rows = []
    for position, value in enumerate(values):
        nodes = [node for node in program.nodes if node.layer == position]
        parameters, flops = sum(node.parameter_count for node in nodes), sum(node.flops for node in nodes)
        rows.append(ComposedLayer(shapes[value], parameters, flops, fields[value]))
    return rows


def _end(found: Composition, classes: int) -> tuple[str, int | None]:
    """Return what is wrong with layers that fit together, and at which of them; empty if nothing is."""
    if not found.layers:
        return "there is no layer yet; add Flatten and Dense, for instance", None
    largest = max(range(len(found.layers)), key=lambda place: found.layers[place].parameters)
    try:
        count = sum(one.parameters for one in found.layers)
        require(
            2 * _FLOAT * count, f"a network of {count:,} parameters", "choose fewer filters or units, or pool before"
        )
    except ConfigurationError as error:
        return str(error), largest
    last, shape = len(found.layers) - 1, found.layers[-1].shape
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
