"""The claims on a terminal, and how numbers are written."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from rich.console import Console

from convlens import wording
from convlens.figures import numbers
from convlens.report import claims_lines, claims_table, summary
from convlens.report.claim_words import parts
from convlens.report.words import calculation, explanation, study_answer
from convlens.studies.estimand import Estimand
from convlens.studies.metric import Metric
from convlens.studies.statistics.power import SeedsNeeded
from convlens.studies.statistics.stats import Interval, mean_interval, paired_interval
from convlens.studies.statistics.verdict import arithmetic, between, greater_than, less_than, verdict_on

from .reproductions import make


@pytest.mark.parametrize("width", [80, 100, 160])
def test_table_fits(width: int) -> None:
    console = Console(width=width, record=True, force_terminal=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    made = make()
    console.print(claims_table(made.claims))
    shown = console.export_text()
    console.file.close()
    assert max(map(len, shown.splitlines())) <= width
    incomplete = sum(row.verdict.word == "incomplete" for row in made.claims)  # whose mark it is
    assert shown.count("…") == incomplete
    for row in made.claims:
        assert row.verdict.word in shown
        if row.interval is not None:
            bounds = parts(row, row.interval)[1]
            assert all(bound in shown for bound in bounds.split(", "))  # the line may break between them


def test_lines_are_one_a_claim() -> None:
    made = make((0,))
    lines = claims_lines(made.claims)
    assert len(lines) == len(made.claims)
    assert all("\n" not in line for line in lines)
    assert all(row.verdict.word.upper() in line for row, line in zip(made.claims, lines, strict=True))
    assert any(line.endswith("points, 1 seed.") for line in lines)


def test_a_terminal_shows_the_answer_below_the_claims_and_says_once_what_one_seed_means() -> None:
    lines = summary(make((0,), command="convlens reproduce --quick"))
    assert lines[0].startswith("The CNN minus a dense network of the same size, test accuracy: ")
    assert sum("one seed decides nothing" in line for line in lines) == 1
    assert "decides nothing" not in " ".join(summary(make()))
    (warning,) = [line for line in summary(make((0, 1, 2))) if "preview" in line.lower()]
    assert "a verdict takes 5 seeds or more, declared beforehand. So the intervals are shown" in warning


def test_a_claim_that_was_too_modest_says_so_everywhere() -> None:
    (row,) = [row for row in make().claims if row.name == "cnn-accuracy-good"]
    assert row.verdict.label == "refuted: exceeded"
    assert "REFUTED: EXCEEDED" in claims_lines([row])[0]
    assert "lies above the claim" in claims_lines([row])[0]
    assert row.to_dict()["verdict"]["how"] == "exceeded"
    assert "refuted: exceeded" in make()._repr_html_()


@pytest.mark.parametrize(
    ("half_width", "resolution", "expected"),
    [(0.0135, 1e-6, 1), (0.0024, 1e-4, 2), (0.00024, 1e-4, 2), (0.13, 1e-4, 0), (0.0, 1e-6, 3), (math.inf, 1e-4, 2),
     (0.05, None, 1), (0.0001, None, 2), (0.0, 0.01, 0)],
)  # fmt: skip
def test_decimals_follow_the_interval(half_width: float, resolution: float | None, expected: int) -> None:
    found = Interval(0.5, 0.5 - half_width, 0.5 + half_width, 5, 0.95, "t")
    assert numbers.digits(Metric("a", "fraction", resolution=resolution), found) == expected
    assert numbers.digits(Metric("a", "s", resolution=None), found) is None


def test_a_number_from_zero_to_one_has_no_unit() -> None:
    assert wording.quantity(0.6323, "index") == "0.6323"


def test_numbers() -> None:
    accuracy = mean_interval([0.9912, 0.9908, 0.9916])
    assert numbers.measured(accuracy) == "99.12 % [99.02, 99.22]"
    difference = paired_interval({0: 0.99, 1: 0.99}, {0: 0.991, 1: 0.9912})
    assert numbers.measured(difference).startswith("−0.11 points [−0.24, +0.02]")
    assert numbers.measured(mean_interval([0.5])) == "50.00 %"
    assert numbers.measured(mean_interval([0.99, 0.5])) == "74.50 % [−236.80, 385.80]"
    seconds = mean_interval([-3.0, 1.0])
    assert numbers.in_unit(seconds, Metric("x", "widgets")) == "−1 widgets [−26.41, 24.41]"
    assert numbers.with_unit(seconds, "s", signed=True) == "−1 s [−26.41, +24.41]"
    assert numbers.measured(None) == "–"
    assert wording.points(-0.000001) == "0.00 points"
    assert numbers.region(greater_than(0.005), "fraction", signed=True) == "> +0.50 points"
    assert numbers.region(less_than(-0.001), "fraction", signed=True) == "< −0.10 points"
    assert numbers.region(between(0.96, 0.98), "fraction") == "96.00 to 98.00 %"
    assert [wording.p_value(p) for p in (None, 0.0, 0.034, 1.0)] == ["–", "< 0.0001", "0.034", "1"]
    assert [wording.duration(s) for s in (8.06, 245, 7380)] == ["8.1 s", "4 min 5 s", "2 h 3 min"]


def test_explanations_follow_the_verdict() -> None:
    assert calculation(arithmetic("about 5", "2 + 3 = 5", holds=True)) == "2 + 3 = 5"
    wide = mean_interval([0.90, 0.99])
    unsure = verdict_on(wide, between(0.93, math.inf), needed=SeedsNeeded(14, 9, 40))
    assert "seeds" in explanation(unsure, wide)
    assert "about 14 seeds (9 to 40)" in explanation(unsure, wide)
    assert explanation(unsure, None) == "Nothing has been measured yet."


def test_the_answer_is_a_plain_sentence_that_does_not_repeat_the_question():
    result = make().studies["baseline-vs-cnn"]
    interval = result.evidence.primary.interval
    sentence = study_answer(result)
    assert sentence.startswith("The CNN minus a dense network of the same size, test accuracy: ")
    assert interval is not None
    assert (
        numbers.measured(interval, signed=True)
        + " (95 % interval over 5 seeds, for these test images). The claim, above +"
        in sentence
    )
    assert f"is {result.verdict.word}; for images in general, " in sentence
    assert "?" not in sentence
    seen = study_answer(make((0,)).studies["baseline-vs-cnn"])
    ours, theirs, difference = (float(one) for one in re.findall(r"\d+\.\d+", seen))
    assert ours - theirs == pytest.approx(difference)
    assert seen.endswith(f"{ours:.2f} % − {theirs:.2f} % = +{difference:.2f} points.")


def test_an_estimand_without_a_description_names_its_arms() -> None:
    contrast = Estimand("gain", "test.accuracy", "max", greater_than(0), reference="mean")
    assert contrast.described == "“max” minus “mean”"
    assert replace(contrast, reference=None).described == "“max”"
    assert replace(contrast, description="a minus b").described == "a minus b"


def test_a_reproduction_is_short_in_a_notebook():
    made = make((0,), drop=1)
    words = [row.verdict.word for row in made.claims]
    assert repr(made).startswith(f"<Reproduction: standard, {len(words)} claims: ")
    assert f"{words.count('preview')} preview" in repr(made)
    assert repr(made).endswith(", 1 trial missing>")
    assert made._repr_html_().count("<tr>") == 1 + len(words)


def interval_of(mean: float, n: int = 3) -> Interval:
    return mean_interval([mean + (i - (n - 1) / 2) * mean / 50 for i in range(n)])


@pytest.mark.parametrize(
    ("metric", "mean", "shown", "difference"),
    [
        (Metric("a", "fraction", resolution=1e-4), 0.5, "50.0 % [47.5, 52.5]", "+50.0 points"),
        (Metric("a", "fraction", resolution=1 / 300), 0.5, "50.0 % [47.5, 52.5]", "+50.0 points"),
        (Metric("a", "fraction", resolution=1e-5), 0.005, "0.500 % [0.475, 0.525]", "+0.500 points"),
        (Metric("a", "fraction"), 0.05, "5.00 % [4.75, 5.25]", "+5.00 points"),
        (Metric("a", "difference of fractions", resolution=0.01), 0.5, "+50 points [+48, +52]", "+50 points"),
        (Metric("a", "pixels", resolution=0.5), 100.0, "100.0 pixels [95.0, 105.0]", "+100.0 pixels"),
        (Metric("a", "pixels"), 100.0, "100 pixels [95.03, 105]", "+100 pixels"),
        (Metric("a", "count", resolution=1.0), 1234.0, "1,234", "+1,234 count"),
        (Metric("a", "FLOP", resolution=1.0), 2_500_000.0, "2.50 MFLOP", "+2,500,000 FLOP"),
        (Metric("a", "s"), 12.34, "12.3 s", "+12.34 s"),
        (Metric("a", "images/s"), 13_200.0, "13,200 images/s", "+13,200 images/s"),
    ],
)
def test_values_are_shown_in_the_metrics_unit_and_to_its_resolution_at_most(
    metric: Metric, mean: float, shown: str, difference: str
) -> None:
    assert numbers.in_unit(interval_of(mean), metric) == shown
    assert numbers.difference_in_unit(interval_of(mean), metric)[0] == difference
