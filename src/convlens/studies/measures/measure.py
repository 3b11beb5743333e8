"""The interface of a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...data import Dataset
from ...errors import ConfigurationError, nearest
from ...nn import Model
from ...plain import check_keys
from ...typing import Array


@dataclass(frozen=True)
class Measured:
    """What a measure found: numbers and curves by name."""

    metrics: Mapping[str, float]
    curves: Mapping[str, Array] = field(default_factory=dict)


class Measure(Protocol):
    """A measurement on a trained network; its fields are its settings."""

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Measure."""


MEASURES: dict[str, type] = {}


def measure(settings: Mapping[str, Any], where: str = "measure") -> Measure:
    """Return the measure that settings describe; ConfigurationError if a name or a setting is unknown."""
    given = dict(settings)
    name = given.pop("name", None)
    if name not in MEASURES:
        raise ConfigurationError(f"{where}: unknown measure {name!r}{nearest(str(name), MEASURES)}")
    check_keys(MEASURES[name], given, where)
    made: Measure = MEASURES[name](**given)
    return made
