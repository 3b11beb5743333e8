"""A profile: the seeds with which a study is run, when they are looked at, and what makes it smaller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from ..errors import ConfigurationError
from ..plain import JSON, check_keys, check_name, plain
from .arm import Arm
from .statistics.looks import FEWEST_SEEDS, level
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
    looks
        Numbers of seeds at which a verdict may be drawn, rising to all of them: ``(5, 10)``. The study is run up to the
        first, and goes on to the next only if asked to. Looking more than once costs error rate, so each look is
        drawn at a stricter level (`convlens.studies.statistics.looks`). Empty: one look, at all seeds.
    arms
        Names of the arms that are run; None for all. Estimands of other arms are left out.
    primary
        Name of the estimand that answers the question in this profile; None for the study's own.

    Raises
    ------
    ConfigurationError
        If a part is out of range.
    """

    name: str
    seeds: tuple[int, ...]
    overrides: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    looks: tuple[int, ...] = ()
    arms: tuple[str, ...] | None = None
    primary: str | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "a profile")
        object.__setattr__(self, "seeds", tuple(self.seeds))
        for seed in self.seeds:
            check_seed(seed, f"profile {self.name!r}")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ConfigurationError(f"profile {self.name!r} needs one or more different seeds, not {self.seeds}")
        object.__setattr__(self, "overrides", plain(self.overrides, f"profile {self.name!r}: overrides"))
        object.__setattr__(self, "looks", tuple(self.looks))
        looks = self.all_looks
        rising = all(one < after for one, after in pairwise(looks))
        if not rising or looks[0] < 1 or looks[-1] != len(self.seeds):
            raise ConfigurationError(
                f"profile {self.name!r}: looks rise to the number of seeds, {len(self.seeds)}, not {self.looks}"
            )
        level(looks)  # refuses looks for which nobody has computed one
        if self.arms is not None:
            object.__setattr__(self, "arms", tuple(self.arms))

    def seeds_of(self, arm: Arm) -> tuple[int, ...]:
        """Return the seeds that `arm` is run with, up to the last look."""
        return self.seeds[: arm.most_seeds]

    @property
    def all_looks(self) -> tuple[int, ...]:
        """The numbers of seeds at which a verdict may be drawn; with no looks declared, that of all seeds."""
        return self.looks or (len(self.seeds),)

    def up_to(self, look: int) -> Profile:
        """Return the profile as it is at its look of that number, counted from 1: with the seeds up to there."""
        return replace(self, seeds=self.seeds[: self.all_looks[look - 1]], looks=self.looks[:look])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "seeds": list(self.seeds),
            "overrides": plain(self.overrides, "overrides"),
            "looks": list(self.looks),
            "arms": None if self.arms is None else list(self.arms),
            "primary": self.primary,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Profile:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "profile")
        return cls(**given)


def for_claims(standard: Profile, arms: Sequence[str], primary: str | None = None) -> Profile:
    """Return the profile in which a study answers for the earlier project's claims: see `convlens.claims`.

    It has one look, at the first seeds of the standard profile, so that both share their trials.

    Parameters
    ----------
    standard
        The study's standard profile.
    arms
        Names of the arms that the claims need.
    primary
        Name of the estimand that is primary in it; None for the study's own.
    """
    return Profile("claims", standard.seeds[:FEWEST_SEEDS], arms=tuple(arms), primary=primary)
