"""The parts of a study: the arms it compares, the estimands it declares, the profiles it is run under."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError
from ..plain import JSON, check_keys, check_name, plain
from .trial import check_seed
from .verdict import Region


@dataclass(frozen=True)
class Arm:
    """One of the things compared.

    Parameters
    ----------
    name
        Short: ``"3x3"``.
    configuration
        Plain JSON that fully describes the run (model, data, training subset, recipe, epochs, ...), a
        private copy.
    cost
        Expected duration of one trial relative to the other arms; only the estimate of time left uses it.
    most_seeds
        A dear arm takes no more than so many of the profile's seeds, the first ones; None takes all.
    """

    name: str
    configuration: Mapping[str, JSON] = field(hash=False)
    cost: float = 1.0
    most_seeds: int | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "an arm")
        object.__setattr__(self, "configuration", plain(self.configuration, f"arm {self.name!r}: configuration"))
        if not (math.isfinite(self.cost) and self.cost > 0):
            raise ConfigurationError(f"arm {self.name!r}: cost is a number above 0, not {self.cost}")
        if self.most_seeds is not None and self.most_seeds < 1:
            raise ConfigurationError(f"arm {self.name!r}: most_seeds is 1 or more, not {self.most_seeds}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        configuration = plain(self.configuration, "configuration")
        return {
            "name": self.name,
            "configuration": configuration,
            "cost": self.cost,
            "most_seeds": self.most_seeds,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Arm:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "arm")
        return cls(**given)


@dataclass(frozen=True)
class Estimand:
    """The number a claim is about: a metric's mean over seeds, or its mean paired difference of two arms.

    Parameters
    ----------
    name
        Short: ``"gain at 1,000 images"``.
    metric
        Which metric of a trial: ``"test.accuracy"``.
    arm
        The arm it is about.
    region
        Values for which the claim is true, in the metric's unit.
    reference
        The arm that is subtracted, seed by seed; None for the metric itself.
    description
        What it means, in a sentence.
    """

    name: str
    metric: str
    arm: str
    region: Region
    reference: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "an estimand")
        if self.reference == self.arm:
            raise ConfigurationError(f"estimand {self.name!r} compares {self.arm!r} with itself")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "metric": self.metric,
            "arm": self.arm,
            "region": self.region.to_dict(),
            "reference": self.reference,
            "description": self.description,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Estimand:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "estimand")
        return cls(**{**given, "region": Region.from_dict(given["region"])})


@dataclass(frozen=True)
class Profile:
    """How large a study is run.

    Parameters
    ----------
    name
        ``"quick"`` or ``"standard"``.
    seeds
        The seeds of every arm, declared beforehand; evidence counts these and no others.
    overrides
        Dotted places in the arms' configurations to new values: ``{"recipe.epochs": 1}``. An arm without
        the place is left as it is; a place that no arm has is an error.
    """

    name: str
    seeds: tuple[int, ...]
    overrides: Mapping[str, JSON] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_name(self.name, "a profile")
        object.__setattr__(self, "seeds", tuple(self.seeds))
        for seed in self.seeds:
            check_seed(seed, f"profile {self.name!r}")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ConfigurationError(f"profile {self.name!r} needs one or more different seeds, not {self.seeds}")
        object.__setattr__(self, "overrides", plain(self.overrides, f"profile {self.name!r}: overrides"))

    def seeds_of(self, arm: Arm) -> tuple[int, ...]:
        """Return the seeds that `arm` is run with."""
        return self.seeds[: arm.most_seeds]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        overrides = plain(self.overrides, "overrides")
        return {"name": self.name, "seeds": list(self.seeds), "overrides": overrides}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Profile:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "profile")
        return cls(**given)
