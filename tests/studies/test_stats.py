"""Intervals have their nominal coverage, tests agree with SciPy and with hand calculation, nothing warns."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from convlens.errors import ConfigurationError, ShapeError
from convlens.studies.statistics.cross_validation import cross_validation_estimate
from convlens.studies.statistics.finding import holm, holm_factors
from convlens.studies.statistics.mcnemar import mcnemar_exact
from convlens.studies.statistics.stats import Estimate, mean_estimate, mean_interval, paired_estimate, paired_interval
from convlens.studies.statistics.superiority import Superiority
from convlens.studies.statistics.welch import welch_estimate

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
def test_only_what_is_constant_by_construction_has_an_interval_of_no_width(constant):
    interval = mean_estimate([constant] * 3, constant=True).interval()
    assert (interval.low, interval.mean, interval.high) == (constant,) * 3
    measured = mean_interval([constant] * 3)
    assert (measured.low, measured.mean, measured.high) == (-math.inf, constant, math.inf)
    assert "no interval" in measured.method
    with pytest.raises(ConfigurationError, match=r"constant metric differs over seeds: 1 to 2"):
        mean_estimate([1.0, 2.0], constant=True)


@pytest.mark.parametrize("equal", [[0.75] * 5, [0.1 + 0.2, 0.3, 0.3, 0.3, 0.3]])
def test_equal_values_have_the_spread_that_a_step_hides(equal):
    """With five seeds and steps of 1 / 36: half a width of t(0.975, 4) (1 / 36) / sqrt(12 * 5)."""
    estimate = mean_estimate(equal, resolution=1 / 36)
    assert estimate.interval().half_width == pytest.approx(2.776445 / 36 / math.sqrt(60), rel=1e-6)
    assert mean_estimate([0.0, 1.0], resolution=1.0).error == pytest.approx(math.sqrt((0.5 + 1 / 12) / 2))


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


@given(st.lists(st.tuples(values, values), min_size=2, max_size=10), values)
@settings(max_examples=60, deadline=None)
def test_p_values_and_interval_agree(pairs, bound):
    estimate = paired_estimate(by_seed(*(x for x, _ in pairs)), by_seed(*(y for _, y in pairs)), resolution=1e-3)
    interval, above, below = estimate.interval(), estimate.p_above(bound), estimate.p_below(bound)
    assert above + below == pytest.approx(1)
    for p, outside in ((above, interval.low > bound), (below, interval.high < bound)):
        if abs(p - 0.025) > 1e-6:
            assert (p < 0.025) == outside


def test_p_values_are_scipys():
    a, b = [0.98, 0.99, 0.97, 0.985], [0.97, 0.985, 0.971, 0.98]
    estimate = paired_estimate(by_seed(*a), by_seed(*b))
    assert estimate.p_other_than(0.0) == pytest.approx(float(scipy_stats.ttest_rel(a, b).pvalue), rel=1e-9)
    above = scipy_stats.ttest_1samp(np.subtract(a, b), 0.002, alternative="greater").pvalue
    assert estimate.p_above(0.002) == pytest.approx(float(above), rel=1e-9)


def test_p_values_at_the_limits():
    one = mean_estimate([1.0])
    assert (one.p_above(0.0), one.p_below(0.0), one.p_other_than(0.0)) == (1.0, 1.0, None)
    constant = mean_estimate([1.0, 1.0], constant=True)
    assert (constant.p_above(0.0), constant.p_below(0.0), constant.p_above(1.0)) == (0.0, 1.0, 1.0)
    some = mean_estimate([1.0, 2.0])
    assert (some.p_above(-math.inf), some.p_below(math.inf), some.p_above(math.inf)) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("resolution", [None, 0.05])
def test_welch_is_scipys(resolution):
    a, b = [0.98, 0.99, 0.97, 0.985], [0.97, 0.985, 0.971]
    estimate = welch_estimate(a, b, resolution=resolution)
    if resolution is None:
        wanted = scipy_stats.ttest_ind(a, b, equal_var=False)
        assert estimate.p_other_than(0.0) == pytest.approx(float(wanted.pvalue), rel=1e-9)
        assert estimate.freedom == pytest.approx(float(wanted.df))
    assert welch_estimate([1.0, 1.0], [1.0, 2.0]).known is False
    assert welch_estimate([1.0], [1.0, 2.0], resolution=0.1).known is False
    assert welch_estimate([1.0, 1.0], [1.0, 2.0], resolution=0.1).known is True


def test_the_corrected_interval_by_hand():
    """Ten repeats of five folds: the variance is (1 / 50 + 1 / 4) s**2, with 49 degrees of freedom."""
    table = np.random.default_rng(0).normal(0.1, 0.05, (10, 5))
    estimate = cross_validation_estimate(table)
    assert estimate.error == pytest.approx(math.sqrt(0.27) * np.std(table, ddof=1))
    assert (estimate.freedom, estimate.n) == (49, 10)
    assert cross_validation_estimate(table, test_share=0.1).error == pytest.approx(math.sqrt(0.12) * table.std(ddof=1))
    assert cross_validation_estimate(np.zeros((2, 5))).known is False
    assert cross_validation_estimate(np.zeros((2, 5)), resolution=0.1).known is True
    for wrong in (np.zeros(5), np.zeros((5, 1)), np.full((2, 2), np.nan)):
        with pytest.raises(ConfigurationError, match="cross-validation needs"):
            cross_validation_estimate(wrong)
    with pytest.raises(ConfigurationError, match="n_test / n_train, above 0, not 0"):
        cross_validation_estimate(table, test_share=0)


def test_the_correction_covers_where_the_plain_interval_does_not():
    """A mean learner on overlapping training sets: 5 x 5 folds of 100 rows, error against a fresh training's."""
    draw, covered, plain = np.random.default_rng(3), 0, 0
    for _ in range(300):
        rows = draw.normal(0, 1, 100)
        table = np.empty((5, 5))
        for repeat in range(5):
            for fold, part in enumerate(np.split(draw.permutation(100), 5)):
                table[repeat, fold] = ((rows[part] - np.delete(rows, part).mean()) ** 2).mean()
        interval, uncorrected = cross_validation_estimate(table).interval(), mean_interval(table.ravel())
        covered += interval.low <= 1 + 1 / 80 <= interval.high
        plain += uncorrected.low <= 1 + 1 / 80 <= uncorrected.high
    assert covered / 300 > 0.9
    assert plain / 300 < 0.8


def test_p_of_a_above_b():
    found = Superiority.of({0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}, {0: 0.0, 1: 2.0, 2: 4.0, 3: 3.0, 9: 1.0})
    assert (found.probability, found.n) == (0.625, 4)
    assert 0 < found.low < 0.625 < found.high < 1
    assert Superiority.of({0: 1.0}, {0: 0.0}).high == 1
    with pytest.raises(ConfigurationError, match="no seed is shared"):
        Superiority.of({0: 1.0}, {1: 1.0})


@given(st.lists(st.floats(1e-9, 0.5), min_size=1, max_size=8), st.sampled_from([0.05, 0.0283]))
def test_intervals_with_holms_factors_exclude_what_holm_rejects(sample, level):
    p_values = dict(enumerate(sample))
    adjusted, factors = holm(p_values), holm_factors(p_values, level)
    for name, p in p_values.items():
        if abs(adjusted[name] - level / 2) > 1e-12:
            assert (p * factors[name] <= level / 2) == (adjusted[name] <= level / 2)


def test_holms_factors_by_hand():
    """One-sided at half the level: 0.01 passes 3 * 0.01 <= 0.03, then 2 * 0.02 stops both that are left."""
    assert holm_factors({"a": 0.02, "b": 0.01, "c": 0.02}, 0.06) == {"b": 3, "a": 2, "c": 2}


def test_confidence_of_an_estimate():
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        Estimate(0.0, 1.0, 4, 5, "t").interval(95)


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
