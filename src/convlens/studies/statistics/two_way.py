"""The two-way interval: over seeds and images, for images in general rather than for these test images.

Every seed is tested on the same images, so an interval over seeds says how the mean would vary with other seeds on
*these* images. Other images would give another mean; how much, the correctness of every image under every seed tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...plain import check_keys
from ...typing import Array
from .stats import Estimate

GENERAL = "two-way t over seeds and images, for images in general"


@dataclass(frozen=True)
class Components:
    """Variance components of a table of seeds by images: all that the two-way interval needs.

    Model: x[i, j] = mu + a[i] + b[j] + e[i, j], with seed i of n, image j of N, and independent a, b, e of variances
    A, B, E. With r[i] the mean of row i, c[j] of column j, and m of all, the mean squares and their expectations are ::

        MS_seeds    = N sum_i (r[i] - m)**2 / (n - 1)                               N A + E
        MS_images   = n sum_j (c[j] - m)**2 / (N - 1)                               n B + E
        MS_residual = sum_ij (x[i, j] - r[i] - c[j] + m)**2 / ((n - 1) (N - 1))     E

    The fields are what the formulas of the interval are written in: ``seeds`` = MS_seeds / N (the variance of the
    seeds' means), ``images`` = MS_images / n (that of the images' means), ``residual`` = MS_residual.

    Attributes
    ----------
    n, n_images
        Numbers of seeds and of images, n and N; 2 or more of each.
    mean
        Mean of the table.
    seeds, images, residual
        See above; in the square of the table's unit.
    """

    n: int
    n_images: int
    mean: float
    seeds: float
    images: float
    residual: float

    @classmethod
    def of(cls, table: Array) -> Components:
        """Return the components of a table (n seeds, N images) of correctness, or of differences of correctness.

        Raises
        ------
        ShapeError
            If it is not a table of two or more seeds and images.
        """
        x = np.asarray(table, np.float64)  # (n, N)
        if x.ndim != 2 or min(x.shape) < 2:
            raise ShapeError(f"variance components need a table of 2 or more seeds by 2 or more images, not {x.shape}")
        n, N = x.shape
        rows, columns, mean = x.mean(axis=1), x.mean(axis=0), float(x.mean())
        residual = x - rows[:, None] - columns + mean
        return cls(
            n,
            N,
            mean,
            seeds=float(rows.var(ddof=1)),
            images=float(columns.var(ddof=1)),
            residual=float((residual**2).sum() / ((n - 1) * (N - 1))),
        )

    @property
    def spread(self) -> float:
        """Standard deviation of the mean over seeds, on these images."""
        return math.sqrt(self.seeds)

    @property
    def binomial_spread(self) -> float:
        """The spread over seeds that finitely many images alone would cause, if they erred independently of each other.

        The square root of the mean variance of an image over seeds, over N. Where `spread` is no larger, no seed is
        better than another: the runs differ by which images they happen to get right.

        References
        ----------
        Jordan, "Calibrated chaos: variance between runs of neural network training is harmless and inevitable"
        (2023), arXiv:2304.01910.
        """
        of_an_image = self.seeds + (self.n_images - 1) / self.n_images * self.residual
        return math.sqrt(of_an_image / self.n_images)

    @property
    def distribution_spread(self) -> float:
        """Estimated spread over seeds of the mean on infinitely many images (Jordan 2023).

        The square root of A's unbiased estimate, seeds - residual / N; 0 where that is negative.
        """
        return math.sqrt(max(0.0, self.seeds - self.residual / self.n_images))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Components:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "variance components")
        return cls(**given)


def two_way(components: Components) -> Estimate:
    """Return the mean with its standard error over seeds and images.

    The variance of the mean of all n N values is A / n + B / N + E / (n N). In terms of expected mean squares that is
    (MS_seeds + MS_images - MS_residual) / (n N), so its estimate is ::

        V = s2_seeds / n + max(0, s2_images - s2_residual / n) / N

    with s2_seeds, s2_images and s2_residual the fields of `Components`; the maximum, because a variance of images below
    0 is sampling error. Its degrees of freedom are Satterthwaite's, V**2 over the sum of each mean square's share,
    squared, over its own degrees of freedom (n - 1, N - 1 and (n - 1) (N - 1)); where the maximum is 0, n - 1.

    A table of zeros alone has V = 0: that is no certainty, and the standard error is infinite.

    References
    ----------
    Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics Bulletin 2 (1946).
    """
    c = components
    n, N = c.n, c.n_images
    shares = [(c.seeds / n, n - 1)]  # of each mean square in V, with its degrees of freedom
    if c.images > c.residual / n:
        shares += [(c.images / N, N - 1), (-c.residual / (n * N), (n - 1) * (N - 1))]
    variance = sum(share for share, _ in shares)
    if not variance > 0:
        return Estimate(c.mean, math.inf, n - 1, n, f"{GENERAL} (all values equal: no interval)")
    freedom = variance**2 / sum(share**2 / own for share, own in shares)
    return Estimate(c.mean, math.sqrt(variance), freedom, n, GENERAL, c.spread)
