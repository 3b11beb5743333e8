"""The interface of a measure: settings, and a function from a trained network to numbers and curves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np

from ...data import Dataset, Examples
from ...errors import ConfigurationError, DataError, nearest
from ...nn import Model
from ...plain import plain
from ...program import Program
from ...typing import Array
from ..curve import Axis, Curve
from ..metric import Metric

Split: TypeAlias = Literal["test", "validation"]


@dataclass(frozen=True)
class Measured:
    """What a measure found: metrics by name, and curves, arrays by name."""

    metrics: Mapping[str, float]
    curves: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Measure(ABC):
    """Base of the measures. A measure only calls `convlens.lens`, and names what comes out.

    The part of a metric's name before the first dot is the measure's own, never a split's: what is measured on shifted
    images, for instance, cannot be paired with the predictions of the test set.

    Parameters
    ----------
    images
        How many images it is measured on: the first of the split.
    split
        ``"test"``, or ``"validation"`` where a choice depends on it.
    """

    images: int = 1000
    split: Split = "test"

    name: ClassVar[str]

    def __post_init__(self) -> None:
        self.require_count("images")
        if self.split not in get_args(Split):
            raise ConfigurationError(f"{self.name}: split is 'test' or 'validation', not {self.split!r}")

    @abstractmethod
    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Measure a model; the seed, the trial's own, is that of everything the measure draws.

        Raises
        ------
        ConfigurationError, DataError
            If the model or the data set does not have what the settings ask for.
        """

    def metrics(self, arms: Sequence[str] | None = None) -> tuple[Metric, ...]:
        """Return the metrics that every outcome has, for a study in which these arms are measured (None: all)."""
        return tuple(replace(one, arms=None if arms is None else tuple(arms)) for one in self._metrics())

    def curves(self, arms: Sequence[str] | None = None) -> tuple[Curve, ...]:
        """Return the curves likewise. Those along nodes are declared only where the settings name the nodes."""
        return tuple(replace(one, arms=None if arms is None else tuple(arms)) for one in self._curves())

    @abstractmethod
    def _metrics(self) -> tuple[Metric, ...]:
        """Return the metrics."""

    @abstractmethod
    def _curves(self) -> tuple[Curve, ...]:
        """Return the curves."""

    def to_dict(self) -> dict[str, Any]:
        """Return name and settings, defaults too, as plain JSON: the ``measure`` of a trial's configuration."""
        settings = {one.name: getattr(self, one.name) for one in fields(self)}
        found: dict[str, Any] = plain({"name": self.name, **settings}, f"measure {self.name!r}")
        return found

    def examples(self, dataset: Dataset) -> Examples:
        """Return the images measured; DataError if there are not as many as asked for."""
        return first(getattr(dataset, self.split), self.images, self.name)

    def require_count(self, *names: str) -> None:
        """Raise ConfigurationError unless these settings are whole numbers from 1 up."""
        for name in names:
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"{self.name}: {name} is a whole number from 1 up, not {value!r}")


def first(examples: Examples, count: int, what: str) -> Examples:
    """Return the first examples; DataError if there are fewer."""
    if len(examples) < count:
        raise DataError(
            f"{what} is measured on {count:,} images, and the {examples.name} set has {len(examples):,}; ask for fewer"
        )
    return examples.take(np.arange(count))


@dataclass(frozen=True)
class NodeMeasure(Measure):
    """Base of the measures of several nodes.

    Parameters
    ----------
    nodes
        Names of nodes, or pairs of a label and a name: ``[["block 1", "pool1"], ["block 2", "pool2"]]``, so that arms
        with different nodes share labels. They are kept as pairs: a list has an order, which canonical JSON keeps.
        Empty: all nodes that the measure can be taken of; then only what needs no label is a metric.
    """

    nodes: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        pairs = _pairs(self.nodes)
        if pairs is None or len({label for label, _ in pairs}) < len(pairs):
            raise ConfigurationError(
                f"{self.name}: nodes are different names, such as ['conv1', 'conv2'], or pairs of label and name, "
                f"not {self.nodes!r}"
            )
        object.__setattr__(self, "nodes", pairs)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in order."""
        return tuple(label for label, _ in self.nodes)

    @abstractmethod
    def default_nodes(self, program: Program) -> list[str]:
        """Return the names of all nodes of a Program that the measure can be taken of."""

    def labelled(self, program: Program) -> dict[str, str]:
        """Return the nodes by label; ConfigurationError if the Program has one of them not, or none at all."""
        known = ["input", *(node.name for node in program.nodes)]
        for _, name in self.nodes:
            if name not in known:
                raise ConfigurationError(f"{self.name}: the model has no node {name!r}{nearest(name, known)}")
        found = dict(self.nodes) or {name: name for name in self.default_nodes(program)}
        if not found:
            raise ConfigurationError(f"{self.name}: the model has no node that it can be measured of")
        return found

    def by_node(self, prefix: str, label: str, unit: str, **settings: Any) -> tuple[Metric, ...]:
        """Return a metric for each labelled node: ``"<prefix>_<label>"``."""
        return tuple(Metric(f"{prefix}_{one}", unit, f"{label}, {one}", **settings) for one in self.labels)

    def along_nodes(self, name: str, label: str, unit: str, *more: Axis) -> tuple[Curve, ...]:
        """Return a curve along the labelled nodes, and another axis if given; none without labels."""
        if not self.nodes:
            return ()
        return (Curve(name, label, unit, (Axis("node", self.labels), *more)),)


def _pairs(given: object) -> tuple[tuple[str, str], ...] | None:
    """Return names, or labels and names, as pairs; None if they are neither."""
    if not isinstance(given, list | tuple):
        return None
    pairs = [(one, one) if isinstance(one, str) else one for one in given]
    if not all(
        isinstance(one, list | tuple) and len(one) == 2 and all(_is_name(name) for name in one) for one in pairs
    ):
        return None
    return tuple((label, name) for label, name in pairs)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name)


def maps(program: Program) -> list[str]:
    """Return the names of the nodes whose values have positions."""
    fields = program.receptive_fields()
    return [
        node.name
        for node in program.nodes
        if len(node.output_shape) == 3 and node.output_shape[:2] != (1, 1) and not fields[node.name].scattered
    ]


def gain(values: Sequence[float]) -> float:
    """Return the last value minus the first."""
    return float(values[-1] - values[0])
