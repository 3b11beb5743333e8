"""The verdict follows from where the whole interval lies, and never from one seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convlens.errors import ConfigurationError
from convlens.studies.stats import Interval, mean_interval
from convlens.studies.verdict import (
    MOST_SEEDS,
    Region,
    arithmetic,
    between,
    greater_than,
    less_than,
    seeds_needed,
    verdict_on,
)


def interval(low: float, high: float, n: int = 5) -> Interval:
    spread = (high - low) / 2 * math.sqrt(n) / 2.776445  # t(0.975, 4)
    return Interval((low + high) / 2, low, high, n, 0.95, "t", spread)


@pytest.mark.parametrize(
    ("region", "low", "high", "word"),
    [
        (greater_than(0.002), 0.003, 0.01, "supported"),
        (greater_than(0.002), 0.001, 0.01, "inconclusive"),
        (greater_than(0.002), -0.01, 0.001, "refuted"),
        (less_than(-0.002), -0.01, -0.003, "supported"),
        (less_than(-0.002), -0.01, -0.001, "inconclusive"),
        (less_than(-0.002), -0.001, 0.01, "refuted"),
        (between(-0.01, 0.01), -0.009, 0.009, "supported"),
        (between(-0.01, 0.01), -0.011, 0.009, "inconclusive"),
        (between(-0.01, 0.01), -0.02, 0.02, "inconclusive"),
        (between(-0.01, 0.01), 0.011, 0.02, "refuted"),
        (between(-0.01, 0.01), -0.02, -0.011, "refuted"),
        (between(0.96, 0.98), 0.985, 0.99, "refuted"),
        (between(0.96, 0.98), 0.965, 0.97, "supported"),
    ],
)
def test_the_word_follows_from_the_place(region, low, high, word):
    verdict = verdict_on(interval(low, high), region)
    assert verdict.word == word
    assert verdict.sentence.lower().startswith(word)
    assert region.described() in verdict.sentence


@pytest.mark.parametrize(
    ("region", "low", "high", "label", "place"),
    [
        (between(0.96, 0.98), 0.985, 0.99, "refuted: higher", "wholly above"),
        (between(0.96, 0.98), 0.93, 0.95, "refuted: lower", "wholly below"),
        (greater_than(0.002), -0.01, 0.001, "refuted", "wholly outside"),  # it can be missed on one side only
        (less_than(-0.002), -0.001, 0.01, "refuted", "wholly outside"),
        (between(0.96, 0.98), 0.965, 0.97, "supported", "wholly inside"),
        (between(0.96, 0.98), 0.95, 0.97, "inconclusive", "partly inside"),
    ],
)
def test_a_refuted_range_says_on_which_side_it_was_missed(region, low, high, label, place):
    verdict = verdict_on(interval(low, high), region)
    assert verdict.label == label
    assert place in verdict.sentence
    assert verdict.to_dict()["direction"] == (label.partition(": ")[2] or None)


@pytest.mark.parametrize(
    ("region", "value", "word"),
    [
        (greater_than(0.0), 0.0, "refuted"),
        (less_than(0.0), 0.0, "refuted"),
        (between(-0.0, 0.0), 0.0, "supported"),
        (between(1.0, 2.0), 2.0, "supported"),
    ],
)
def test_a_value_without_spread_on_the_bound(region, value, word):
    assert verdict_on(mean_interval([value] * 3), region).word == word


bounds = st.floats(-10, 10).map(lambda x: round(x, 3))


@given(bounds, bounds, bounds, st.floats(0, 5), st.booleans())
def test_exactly_one_word_and_the_complement_swaps_it(low, high, mean, half, closed):
    assume(low < high)
    region, found = Region(low, high, closed=closed), interval(mean - half, mean + half)
    inside, outside = region.contains(found), region.excludes(found)
    assert not (inside and outside)
    word = verdict_on(found, greater_than(low)).word
    opposite = verdict_on(found, Region(-math.inf, low)).word
    swap = {"supported": "refuted", "refuted": "supported", "inconclusive": "inconclusive"}
    assert opposite == swap[word]


@given(st.floats(-100, 100), bounds)
def test_one_seed_is_always_inconclusive(value, bound):
    verdict = verdict_on(mean_interval([value]), greater_than(bound))
    assert (verdict.word, verdict.seeds_needed) == ("inconclusive", None)
    assert "one seed" in verdict.sentence.lower()


def test_one_seed_is_inconclusive_even_if_somebody_drew_bounds():
    assert verdict_on(Interval(1.0, 0.9, 1.1, 1, 0.95, "wishful"), greater_than(0)).word == "inconclusive"


def test_nothing_measured_is_inconclusive():
    assert verdict_on(None, greater_than(0)).word == "inconclusive"


@given(st.floats(0.05, 3.0), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_seeds_needed_is_the_smallest_number_that_settles_it(mean, n):
    """Build samples of that size with the same mean and spread: n settles it, one fewer does not."""
    found = mean_interval(sample(mean, n))
    verdict = verdict_on(found, greater_than(0.0))
    assume(verdict.word == "inconclusive" and verdict.seeds_needed is not None)
    needed = verdict.seeds_needed
    assert needed is not None
    if needed > MOST_SEEDS:
        assert verdict_on(mean_interval(sample(mean, MOST_SEEDS)), greater_than(0.0)).word == "inconclusive"
        assert "more than 1000" in verdict.sentence
    else:
        assert verdict_on(mean_interval(sample(mean, needed)), greater_than(0.0)).word == "supported"
        assert verdict_on(mean_interval(sample(mean, needed - 1)), greater_than(0.0)).word == "inconclusive"
        assert f"about {needed} seeds" in verdict.sentence


def sample(mean: float, n: int) -> np.ndarray:
    raw = np.arange(n) - (n - 1) / 2
    return mean + raw / raw.std(ddof=1)


def test_seeds_needed_is_unknowable_on_the_bound_and_capped():
    assert seeds_needed(interval(-1.0, 1.0), greater_than(0.0)) is None
    verdict = verdict_on(interval(-1.0, 1.0), greater_than(0.0))
    assert "the number of seeds needed cannot be predicted" in verdict.sentence
    assert seeds_needed(interval(-0.999, 1.0), greater_than(0.0)) == MOST_SEEDS + 1


def test_seeds_needed_takes_the_nearest_bound():
    found = interval(0.0, 0.02)
    assert seeds_needed(found, between(-1.0, 0.0101)) == MOST_SEEDS + 1
    assert seeds_needed(found, between(-1.0, 0.019)) == 6


@pytest.mark.parametrize(
    "arguments", [(1.0, 0.0), (math.nan, 1.0), (-math.inf, math.inf), (0.0, 0.0, False), (0.1, -0.1)]
)
def test_a_region_that_cannot_be(arguments):
    low, high, *closed = arguments
    with pytest.raises(ConfigurationError, match="region"):
        Region(low, high, closed=not closed)


@pytest.mark.parametrize("region", [greater_than(0.1), less_than(0), between(-2, 2), between(0.9, 1)])
def test_regions_survive_json(region):
    assert Region.from_dict(region.to_dict()) == region


def test_an_unknown_key_of_a_region():
    with pytest.raises(ConfigurationError, match="'hihg'; did you mean 'high'"):
        Region.from_dict({"low": 0.0, "hihg": 1.0})


def test_arithmetic():
    false = arithmetic("about 210K, 690K, 1.5M", "206,922, 215,370, 228,042", holds=False)
    assert false.to_dict() == {
        "word": "false",
        "direction": None,
        "sentence": "False by arithmetic: claimed about 210K, 690K, 1.5M; 206,922, 215,370, 228,042.",
        "seeds_needed": None,
    }
    assert arithmetic("about 109K", "109,386", holds=True).word == "true"


def test_the_sentence_speaks_in_the_unit_of_the_metric():
    one = verdict_on(mean_interval([-0.0076]), greater_than(0.002), "fraction", signed=True)
    assert "one seed gives −0.76 points" in one.sentence
    wide = verdict_on(interval(-2.273, 2.683, n=2), greater_than(0.002), "fraction", signed=True)
    assert "interval −227.30 to +268.30 points (mean +20.50, 2 seeds)" in wide.sentence
    assert "the claim, greater than +0.20 points" in wide.sentence
    accuracy = verdict_on(interval(0.985, 0.99), between(0.96, 0.98), "fraction")
    assert "interval 98.50 to 99.00 % (mean 98.75, 5 seeds)" in accuracy.sentence
    assert "between 96.00 and 98.00 %" in accuracy.sentence
    assert "greater than −2 s" in verdict_on(interval(-3, 1), greater_than(-2), "s").sentence
    assert (
        "within 1.00 points of zero"
        in verdict_on(interval(0, 1), between(-0.01, 0.01), "fraction", signed=True).sentence
    )
