"""Intervals have their nominal coverage, tests agree with SciPy and with hand calculation, nothing warns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from convlens.errors import ConfigurationError, ShapeError
from convlens.studies.stats import (
    holm,
    mcnemar_exact,
    mean_interval,
    paired_interval,
    paired_p_value,
)

values = st.floats(-1e3, 1e3).map(lambda x: round(x, 6))


def by_seed(*numbers: float) -> dict[int, float]:
    return dict(enumerate(numbers))


def test_mean_interval_by_hand():
    interval = mean_interval([1.0, 2.0, 3.0])
    half = 4.302653 / math.sqrt(3)  # t(0.975, 2) and s = 1
    assert (interval.mean, interval.n, interval.standard_deviation) == (2.0, 3, 1.0)
    assert interval.low == pytest.approx(2 - half, rel=1e-6)
    assert interval.half_width == pytest.approx(half, rel=1e-6)


@given(st.lists(values, min_size=2, max_size=12), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=60, deadline=None)
def test_intervals_hold_their_mean_and_never_warn(sample, confidence):
    interval = mean_interval(sample, confidence)
    assert interval.low <= interval.mean <= interval.high
    assert interval.mean == pytest.approx(float(np.mean(sample)), abs=1e-9)
    assert mean_interval(sample, 0.5).half_width <= interval.half_width


@pytest.mark.parametrize("n", [3, 5])
def test_paired_t_covers_what_it_says(n):
    """4,000 repetitions: the standard error of the coverage is 0.34 points."""
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(4000):
        shared = generator.normal(0, 5, n)  # what pairing takes out
        a = by_seed(*(shared + generator.normal(0.3, 1, n)))
        interval = paired_interval(a, by_seed(*shared))
        covered += interval.low <= 0.3 <= interval.high
    assert covered / 4000 == pytest.approx(0.95, abs=0.011)


def test_pairing_is_by_seed_and_counts_what_it_drops():
    interval = paired_interval({0: 1.0, 1: 2.0, 2: 4.0, 9: 100.0}, {2: 1.0, 1: 1.0, 0: 1.0, 7: -50.0})
    assert (interval.mean, interval.n, interval.dropped) == (pytest.approx(4 / 3), 3, 2)


def test_one_value_has_no_bounds_and_says_none_in_json():
    interval = paired_interval({3: 1.0}, {3: 0.25})
    assert (interval.low, interval.high, interval.n) == (-math.inf, math.inf, 1)
    assert interval.standard_deviation is None
    assert interval.to_dict()["low"] is None
    assert "one value" in interval.method


@pytest.mark.parametrize("constant", [0.0, 0.1, 206_922.0])
def test_equal_values_give_an_interval_of_no_width(constant):
    interval = mean_interval([constant] * 3)
    assert (interval.low, interval.mean, interval.high) == (constant,) * 3
    assert "zero width" in interval.method


@pytest.mark.parametrize(
    ("sample", "confidence", "message"),
    [
        ([], 0.95, "one or more values"),
        ([1.0, math.nan], 0.95, "finite values, not nan"),
        ([1.0, 2.0], 95, "between 0 and 1"),
    ],
)
def test_what_cannot_be_an_interval_is_refused(sample, confidence, message):
    with pytest.raises(ConfigurationError, match=message):
        mean_interval(sample, confidence)


def test_no_shared_seed_is_an_error_that_names_both():
    with pytest.raises(ConfigurationError, match=r"seeds \[1\], the second \[2\]"):
        paired_interval({1: 0.0}, {2: 0.0})


@given(st.lists(st.tuples(values, values), min_size=2, max_size=10))
@settings(max_examples=60, deadline=None)
def test_p_value_and_interval_agree(pairs):
    a, b = by_seed(*(x for x, _ in pairs)), by_seed(*(y for _, y in pairs))
    p, interval = paired_p_value(a, b), paired_interval(a, b)
    assert p is not None
    assert 0 <= p <= 1
    if abs(p - 0.05) > 1e-6:
        assert (p < 0.05) == (interval.low > 0 or interval.high < 0)


def test_p_value_is_scipys():
    a, b = [0.98, 0.99, 0.97, 0.985], [0.97, 0.985, 0.971, 0.98]
    expected = scipy_stats.ttest_rel(a, b).pvalue
    assert paired_p_value(by_seed(*a), by_seed(*b)) == pytest.approx(float(expected), rel=1e-9)


def test_p_value_at_the_limits():
    assert paired_p_value({0: 1.0}, {0: 0.0}) is None
    assert paired_p_value({0: 1.0}, {1: 0.0}) is None
    assert paired_p_value(by_seed(0.5, 0.5), by_seed(0.5, 0.5)) == 1.0
    assert paired_p_value(by_seed(1.5, 1.5), by_seed(0.5, 0.5)) == 0.0


def test_holm_by_hand():
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]
    assert holm({}) == {}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(sample):
    p_values = {str(i): p for i, p in enumerate(sample)}
    adjusted = holm(p_values)
    for name, p in p_values.items():
        assert p <= adjusted[name] <= min(1.0, len(sample) * p)
        assert all(adjusted[name] <= adjusted[other] for other, q in p_values.items() if p < q)


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(ConfigurationError, match=r"'x' is 1.5"):
        holm({"x": 1.5})


def test_mcnemar_by_hand():
    a = np.array([1, 1, 1, 1, 1, 1, 0, 1, 0], dtype=bool)
    b = np.array([0, 0, 0, 0, 0, 0, 1, 1, 0], dtype=bool)
    result = mcnemar_exact(a, b)
    assert (result.b, result.c, result.n) == (6, 1, 9)
    assert result.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar_exact(b, a).p_value == result.p_value


def test_mcnemar_of_a_model_with_itself_is_one():
    same = np.array([True, False, True])
    assert mcnemar_exact(same, same).p_value == 1.0


@pytest.mark.parametrize("other", [np.ones(4, bool), np.ones(3), np.ones((3, 1), bool)])
def test_mcnemar_names_both_shapes(other):
    with pytest.raises(ShapeError, match=r"bool \(3,\) and"):
        mcnemar_exact(np.ones(3, bool), other)
