"""Estimates with their standard errors, and intervals over seeds: the base of every statistic of the studies.

Comparisons of two arms are paired by seed: the same seed draws the same initial weights, order of images and subset, so
that the difference varies less than either arm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special  # scipy.stats takes half a second to import

from ...errors import ConfigurationError
from ...typing import FloatArray

ROUNDING = 1e-12  # relative to the values; a smaller spread is what sums in another order leave


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval, in the unit of the values.

    Parameters
    ----------
    mean
        Mean of the values (of the differences, if paired).
    low, high
        Bounds; minus and plus infinity where the values give no spread: one value, or equal ones.
    n
        Number of values (of pairs).
    confidence
        Nominal coverage, 0 to 1.
    method
        How the bounds were computed, and what they hold for, in words.
    standard_deviation
        Of the values, with n - 1 in the denominator; None if n is 1.
    dropped
        Number of seeds left out because only one of the two arms had them.
    """

    mean: float
    low: float
    high: float
    n: int
    confidence: float
    method: str
    standard_deviation: float | None = None
    dropped: int = 0

    @property
    def half_width(self) -> float:
        """Half the distance between the bounds."""
        return (self.high - self.low) / 2

    def to_dict(self) -> dict[str, float | int | str | None]:
        """Return plain JSON; an infinite bound is None."""
        return {
            "mean": self.mean,
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "n": self.n,
            "confidence": self.confidence,
            "method": self.method,
            "standard_deviation": self.standard_deviation,
            "dropped": self.dropped,
        }


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error, and the degrees of freedom of Student's t that its error has.

    Parameters
    ----------
    mean
        The estimate.
    error
        Standard error: 0 for what is the same under every seed by construction, infinite where there is no spread to
        estimate it from.
    freedom
        Degrees of freedom, not necessarily whole.
    n
        Number of values (of pairs, of seeds).
    method, standard_deviation, dropped
        See `Interval`.
    """

    mean: float
    error: float
    freedom: float
    n: int
    method: str
    standard_deviation: float | None = None
    dropped: int = 0

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return mean +- t(freedom) error.

        Raises
        ------
        ConfigurationError
            If the confidence is not between 0 and 1.
        """
        if not 0 < confidence < 1:
            raise ConfigurationError(f"confidence is between 0 and 1, such as 0.95, not {confidence}")
        half = 0.0
        if self.error:
            half = float(special.stdtrit(self.freedom, (1 + confidence) / 2)) * self.error if self.known else math.inf
        return Interval(
            self.mean,
            self.mean - half,
            self.mean + half,
            self.n,
            confidence,
            self.method,
            self.standard_deviation,
            self.dropped,
        )

    @property
    def known(self) -> bool:
        """Whether there is a standard error."""
        return math.isfinite(self.error)

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of the t-test that the true value is at most `bound`: small if it is above."""
        if not self.known or math.isinf(bound):
            return 0.0 if bound == -math.inf else 1.0
        if not self.error:
            return 0.0 if self.mean > bound else 1.0
        return float(special.stdtr(self.freedom, (bound - self.mean) / self.error))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value of the t-test that the true value is at least `bound`: small if it is below."""
        return Estimate(-self.mean, self.error, self.freedom, self.n, self.method).p_above(-bound)

    def p_other_than(self, value: float) -> float | None:
        """Return the two-sided p-value of the t-test that the true value is `value`; None without a standard error."""
        return min(1.0, 2 * min(self.p_above(value), self.p_below(value))) if self.known else None


def mean_estimate(
    values: Sequence[float] | FloatArray,
    *,
    resolution: float | None = None,
    constant: bool = False,
    method: str = "t",
    dropped: int = 0,
) -> Estimate:
    """Return the mean of independent values, with error sqrt((s**2 + resolution**2 / 12) / n) and n - 1 degrees.

    Equal values are no certainty: five seeds may classify the same 30 of 36 rows by chance. So the variance of what
    rounding to a step hides is added, that of a uniform distribution of the step's width. Without a resolution, equal
    values give no interval. One value gives none either.

    Parameters
    ----------
    values
        One a seed.
    resolution
        The smallest step between two values; None if there is none.
    constant
        Whether the value is the same under every seed by construction, as a number of parameters is: then, and only
        then, the standard error is 0.
    method
        Beginning of the estimate's `method`.
    dropped
        Number of seeds left out.

    Raises
    ------
    ConfigurationError
        If there is no value, one is not finite, or values differ that should be constant.

    References
    ----------
    Student, "The probable error of a mean", Biometrika 6 (1908).
    """
    found = _checked(values)
    n, mean = found.size, float(found.mean())
    spread = float(found.std(ddof=1)) if n > 1 else None
    if spread is not None and spread <= ROUNDING * np.abs(found).max():  # rounding in the mean of equal values, or more
        spread, mean = 0.0, float(found[0])
    if constant:
        if spread:
            raise ConfigurationError(f"a constant metric differs over seeds: {found.min():g} to {found.max():g}")
        return Estimate(mean, 0.0, math.inf, n, "the same under every seed", spread, dropped)
    if spread is None:
        return Estimate(mean, math.inf, 0, 1, f"{method} (one value: no interval)", None, dropped)
    variance = spread**2 + (resolution or 0.0) ** 2 / 12
    if not variance:
        return Estimate(mean, math.inf, n - 1, n, f"{method} (all values equal: no interval)", 0.0, dropped)
    return Estimate(mean, math.sqrt(variance / n), n - 1, n, method, spread, dropped)


def paired_estimate(
    a: Mapping[int, float],
    b: Mapping[int, float],
    *,
    resolution: float | None = None,
    constant: bool = False,
    method: str = "paired t",
) -> Estimate:
    """Return the mean of a - b over the seeds that both have: see `mean_estimate`.

    Parameters
    ----------
    a, b
        Values by seed. Seeds that only one of them has are left out and counted in ``dropped``.
    resolution, constant, method
        As for `mean_estimate`.

    Raises
    ------
    ConfigurationError
        If no seed is shared, or for the reasons of `mean_estimate`.
    """
    shared = sorted(a.keys() & b.keys())
    if not shared:
        raise ConfigurationError(
            f"no seed is shared: the first arm has seeds {sorted(a)}, the second {sorted(b)}; "
            "run both with the same seeds"
        )
    differences, dropped = [a[seed] - b[seed] for seed in shared], len(a.keys() ^ b.keys())
    return mean_estimate(differences, resolution=resolution, constant=constant, method=method, dropped=dropped)


def mean_interval(values: Sequence[float] | FloatArray, confidence: float = 0.95) -> Interval:
    """Return the t-interval of the mean of independent values: see `mean_estimate`."""
    return mean_estimate(values).interval(confidence)


def paired_interval(a: Mapping[int, float], b: Mapping[int, float], confidence: float = 0.95) -> Interval:
    """Return the t-interval of the mean of a - b over the seeds that both have: see `paired_estimate`."""
    return paired_estimate(a, b).interval(confidence)


def _checked(values: Sequence[float] | FloatArray) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ConfigurationError(
            f"an interval needs a one-dimensional array of one or more values, not shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ConfigurationError(f"an interval needs finite values, not {array[~np.isfinite(array)][0]}")
    return array
