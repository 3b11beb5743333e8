"""The verdict follows from where the whole interval lies, and never from one seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convlens.errors import ConfigurationError
from convlens.studies.statistics.finding import finding, placing_p
from convlens.studies.statistics.looks import Look
from convlens.studies.statistics.power import MOST_SEEDS, SeedsNeeded, seeds_needed
from convlens.studies.statistics.stats import Estimate, Interval, mean_estimate, mean_interval
from convlens.studies.statistics.verdict import (
    Region,
    Verdict,
    arithmetic,
    between,
    compound,
    greater_than,
    less_than,
    no_verdict,
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
    ("region", "low", "high", "signed", "label"),
    [
        (between(0.96, 0.98), 0.985, 0.99, False, "refuted: exceeded"),
        (between(0.96, 0.98), 0.93, 0.95, False, "refuted: fell short"),
        (greater_than(0.96), 0.93, 0.95, False, "refuted"),  # it can be missed on one side only
        (greater_than(0.001), 0.0003, 0.0007, True, "refuted: equivalent within 0.10 points"),
        (less_than(-0.001), 0.0003, 0.0007, True, "refuted: equivalent within 0.10 points"),
        (greater_than(0.001), -0.003, -0.002, True, "refuted: the reverse"),
        (greater_than(0.001), -0.003, 0.0, True, "refuted: equivalent within 0.10 points, or the reverse"),
        (greater_than(0.0), -0.003, -0.002, True, "refuted: the reverse"),
        (between(-0.001, 0.001), 0.002, 0.003, True, "refuted: exceeded"),
        (between(0.02, 0.06), 0.01, 0.015, True, "refuted: fell short"),
        (between(0.96, 0.98), 0.965, 0.97, False, "supported"),
        (between(0.96, 0.98), 0.95, 0.97, False, "inconclusive"),
    ],
)
def test_a_refuted_claim_says_how(region, low, high, signed, label):
    verdict = verdict_on(interval(low, high), region, "fraction", signed=signed)
    assert verdict.label == label
    assert verdict.sentence.endswith(".")
    assert Verdict.from_dict(verdict.to_dict()) == verdict


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.0011, 0.004, "better"),
        (-0.004, -0.0011, "worse"),
        (-0.0009, 0.0009, "equivalent"),
        (0.0009, 0.0011, "inconclusive"),
        (-0.0011, 0.0009, "inconclusive"),
        (-math.inf, math.inf, "inconclusive"),
    ],
)
def test_findings_are_three_sided(low, high, word):
    assert finding(Interval(0.0, low, high, 5, 0.95, "t"), 0.001) == word


def test_with_no_margin_only_a_constant_is_equivalent():
    assert finding(mean_estimate([0.0] * 5, constant=True).interval(), 0.0) == "equivalent"
    assert finding(mean_interval([0.0] * 5), 0.0) == "inconclusive"
    with pytest.raises(ConfigurationError, match="a margin is 0 or more"):
        finding(interval(0, 1), -0.1)


@given(st.floats(-3, 3), st.floats(0.05, 2), st.integers(2, 20))
def test_the_p_value_of_a_place_decides_as_the_interval_does(mean, error, n):
    estimate = Estimate(mean, error, n - 1, n, "t")
    p, found = placing_p(estimate, (-1.0, 1.0)), finding(estimate.interval(0.95), 1.0)
    assume(abs(p - 0.025) > 1e-9)
    assert (p < 0.025) == (found != "inconclusive")


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
    assert verdict_on(mean_estimate([value] * 3, constant=True).interval(), region).word == word
    assert verdict_on(mean_interval([value] * 3), region).word == "inconclusive"  # measured: no certainty


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
    assert (verdict.word, verdict.needed) == ("inconclusive", None)
    assert "1 seed gives" in verdict.sentence


@pytest.mark.parametrize("cuts", [(0.0,), (-0.4, 1.0)], ids=["one side", "both sides"])
def test_a_new_run_of_the_seeds_needed_has_the_power(cuts):
    """4,000 new runs with the measured mean and spread; both sides together are bounded from below."""
    estimate = mean_estimate(sample(0.5, 6))
    needed = seeds_needed(estimate, cuts)
    assert needed is not None
    assert needed.low < needed.seeds < needed.high

    def settled(n: int) -> float:
        runs = np.random.default_rng(5).normal(0.5, 1, (4000, n))
        one = (Estimate(run.mean(), run.std(ddof=1) / math.sqrt(n), n - 1, n, "t") for run in runs)
        return sum(placing_p(run, cuts) <= 0.025 for run in one) / 4000

    assert 0.78 < settled(needed.seeds) < 0.84
    assert settled(needed.seeds - 3) < settled(needed.seeds)


def sample(mean: float, n: int) -> np.ndarray:
    raw = np.arange(n) - (n - 1) / 2
    return mean + raw / raw.std(ddof=1)


def test_seeds_needed_is_unknowable_on_the_bound_and_capped():
    on_it, nearly = mean_estimate([-1.0, 1.0]), mean_estimate([-0.999, 1.0])
    assert seeds_needed(on_it, (0.0,)) is None
    assert "cannot be predicted" in verdict_on(on_it.interval(), greater_than(0.0)).sentence
    needed = seeds_needed(nearly, (0.0,))
    assert needed is not None
    assert needed.seeds == MOST_SEEDS + 1
    sentence = verdict_on(nearly.interval(), greater_than(0.0), needed=needed).sentence
    assert "a new, separately declared run would take more than 1,000 seeds" in sentence
    assert str(SeedsNeeded(14, 9, MOST_SEEDS + 1)) == "about 14 seeds (9 to more than 1,000)"
    assert seeds_needed(Estimate(0.5, 1.0, 7.3, 5, "two-way"), (0.0,)) is None  # seeds alone would not settle it


def test_a_preview_and_an_incomplete_look_have_no_verdict():
    assert no_verdict(Look((3,), 3), 3).label == "preview"
    found = no_verdict(Look((5, 10), 0), 3, failed=1)
    assert (found.word, found.decided) == ("incomplete", False)
    assert "3 of 5 declared seeds are in, 1 trial failed" in found.sentence


def test_a_compound_claim_holds_if_all_its_parts_do():
    yes, no = Verdict("supported", ""), Verdict("refuted", "", "exceeded")
    true, false, unsure = Verdict("true", ""), Verdict("false", ""), Verdict("inconclusive", "")
    assert compound([yes, true]).label == "supported"
    assert compound([true, true]).label == "true"
    assert compound([yes, no, unsure]).label == "refuted: 1 of 3 parts"
    assert compound([true, false, false]).label == "false: 2 of 3 parts"
    assert compound([no, no]).label == "refuted: all 2 parts"
    assert compound([yes, unsure, Verdict("preview", "")]).label == "preview: 2 of 3 parts"
    assert compound([no]) is no
    assert compound([yes, no, unsure]).sentence == "Refuted: 1 of 3 parts does not hold."
    with pytest.raises(ConfigurationError, match="one or more parts"):
        compound([])


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
        "how": "",
        "sentence": "False by arithmetic: claimed about 210K, 690K, 1.5M; 206,922, 215,370, 228,042.",
        "needed": None,
    }
    assert arithmetic("about 109K", "109,386", holds=True).word == "true"


def test_the_sentence_speaks_in_the_unit_of_the_metric():
    one = verdict_on(mean_interval([-0.0076]), greater_than(0.002), "fraction", signed=True)
    assert "1 seed gives −0.76 points" in one.sentence
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
