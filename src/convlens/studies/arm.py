"""An arm: one of the alternatives that a study compares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError
from ..models.matching import Matched
from ..plain import JSON, check_keys, check_name, plain


@dataclass(frozen=True)
class Arm:
    """One of the alternatives compared.

    Parameters
    ----------
    name
        Short: ``"3x3"``.
    configuration
        Plain JSON that fully describes the run (model, data, training subset, recipe, epochs, ...); copied.
    cost
        Expected duration of one trial relative to the other arms; orders trials run in parallel, and estimates the time
        left.
    most_seeds
        For an expensive arm: use only the first `most_seeds` of the profile's seeds; None uses all.
    description
        What it is, in a few words for figures: ``"dense, same size; recipe good"``. By default, the name.
    series, level
        For a factor that is a number, such as the number of training images: the arm's value of it, and the name of
        the line that its results belong to in a figure over that number.
    matched
        If its size was chosen to match another arm: in what, and how close it came.
    """

    name: str
    configuration: Mapping[str, JSON] = field(hash=False)
    cost: float = 1.0
    most_seeds: int | None = None
    description: str = ""
    series: str = ""
    level: float | None = None
    matched: Matched | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "an arm")
        object.__setattr__(self, "configuration", plain(self.configuration, f"arm {self.name!r}: configuration"))
        if not (math.isfinite(self.cost) and self.cost > 0):
            raise ConfigurationError(f"arm {self.name!r}: cost is a number above 0, not {self.cost}")
        if self.most_seeds is not None and self.most_seeds < 1:
            raise ConfigurationError(f"arm {self.name!r}: most_seeds is 1 or more, not {self.most_seeds}")
        if self.level is not None and not math.isfinite(self.level):
            raise ConfigurationError(f"arm {self.name!r}: level is a finite number, or None, not {self.level}")

    @property
    def described(self) -> str:
        """What it is, in a few words: the description, or else the name."""
        return self.description or self.name

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        configuration = plain(self.configuration, "configuration")
        return {
            "name": self.name,
            "configuration": configuration,
            "cost": self.cost,
            "most_seeds": self.most_seeds,
            "description": self.description,
            "series": self.series,
            "level": self.level,
            "matched": None if self.matched is None else self.matched.to_dict(),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Arm:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "arm")
        matched = given.get("matched")
        return cls(**{**given, "matched": None if matched is None else Matched.from_dict(matched)})
