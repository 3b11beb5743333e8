"""Intervals and tests over seeds: the only statistics that studies use.

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

from ..errors import ConfigurationError
from ..typing import FloatArray
from .mcnemar import McNemar as McNemar
from .mcnemar import mcnemar_exact as mcnemar_exact


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval, in the unit of the values.

    Parameters
    ----------
    mean
        Mean of the values (of the differences, if paired).
    low, high
        Bounds; minus and plus infinity if n is 1, because one value gives no spread.
    n
        Number of values (of pairs).
    confidence
        Nominal coverage, 0 to 1.
    method
        How the bounds were computed, in words.
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


def t_quantile(confidence: float, n: int) -> float:
    """Return t such that Student's t with n - 1 degrees of freedom is in [-t, t] with probability `confidence`."""
    return float(special.stdtrit(n - 1, (1 + confidence) / 2))


def mean_interval(values: Sequence[float] | FloatArray, confidence: float = 0.95) -> Interval:
    """Return the mean of independent values with its t-interval, mean +- t(n-1) s / sqrt(n).

    With one value the bounds are infinite. If all values are equal, the interval has width zero (the formula with s =
    0; ``method`` says so), which is right for a constant such as a number of parameters.

    Raises
    ------
    ConfigurationError
        If there is no value, one is not finite, or the confidence is not between 0 and 1.

    References
    ----------
    Student, "The probable error of a mean", Biometrika 6 (1908).
    """
    return _t_interval(_checked(values, confidence), confidence, "t")


def paired_interval(a: Mapping[int, float], b: Mapping[int, float], confidence: float = 0.95) -> Interval:
    """Return the mean of a - b over the seeds that both have, with its paired t-interval.

    Parameters
    ----------
    a, b
        Values by seed. Seeds that only one of them has are left out and counted in ``dropped``.
    confidence
        Nominal coverage, 0 to 1.

    Raises
    ------
    ConfigurationError
        If no seed is shared, or for the reasons of `mean_interval`.
    """
    differences = _checked(_differences(a, b), confidence)
    return _t_interval(differences, confidence, "paired t", dropped=len(a.keys() ^ b.keys()))


def paired_p_value(a: Mapping[int, float], b: Mapping[int, float]) -> float | None:
    """Return the two-sided p-value of the paired t-test that the mean of a - b is 0.

    None with fewer than two shared seeds. If all differences are equal, the limit as their spread goes to 0: p is 1 if
    they are 0, otherwise 0.
    """
    if len(a.keys() & b.keys()) < 2:
        return None
    interval = paired_interval(a, b)
    if not interval.standard_deviation:
        return 1.0 if interval.mean == 0 else 0.0
    statistic = abs(interval.mean) * math.sqrt(interval.n) / interval.standard_deviation
    return float(2 * special.stdtr(interval.n - 1, -statistic))


def welch_interval(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the mean of a minus the mean of b, of independent values, with Welch's t-interval.

    ::

        v = s_a**2 / n_a + s_b**2 / n_b;   df = v**2 / ((s_a**2 / n_a)**2 / (n_a - 1) + (s_b**2 / n_b)**2 / (n_b - 1))
        mean_a - mean_b +- t(df) sqrt(v)

    With one value on either side the bounds are infinite. ``n`` counts the values of both.

    Raises
    ------
    ConfigurationError
        For the reasons of `mean_interval`.

    References
    ----------
    Welch, "The generalization of Student's problem when several different population variances are involved",
    Biometrika 34 (1947).
    """
    one, other = _checked(a, confidence), _checked(b, confidence)
    mean, n = float(one.mean() - other.mean()), one.size + other.size
    if min(one.size, other.size) == 1:
        return Interval(mean, -math.inf, math.inf, n, confidence, "Welch's t (one value: no interval)")
    found = _welch(one, other)
    if found is None:
        return Interval(mean, mean, mean, n, confidence, "Welch's t (all values equal: zero width)")
    error, freedom = found
    half = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    return Interval(mean, mean - half, mean + half, n, confidence, "Welch's t")


def welch_p_value(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return the two-sided p-value of Welch's t-test that two means are equal.

    None with one value on either side. If the values of each side are all equal, p is 1 if the means are, otherwise 0.
    """
    one, other = _checked(a, 0.95), _checked(b, 0.95)
    if min(one.size, other.size) == 1:
        return None
    found, mean = _welch(one, other), float(one.mean() - other.mean())
    if found is None:
        return 1.0 if mean == 0 else 0.0
    return float(2 * special.stdtr(found[1], -abs(mean) / found[0]))


def _welch(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the standard error of the difference of two means and its degrees of freedom; None if it is zero."""
    if (one == one[0]).all() and (other == other[0]).all():  # compared exactly, as in `_t_interval`
        return None
    shares = [float(values.var(ddof=1)) / values.size for values in (one, other)]
    freedom = sum(shares) ** 2 / sum(
        share**2 / (values.size - 1) for share, values in zip(shares, (one, other), strict=True)
    )
    return math.sqrt(sum(shares)), freedom


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values adjusted for multiple comparisons by Holm's step-down method.

    With p(1) <= ... <= p(m): adjusted(i) = max over j <= i of min(1, (m - j + 1) p(j)). Returned in the order given.

    Parameters
    ----------
    p_values
        P-values by name of the contrast.

    Raises
    ------
    ConfigurationError
        If one is not between 0 and 1.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979).
    """
    adjusted: dict[str, float] = {}
    largest = 0.0
    for position, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        p = p_values[name]
        if not 0 <= p <= 1:
            raise ConfigurationError(f"the p-value of {name!r} is {p}; expected 0 to 1")
        largest = max(largest, min(1.0, (len(p_values) - position) * p))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def _differences(a: Mapping[int, float], b: Mapping[int, float]) -> list[float]:
    shared = sorted(a.keys() & b.keys())
    if not shared:
        raise ConfigurationError(
            f"no seed is shared: the first arm has seeds {sorted(a)}, the second {sorted(b)}; "
            "run both with the same seeds"
        )
    return [a[seed] - b[seed] for seed in shared]


def _checked(values: Sequence[float] | FloatArray, confidence: float) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ConfigurationError(
            f"an interval needs a one-dimensional array of one or more values, not shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ConfigurationError(f"an interval needs finite values, not {array[~np.isfinite(array)][0]}")
    if not 0 < confidence < 1:
        raise ConfigurationError(f"confidence is between 0 and 1, such as 0.95, not {confidence}")
    return array


def _t_interval(values: npt.NDArray[np.float64], confidence: float, method: str, dropped: int = 0) -> Interval:
    n = values.size
    first = float(values[0])
    if n == 1:
        method = f"{method} (one value: no interval)"
        return Interval(first, -math.inf, math.inf, 1, confidence, method, None, dropped)
    # compared exactly: rounding in the mean of equal values would leave a spread
    if (values == values[0]).all():
        method = f"{method} (all {n} values equal: zero width)"
        return Interval(first, first, first, n, confidence, method, 0.0, dropped)
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    half = t_quantile(confidence, n) * spread / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n, confidence, method, spread, dropped)
