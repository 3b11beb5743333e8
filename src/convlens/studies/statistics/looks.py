"""Looks: the numbers of seeds at which a study may draw a verdict, and what each of them costs.

Whoever looks at 5 seeds, is unsure, and looks again at 10 has two chances to be wrong. So a study declares its looks
and spends its error on them: every look is decided at a level below 0.05, such that all of them together are wrong in
at most 5 %.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError

FEWEST_SEEDS = 5
"""A look at fewer seeds is a preview, which has no verdict."""

LEVEL = 0.05
"""Two-sided error rate of a study, over all its looks."""

LEVELS: Mapping[tuple[int, ...], float] = {(5, 10): 0.0283, (5, 10, 20): 0.0198}
"""Level at each of several looks; ``benchmarks/coverage.py`` measures what they come to."""


def level(looks: Sequence[int]) -> float:
    """Return the two-sided level at which each of the looks is decided, so that together they keep 0.05.

    Equal levels at every look, as in Pocock (1977), computed for t-tests: the sample is smaller than where his normal
    approximation holds.

    Parameters
    ----------
    looks
        Numbers of seeds in all, growing; one look is decided at 0.05.

    Raises
    ------
    ConfigurationError
        If nobody has computed a level for these looks.

    References
    ----------
    Pocock, "Group sequential methods in the design and analysis of clinical trials", Biometrika 64 (1977).

    Examples
    --------
    >>> level((10,)), level((5, 10))
    (0.05, 0.0283)
    """
    if len(looks) == 1:
        return LEVEL
    if tuple(looks) not in LEVELS:
        known = ", ".join(map(str, LEVELS))
        raise ConfigurationError(f"no level is known for looks at {tuple(looks)} seeds; expected one look, or {known}")
    return LEVELS[tuple(looks)]


@dataclass(frozen=True)
class Look:
    """Where evidence stands.

    Parameters
    ----------
    looks
        The declared looks: numbers of seeds in all.
    seeds
        The look at which it stands: the last whose seeds are all in; 0 before the first.
    """

    looks: tuple[int, ...]
    seeds: int

    @property
    def complete(self) -> bool:
        """Whether a look has been reached: only then may there be a verdict."""
        return self.seeds > 0

    @property
    def preview(self) -> bool:
        """Whether even its last look has too few seeds for a verdict."""
        return self.looks[-1] < FEWEST_SEEDS

    @property
    def level(self) -> float:
        """Two-sided level at which the look is decided."""
        return level(self.looks)

    @property
    def next(self) -> int | None:
        """The next look; None at the last."""
        return next((look for look in self.looks if look > self.seeds), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"seeds": self.seeds, "looks": list(self.looks), "level": self.level, "next": self.next}

    @classmethod
    def reached(cls, declared: Sequence[int], looks: Sequence[int], present: Container[int]) -> Look:
        """Return where evidence stands.

        Parameters
        ----------
        declared
            The seeds, in the order in which they were declared; fewer than the last look where an arm has only its
            first ones.
        looks
            As declared for the profile; those beyond the declared seeds are one look.
        present
            The seeds that are in.
        """
        cut = tuple(dict.fromkeys(min(look, len(declared)) for look in looks))
        full = [look for look in cut if all(seed in present for seed in declared[:look])]
        return cls(cut, full[-1] if full else 0)
