"""Variance components by other formulas and by brute force; the two-way interval covers images in general."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convlens.errors import ConfigurationError, ShapeError
from convlens.studies.statistics.two_way import Components, two_way


def table(n: int = 4, N: int = 30, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw.normal(0, 1, (n, 1)) + draw.normal(0, 2, N) + draw.normal(0, 0.5, (n, N))


def test_components_by_least_squares():
    """The sums of squares of nested linear models, fitted with dummy variables."""
    x = table()
    n, N = x.shape
    row, column = np.repeat(np.eye(n), N, axis=0), np.tile(np.eye(N), (n, 1))

    def left(*parts: np.ndarray) -> float:
        design = np.hstack([np.ones((n * N, 1)), *parts])
        return float(((x.ravel() - design @ np.linalg.lstsq(design, x.ravel(), rcond=None)[0]) ** 2).sum())

    found, residual = Components.of(x), left(row, column)
    assert found.seeds == pytest.approx((left(column) - residual) / (n - 1) / N)
    assert found.images == pytest.approx((left(row) - residual) / (N - 1) / n)
    assert found.residual == pytest.approx(residual / (n - 1) / (N - 1))


def test_the_interval_by_hand():
    c = Components(5, 100, 0.9, seeds=4e-4, images=0.05, residual=0.02)
    estimate = two_way(c)
    variance = 4e-4 / 5 + (0.05 - 0.004) / 100
    assert estimate.error == pytest.approx(math.sqrt(variance))
    freedom = variance**2 / ((8e-5) ** 2 / 4 + (5e-4) ** 2 / 99 + (4e-5) ** 2 / 396)
    assert estimate.freedom == pytest.approx(freedom)


def test_where_images_do_not_differ_it_is_the_interval_over_seeds():
    c = Components(5, 100, 0.9, seeds=4e-4, images=0.001, residual=0.02)
    assert (two_way(c).error, two_way(c).freedom) == (pytest.approx(math.sqrt(4e-4 / 5)), 4)


def test_a_table_without_any_difference_is_no_certainty():
    assert two_way(Components.of(np.ones((5, 20)))).known is False


def test_jordans_estimates():
    """His formulas, from the variance of each image over runs; and runs whose images err independently."""
    x = (np.random.default_rng(1).random((40, 500)) < np.linspace(0.8, 1, 500)).astype(float)
    n, N = x.shape
    found, of_images = Components.of(x), x.var(axis=0, ddof=1).mean()
    assert found.binomial_spread == pytest.approx(math.sqrt(of_images / N))
    distribution = N / (N - 1) * (x.mean(axis=1).var(ddof=1) - of_images / N)
    assert found.distribution_spread == pytest.approx(math.sqrt(max(0.0, distribution)))
    assert found.spread == pytest.approx(found.binomial_spread, rel=0.3)
    shifted = x + np.random.default_rng(2).normal(0, 0.05, (n, 1))
    assert Components.of(shifted).distribution_spread == pytest.approx(0.05, rel=0.3)


def test_components_survive_json_and_refuse_what_is_no_table():
    found = Components.of(table())
    assert Components.from_dict(found.to_dict()) == found
    with pytest.raises(ConfigurationError, match="did you mean 'seeds'"):
        Components.from_dict({**found.to_dict(), "seed": 1})
    for wrong in (np.zeros((1, 5)), np.zeros((5, 1)), np.zeros(5)):
        with pytest.raises(ShapeError, match="2 or more seeds by 2 or more images"):
            Components.of(wrong)
