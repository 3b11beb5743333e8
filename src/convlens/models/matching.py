"""Making two models comparable: as many parameters, FLOPs or units, or as large a receptive field.

`match` is the one solver. It varies whole numbers of an architecture, such as its filters, and says how close it came.
What it varies decides what the comparison means: CNNs of different kernel sizes whose *last* block differs in filters
also differ in the input of their dense layer, which holds nearly all of their parameters. So leave the last block as
it is, and vary the first::

    match(lambda filters: CNN(7, (filters, 32)), CNN(), "flops", to="3x3")

With the dense layer fixed, FLOPs and parameters of the convolutions go together: matched in one, the networks nearly
match in the other as well.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from ..errors import ConfigurationError, nearest
from ..nn.model import lower
from ..plain import check_keys, check_name
from ..program import Program
from ..typing import Shape
from .architectures import Architecture, DenseNet

Measure: TypeAlias = Literal["parameters", "flops", "receptive field"]
_Net = TypeVar("_Net", bound=Architecture)


@dataclass(frozen=True)
class Matched:
    """What was matched, and how close it came.

    Parameters
    ----------
    measure
        ``"parameters"``, ``"flops"`` or ``"receptive field"``; see `measure`.
    to
        What it was matched to: ``"cnn"``.
    wanted, got
        The value there, and the value here.
    """

    measure: Measure
    to: str
    wanted: int
    got: int

    def __post_init__(self) -> None:
        check_measure(self.measure)
        check_name(self.to, "what is matched")
        if self.wanted < 1 or self.got < 1:
            raise ConfigurationError(f"matched values are above 0, not {self.wanted} and {self.got}")

    @property
    def ratio(self) -> float:
        """The value here over the value there; 1 for an exact match."""
        return self.got / self.wanted

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Matched:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "matched")
        return cls(**given)


def check_measure(measure: object) -> None:
    """Raise ConfigurationError, which names the nearest right one, unless networks can be matched in this."""
    if measure not in get_args(Measure):
        raise ConfigurationError(f"cannot match the measure {measure!r}{nearest(str(measure), get_args(Measure))}")


@cache
def measure(architecture: Architecture, what: Measure, input_shape: Shape, classes: int) -> int:
    """Return the size of an architecture in one measure.

    Parameters
    ----------
    architecture
        For images of shape `input_shape`, (H, W, C), and this number of classes.
    what
        ``"parameters"``; ``"flops"``, forward, for one image; or ``"receptive field"``: how much of the input one pixel
        of the last image sees, before the dense layers or global pooling: the longer side, in pixels.

    Raises
    ------
    ConfigurationError
        If there is no such measure.
    ShapeError
        If the layers do not fit the images.
    """
    check_measure(what)
    program = lower(architecture.layers(classes), input_shape)
    if what == "receptive field":
        return _receptive_field(program)
    return program.parameter_count if what == "parameters" else program.flops


def match(
    of: Callable[..., _Net],
    target: Architecture,
    what: Measure,
    *,
    to: str = "",
    free: Sequence[range] = (range(1, 10_001),),
    input_shape: Shape = (28, 28, 1),
    classes: int = 10,
) -> tuple[_Net, Matched]:
    """Return the architecture nearest to another in a measure, and how close it came.

    Parameters
    ----------
    of
        Makes an architecture of the free numbers: widths, a kernel size, a number of layers.
    target, what
        The other architecture, and the measure; see `measure`.
    to
        What the target is called; by default, its architecture's name.
    free
        The values of each free number. The measure must not fall as the last of them rises: it is found by bisection
        for each combination of the others, all of which are tried.
    input_shape, classes
        Those of the data.

    Raises
    ------
    ConfigurationError
        If there is no such measure, or nothing is free.

    Examples
    --------
    >>> from convlens.models import CNN
    >>> found, matched = match(lambda filters: CNN(7, (filters, 32)), CNN(), "flops", to="3x3")
    >>> found.filters, round(matched.ratio, 3)
    ((3, 32), 1.017)
    """
    if not free or not all(free):
        raise ConfigurationError(f"match: free is a range of values for each free number, not {free!r}")
    wanted, *others = measure(target, what, input_shape, classes), *free[:-1]

    def value(numbers: tuple[int, ...]) -> int:
        return measure(of(*numbers), what, input_shape, classes)

    candidates: list[tuple[int, ...]] = []
    for fixed in itertools.product(*others):
        place = bisect_left(free[-1], wanted, key=lambda last, fixed=fixed: value((*fixed, last)))  # type: ignore[misc]
        candidates += [(*fixed, last) for last in free[-1][max(0, place - 1) : place + 1]]
    best = min(candidates, key=lambda numbers: abs(value(numbers) - wanted))
    return of(*best), Matched(what, to or target.name, wanted, value(best))


def dense_of(network: Architecture, input_shape: Shape = (28, 28, 1), classes: int = 10) -> DenseNet:
    """Return the dense net whose layers have as many units as the network's have values: each now sees everything.

    A convolution without weight sharing is such a layer with most of its weights fixed at zero. Between the two, only
    locality differs.

    Examples
    --------
    >>> from convlens.models import CNN
    >>> dense_of(CNN(pooling="strided"))
    DenseNet(hidden=(3136, 1568, 128))
    """
    program = lower(network.layers(classes), input_shape)
    return DenseNet(tuple(math.prod(node.output_shape) for node in program.nodes if node.op == "relu"))


def _receptive_field(program: Program) -> int:
    fields = program.receptive_fields()
    images = [node for node in program.nodes if len(node.output_shape) == 3 and node.output_shape[:2] != (1, 1)]
    seen = [fields[node.name] for node in images if not (fields[node.name].everything or fields[node.name].scattered)]
    return max((max(field.height, field.width) for field in seen), default=1)
