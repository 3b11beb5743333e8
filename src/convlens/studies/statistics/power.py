"""How many seeds would settle an open claim: by the power of a new run, not by hope."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from scipy import special

from .looks import FEWEST_SEEDS, LEVEL
from .stats import Estimate

MOST_SEEDS = 1000  # beyond this, an estimate from a few seeds is worthless and the study impractical
POWER = 0.8


@dataclass(frozen=True)
class SeedsNeeded:
    """The number of seeds with which a new, separately declared run settles a claim with probability `POWER`.

    It takes the measured mean for the true one. The range takes, in place of the measured spread, the bounds of its
    95 % interval. Looking again after as many more seeds in the *same* run is no substitute: it would be wrong too
    often.

    Attributes
    ----------
    seeds, low, high
        For the measured spread, and for the bounds of its interval; 1001 means more than 1000.
    """

    seeds: int
    low: int
    high: int

    def __str__(self) -> str:
        if self.seeds > MOST_SEEDS:
            return f"more than {MOST_SEEDS:,} seeds"
        high = f"more than {MOST_SEEDS:,}" if self.high > MOST_SEEDS else f"{self.high}"
        return f"about {self.seeds} seeds ({self.low} to {high})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def seeds_needed(estimate: Estimate, cuts: Iterable[float], level: float = LEVEL) -> SeedsNeeded | None:
    """Return the seeds for 80 % power to settle on which side of each cut the true value is.

    The smallest n, at least 5, at which the t-tests against the nearest cuts on either side both reject at level / 2
    with that probability, by the noncentral t distribution with noncentrality sqrt(n) (mean - cut) / s. Where there is
    a cut on both sides, the probability that both reject is bounded from below by the sum of both minus 1.

    Parameters
    ----------
    estimate
        A mean over seeds.
    cuts
        The claim's bounds.
    level
        Two-sided level of the new run, which has one look.

    Returns
    -------
    SeedsNeeded or None
        None if the number of seeds does not tell: there is no spread, the mean is on a cut, or the error is not that
        of a mean over seeds alone (two-way, cross-validation).

    References
    ----------
    Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 2nd edition (1988).
    """
    distances = _nearest(estimate.mean, cuts)
    freedom = estimate.n - 1
    if not (estimate.known and estimate.error and freedom and estimate.freedom == freedom) or 0 in distances:
        return None
    spread = estimate.error * math.sqrt(estimate.n)
    low, high = (spread * math.sqrt(freedom / float(special.chdtri(freedom, tail))) for tail in (0.025, 0.975))
    return SeedsNeeded(*(_fewest(distances, s, level) for s in (spread, low, high)))


def _nearest(mean: float, cuts: Iterable[float]) -> list[float]:
    """Return the distances from the mean to the nearest cut below and above it."""
    away = [cut - mean for cut in cuts]
    below, above = (sorted(abs(d) for d in away if sign * d >= 0) for sign in (-1, 1))
    return [side[0] for side in (below, above) if side]


def _fewest(distances: Iterable[float], spread: float, level: float) -> int:
    effects = [distance / spread for distance in distances]
    every = range(FEWEST_SEEDS, MOST_SEEDS + 1)
    return every[0] + bisect_left(every, POWER, key=lambda n: 1 - sum(1 - _power(one, n, level) for one in effects))


def _power(effect: float, n: int, level: float) -> float:
    """Return the power of a one-sided t-test of n values at level / 2 against an effect in standard deviations."""
    critical = special.stdtrit(n - 1, 1 - level / 2)
    return 1 - float(special.nctdtr(n - 1, min(math.sqrt(n) * effect, 30.0), critical))  # beyond 30 it is 1
