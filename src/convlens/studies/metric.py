"""What a trial measures: name, unit, resolution, and whether it varies with repetition or with the seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..errors import ConfigurationError
from ..plain import check_keys, check_name


@dataclass(frozen=True)
class Metric:
    """A number that every trial of its arms must report.

    Parameters
    ----------
    name
        As in an outcome: ``"test.accuracy"``.
    unit
        ``"fraction"`` (shown in per cent), ``"difference of fractions"`` (shown in points), ``"count"``, ``"FLOP"``,
        ``"s"``, ``"images/s"``, or any other string.
    label
        Its name in tables; `name` if empty.
    resolution
        The smallest step between two values, in the unit: one image of 10,000 is 1e-4. None if there is no smallest
        step.
    deterministic
        Whether a repetition gives the same value to the last bit; seconds do not.
    constant
        Whether it is the same under every seed by construction, such as a number of parameters. Test accuracy is
        deterministic and not constant. Only what is constant is decided where all seeds give one value.
    folds
        For repeated cross-validation, where a trial is one repeat and its value the mean over the folds: name of the
        curve, shape (folds,), with the value of each fold. Then intervals have the correction of Nadeau and Bengio.
    arms
        Names of the arms that must report it; None for all.
    """

    name: str
    unit: str
    label: str = ""
    resolution: float | None = None
    deterministic: bool = True
    constant: bool = False
    folds: str | None = None
    arms: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "a metric")
        check_name(self.unit, "a unit")
        object.__setattr__(self, "label", self.label or self.name)
        if self.resolution is not None and not (math.isfinite(self.resolution) and self.resolution > 0):
            raise ConfigurationError(f"metric {self.name!r}: resolution is above 0, or None, not {self.resolution}")
        if self.constant and (not self.deterministic or self.folds is not None):
            raise ConfigurationError(f"metric {self.name!r} is constant, so it is deterministic and has no folds")
        if self.arms is not None:
            object.__setattr__(self, "arms", tuple(self.arms))

    def is_of(self, arm: str) -> bool:
        """Return whether the arm of that name must report it."""
        return self.arms is None or arm in self.arms

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**asdict(self), "arms": None if self.arms is None else list(self.arms)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Metric:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "metric")
        return cls(**given)


def of_arms(metrics: Iterable[Metric], arms: Iterable[str]) -> tuple[Metric, ...]:
    """Return metrics that these arms must report, and no others."""
    names = tuple(arms)
    return tuple(replace(metric, arms=names) for metric in metrics)


def joined(*groups: Iterable[Metric]) -> tuple[Metric, ...]:
    """Return the metrics of several groups of arms; one that is in several groups is of the arms of all of them.

    Raises
    ------
    ConfigurationError
        If two metrics of one name differ in more than their arms.
    """
    found: dict[str, Metric] = {}
    for metric in (one for group in groups for one in group):
        before = found.get(metric.name, metric)
        if replace(before, arms=metric.arms) != metric:
            raise ConfigurationError(f"two different metrics are called {metric.name!r}; give each its own name")
        arms = None if None in (before.arms, metric.arms) else tuple(dict.fromkeys((*before.arms, *metric.arms)))  # type: ignore[misc]
        found[metric.name] = replace(metric, arms=arms)
    return tuple(found.values())
