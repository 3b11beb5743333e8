"""From an interval to a word: supported, refuted or inconclusive; true or false where arithmetic decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy import special

from ..errors import ConfigurationError
from ..plain import check_keys
from ..wording import bare, named, quantity
from .stats import Interval

Word: TypeAlias = Literal["supported", "refuted", "inconclusive", "true", "false"]
Direction: TypeAlias = Literal["higher", "lower"]

PLACES: Mapping[Direction | None, str] = {"higher": "above", "lower": "below", None: "outside"}
"""Where a refuted claim's interval lies, seen from the claim."""

MOST_SEEDS = 1000  # beyond this, an estimate from a few seeds is worthless and the study impractical


@dataclass(frozen=True)
class Region:
    """The values of an estimand for which a claim is true: an interval of real numbers.

    Parameters
    ----------
    low, high
        Bounds in the estimand's unit; infinite if there is none.
    closed
        Whether the bounds belong to the region. Matters only for what does not vary over seeds: an effect of exactly 0
        is not *greater than* 0, but is *between* 0 and 1.

    Raises
    ------
    ConfigurationError
        If the bounds are in the wrong order, NaN, or both infinite.
    """

    low: float
    high: float
    closed: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        wrong = math.isnan(self.low) or math.isnan(self.high) or self.low > self.high
        if wrong or (self.low == self.high and not self.closed):
            raise ConfigurationError(f"a region must go from low to high, not from {self.low} to {self.high}")
        if math.isinf(self.low) and math.isinf(self.high):
            raise ConfigurationError("a region needs a finite bound: without one, the claim is true for every value")

    def contains(self, interval: Interval) -> bool:
        """Return whether the whole interval is inside the region."""
        if self.closed:
            return self.low <= interval.low and interval.high <= self.high
        return self.low < interval.low and interval.high < self.high

    def excludes(self, interval: Interval) -> bool:
        """Return whether the whole interval is outside the region, on one side."""
        if self.closed:
            return interval.high < self.low or interval.low > self.high
        return interval.high <= self.low or interval.low >= self.high

    def missed(self, interval: Interval) -> Direction | None:
        """Return on which side of the region an interval outside it lies; None if the region has one bound only."""
        if math.isinf(self.low) or math.isinf(self.high):
            return None
        return "higher" if interval.mean > self.high else "lower"

    def described(self, unit: str = "", *, signed: bool = False) -> str:
        """Return the region in words, in the unit of the estimand: ``greater than +0.20 points``."""
        low, high = (bare(bound, unit, signed=signed) for bound in (self.low, self.high))
        behind = named(unit, signed=signed)
        if math.isinf(self.high):
            return f"{'at least' if self.closed else 'greater than'} {low}{behind}"
        if math.isinf(self.low):
            return f"{'at most' if self.closed else 'less than'} {high}{behind}"
        if self.low == -self.high:
            return f"within {bare(self.high, unit, signed=signed).lstrip('+')}{behind} of zero"
        return f"between {low} and {high}{behind}"

    def to_dict(self) -> dict[str, float | bool | None]:
        """Return plain JSON; an infinite bound is None."""
        return {
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "closed": self.closed,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, float | bool | None]) -> Region:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "region")
        low, high = given["low"], given["high"]
        return cls(
            -math.inf if low is None else float(low),
            math.inf if high is None else float(high),
            bool(given.get("closed", True)),
        )


def greater_than(smallest_effect: float) -> Region:
    """Return the region above the smallest effect of interest."""
    return Region(smallest_effect, math.inf, closed=False)


def less_than(largest: float) -> Region:
    """Return the region below a value: ``less_than(-0.002)`` means a loss of more than 0.002."""
    return Region(-math.inf, largest, closed=False)


def between(low: float, high: float) -> Region:
    """Return the region from `low` to `high`, such as a claimed 0.96 to 0.98."""
    return Region(low, high)


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim.

    Attributes
    ----------
    word
        The verdict.
    sentence
        The verdict with its numbers.
    seeds_needed
        If it is inconclusive, the total number of seeds that would settle it; 1001 means more than 1000, None that it
        is unknown.
    direction
        If a claim of a range, such as 96 to 98 %, is refuted: whether what was measured is higher or lower. None for
        other claims: one that names a single bound can be missed on one side only.
    """

    word: Word
    sentence: str
    seeds_needed: int | None = None
    direction: Direction | None = None

    @property
    def label(self) -> str:
        """The verdict as it is shown: ``supported``, ``refuted: higher``."""
        return self.word if self.direction is None else f"{self.word}: {self.direction}"

    def to_dict(self) -> dict[str, str | int | None]:
        """Return plain JSON."""
        return {
            "word": self.word,
            "direction": self.direction,
            "sentence": self.sentence,
            "seeds_needed": self.seeds_needed,
        }


def verdict_on(interval: Interval | None, region: Region, unit: str = "", *, signed: bool = False) -> Verdict:
    """Return the verdict on the claim that the estimand lies in `region`.

    Supported if the whole interval is inside, refuted if it is wholly outside, otherwise inconclusive. One seed is
    always inconclusive; so is None, which means that nothing has been measured yet. The sentence gives its numbers in
    `unit`, the metric's; `signed` for a difference.
    """
    if interval is None:
        return Verdict("inconclusive", "Inconclusive: nothing has been measured yet.")
    if interval.n < 2:
        return Verdict(
            "inconclusive",
            f"Inconclusive: one seed gives {quantity(interval.mean, unit, signed=signed)}, but not the variation over "
            "seeds; run more seeds.",
        )
    low, high = (bare(bound, unit, signed=signed) for bound in (interval.low, interval.high))
    numbers = (
        f"the {100 * interval.confidence:g} % interval {low} to {high}{named(unit, signed=signed)} "
        f"(mean {bare(interval.mean, unit, signed=signed)}, {interval.n} seeds)"
    )
    claim = region.described(unit, signed=signed)
    if region.contains(interval):
        return Verdict("supported", f"Supported: {numbers} lies wholly inside the claim, {claim}.")
    if region.excludes(interval):
        direction = region.missed(interval)
        sentence = f"Refuted: {numbers} lies wholly {PLACES[direction]} the claim, {claim}."
        return Verdict("refuted", sentence, direction=direction)
    needed = seeds_needed(interval, region)
    sentence = f"Inconclusive: {numbers} lies partly inside and partly outside the claim, {claim}; "
    return Verdict("inconclusive", sentence + _outlook(needed), needed)


def seeds_needed(interval: Interval, region: Region) -> int | None:
    """Return the total number of seeds that would settle the claim, if mean and spread stay the same.

    The smallest m > n with t(m-1) s / sqrt(m) < distance of the mean from the region's nearest bound. Only as good as
    the estimate s: about half of the repetitions will need more.

    Returns
    -------
    int or None
        At most 1001, which means more than 1000. None with one seed, or if the mean is on a bound.
    """
    distance = min(abs(interval.mean - bound) for bound in (region.low, region.high))
    if interval.standard_deviation is None or distance == 0:
        return None
    m = np.arange(interval.n + 1, MOST_SEEDS + 1)
    half_width = special.stdtrit(m - 1, (1 + interval.confidence) / 2) * interval.standard_deviation / np.sqrt(m)
    enough = m[half_width < distance]
    return int(enough[0]) if enough.size else MOST_SEEDS + 1


def arithmetic(claimed: str, shown: str, *, holds: bool) -> Verdict:
    """Return the verdict on a claim that needs no measurement.

    Parameters
    ----------
    claimed
        The claim: ``"about 210K parameters"``.
    shown
        The calculation that decides it: ``"160 + 4,640 + 200,832 + 1,290 = 206,922"``.
    holds
        Whether the claim is true.
    """
    if holds:
        return Verdict("true", f"True by arithmetic: claimed {claimed}; {shown}.")
    return Verdict("false", f"False by arithmetic: claimed {claimed}; {shown}.")


def _outlook(needed: int | None) -> str:
    if needed is None:
        return "the mean is on the bound, so the number of seeds needed cannot be predicted."
    if needed > MOST_SEEDS:
        return f"more than {MOST_SEEDS} seeds would be needed to settle it."
    return f"about {needed} seeds in all would settle it."
