"""The values of an estimand for which a claim is true."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import ConfigurationError
from ...plain import check_keys
from ...wording import bound, named
from .stats import Interval


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

    @property
    def margin(self) -> float | None:
        """The smallest effect of interest that the region states: the distance of its bounds from zero.

        None for a range that is not about zero, such as 0.96 to 0.98.
        """
        low, high = self.bounds[0], self.bounds[-1]
        return abs(low) if math.isinf(self.low) or math.isinf(self.high) or low == -high else None

    @property
    def bounds(self) -> tuple[float, ...]:
        """The finite bounds, the lower first."""
        return tuple(bound for bound in (self.low, self.high) if math.isfinite(bound))

    def described(self, unit: str = "", *, signed: bool = False) -> str:
        """Return the region in words, in the unit of the estimand: ``greater than +0.20 points``."""
        low, high = (bound(value, unit, signed=signed) for value in (self.low, self.high))
        behind = named(unit, signed=signed)
        if math.isinf(self.high):
            return f"{'at least' if self.closed else 'greater than'} {low}{behind}"
        if math.isinf(self.low):
            return f"{'at most' if self.closed else 'less than'} {high}{behind}"
        if self.low == -self.high:
            return f"within {bound(self.high, unit, signed=signed).lstrip('+')}{behind} of zero"
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
