"""Repeated cross-validation: its values are not independent, because every two training sets overlap."""

from __future__ import annotations

import math

import numpy as np

from ...errors import ConfigurationError
from ...typing import Array
from .stats import Estimate

CORRECTED = "corrected t over repeats and folds (Nadeau and Bengio)"


def cross_validation_estimate(
    table: Array, test_share: float | None = None, *, resolution: float | None = None
) -> Estimate:
    """Return the mean of a table of repeats by folds, with the corrected error of Nadeau and Bengio.

    ::

        error**2 = (1 / J + n_test / n_train) (s**2 + resolution**2 / 12),   J = repeats * folds,   J - 1 degrees

    The uncorrected 1 / J would go to 0 with more repeats of the same rows. The interval is about training sets of
    n_train rows; seeds of a network on one training set need no correction.

    Parameters
    ----------
    table
        One value for every repeat and fold, shape (repeats, folds): a score, or the difference of two models' scores
        on the same folds.
    test_share
        n_test / n_train; 1 / (folds - 1) where None, as cross-validation has it.
    resolution
        As for `convlens.studies.statistics.stats.mean_estimate`.

    Raises
    ------
    ConfigurationError
        If the table has no two folds, or a value is not finite.

    References
    ----------
    Nadeau & Bengio, "Inference for the generalization error", Machine Learning 52 (2003).
    """
    values = np.asarray(table, np.float64)  # (repeats, folds)
    if values.ndim != 2 or not values.size or values.shape[1] < 2 or not np.isfinite(values).all():
        raise ConfigurationError(
            f"cross-validation needs finite values of shape (repeats, 2 or more folds), not {values.shape}"
        )
    if test_share is not None and not 0 < test_share < math.inf:
        raise ConfigurationError(f"test_share is n_test / n_train, above 0, not {test_share}")
    share = 1 / (values.shape[1] - 1) if test_share is None else test_share
    spread, mean, J = float(values.std(ddof=1)), float(values.mean()), values.size
    variance = spread**2 + (resolution or 0.0) ** 2 / 12
    if not variance:
        return Estimate(mean, math.inf, J - 1, len(values), f"{CORRECTED} (all values equal: no interval)", 0.0)
    return Estimate(mean, math.sqrt((1 / J + share) * variance), J - 1, len(values), CORRECTED, spread)
