"""A profile: the seeds with which a study is run, and the settings that make it smaller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigurationError
from ..plain import JSON, check_keys, check_name, plain
from .arm import Arm
from .trial import check_seed


@dataclass(frozen=True)
class Profile:
    """The size in which a study is run.

    Parameters
    ----------
    name
        ``"quick"`` or ``"standard"``.
    seeds
        The seeds of every arm, declared beforehand; only these count as evidence.
    overrides
        Dotted paths into the arms' configurations, to new values: ``{"recipe.epochs": 1}``. An arm without the path is
        left as it is; a path that no arm has is an error.
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
