"""A curve: what trials measure at many points, such as accuracy at every shift, and what its axes are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import ConfigurationError
from ..plain import check_keys, check_name

Point: TypeAlias = float | str


@dataclass(frozen=True)
class Axis:
    """One axis of a curve.

    Parameters
    ----------
    label
        With its unit: ``"shift to the right, pixels"``.
    values
        One for each entry along the axis: numbers, or names such as those of layers.
    log
        Whether it is drawn on a logarithmic scale.
    """

    label: str
    values: tuple[Point, ...]
    log: bool = False

    def __post_init__(self) -> None:
        check_name(self.label, "an axis")
        object.__setattr__(self, "values", tuple(self.values))
        numbers = [value for value in self.values if not isinstance(value, str)]
        if not self.values or len(numbers) not in (0, len(self.values)) or not all(map(math.isfinite, numbers)):
            raise ConfigurationError(f"axis {self.label!r} has finite numbers, or names, not {self.values!r}")
        if self.log and (not numbers or min(numbers) <= 0):
            raise ConfigurationError(f"axis {self.label!r} is logarithmic; its values are numbers above 0")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"label": self.label, "values": list(self.values), "log": self.log}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Axis:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "axis")
        return cls(**given)


@dataclass(frozen=True)
class Curve:
    """An array that trials of some arms must report, in the outcome's ``curves``.

    Parameters
    ----------
    name
        As in an outcome: ``"shift.accuracy_map"``.
    label
        Its name in figures: ``"accuracy"``.
    unit
        As for a `Metric`: ``"fraction"``, or any other.
    axes
        One for a line, two for a map (rows, then columns); their lengths are the array's shape.
    arms
        Names of the arms that must report it; None for all.
    """

    name: str
    label: str
    unit: str
    axes: tuple[Axis, ...]
    arms: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "a curve")
        check_name(self.label, f"curve {self.name!r}")
        check_name(self.unit, "a unit")
        object.__setattr__(self, "axes", tuple(self.axes))
        if len(self.axes) not in (1, 2):
            raise ConfigurationError(f"curve {self.name!r} has one axis, or two for a map, not {len(self.axes)}")
        if self.arms is not None:
            object.__setattr__(self, "arms", tuple(self.arms))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its array."""
        return tuple(len(axis.values) for axis in self.axes)

    def is_of(self, arm: str) -> bool:
        """Return whether the arm of that name must report it."""
        return self.arms is None or arm in self.arms

    def check(self, found: Sequence[int]) -> None:
        """Raise ConfigurationError unless an array's shape is this curve's."""
        if tuple(found) != self.shape:
            raise ConfigurationError(f"the curve {self.name!r} has shape {tuple(found)}, and its axes {self.shape}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "label": self.label,
            "unit": self.unit,
            "axes": [axis.to_dict() for axis in self.axes],
            "arms": None if self.arms is None else list(self.arms),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Curve:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "curve")
        return cls(**{**given, "axes": tuple(Axis.from_dict(axis) for axis in given["axes"])})
