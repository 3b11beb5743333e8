"""The difference of two independent samples: where seeds cannot be paired."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .stats import Estimate, mean_estimate

WELCH = "Welch’s t"


def welch_estimate(a: Sequence[float], b: Sequence[float], *, resolution: float | None = None) -> Estimate:
    """Return the mean of a minus the mean of b, of independent values.

    ::

        error**2 = e_a**2 + e_b**2;   df = error**4 / (e_a**4 / (n_a - 1) + e_b**4 / (n_b - 1))

    with e the standard error of each mean (`mean_estimate`). Without one on either side there is no interval. ``n``
    counts the values of both.

    Raises
    ------
    ConfigurationError
        For the reasons of `mean_estimate`.

    References
    ----------
    Welch, "The generalization of Student's problem when several different population variances are involved",
    Biometrika 34 (1947).
    """
    one, other = mean_estimate(a, resolution=resolution), mean_estimate(b, resolution=resolution)
    mean, n = one.mean - other.mean, one.n + other.n
    if not (one.known and other.known):
        return Estimate(mean, math.inf, 0, n, f"{WELCH} (one value, or equal ones, on a side: no interval)")
    shares = one.error**2, other.error**2
    freedom = sum(shares) ** 2 / sum(share**2 / of.freedom for share, of in zip(shares, (one, other), strict=True))
    return Estimate(mean, math.sqrt(sum(shares)), freedom, n, WELCH)
