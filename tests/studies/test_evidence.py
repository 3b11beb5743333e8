"""From trials to verdicts: matched by configuration, paired by seed, complete about what is missing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from convlens.errors import ConfigurationError
from convlens.studies.assessment.by_image import components, mcnemar_by_seed
from convlens.studies.assessment.evidence import EstimandEvidence, assess, values
from convlens.studies.runner import plan
from convlens.studies.spec import Arm, Estimand, Metric, Profile
from convlens.studies.statistics.stats import paired_estimate
from convlens.studies.statistics.verdict import between, greater_than, less_than
from convlens.studies.trial import Trial

from .examples import FIVE, THREE, configuration, execute, make_study, make_trial, planned_trial

STUDY = make_study()


def trials_of(study=STUDY, profile=FIVE) -> list[Trial]:
    planned = plan(study, profile, numerics_version=1)
    return [Trial.of(p, execute(p), created="now") for p in planned]


def test_a_whole_study():
    trials = trials_of()
    evidence = assess(STUDY, reversed(trials), FIVE)
    arms = {name: [t for t in trials if t.arm == name] for name in ("3x3", "5x5", "7x7")}
    expected = paired_estimate(
        values(arms["3x3"], "test.accuracy"),
        values(arms["7x7"], "test.accuracy"),
        resolution=0.02,
        method="paired t over seeds, for these test images",
    )
    primary, middle, size = evidence.primary, *evidence.secondary
    assert (primary.interval, primary.adjusted) == (expected.interval(), expected.interval(0.95))
    assert primary.interval.mean == pytest.approx(0.04, abs=0.003)
    assert (primary.role, primary.finding, primary.look.to_dict()["next"]) == ("confirmatory", "better", None)
    assert (middle.role, middle.finding, size.finding) == ("exploratory", "worse", None)
    assert [e.verdict.word for e in (primary, middle, size)] == ["supported", "refuted", "supported"]
    assert primary.superiority is not None
    assert primary.superiority.probability == 1
    assert evidence.missing == 0
    assert evidence.numerics_version == 1
    assert evidence.provenance == {"engine": ["numpy"], "threads": [2]}
    assert [arm.seeds for arm in evidence.arms] == [(0, 1, 2, 3, 4)] * 3


def test_pairing_takes_out_what_seeds_share():
    evidence = assess(STUDY, trials_of(), FIVE)
    alone = evidence.arms[0].metrics["test.accuracy"]
    assert alone is not None
    assert evidence.primary.interval is not None
    assert evidence.primary.interval.half_width < alone.half_width / 2


def contrast(name: str, region, arm: str = "5x5", reference: str = "3x3") -> Estimand:
    return Estimand(name, "test.accuracy", arm, region, reference=reference)


def level(one: EstimandEvidence) -> float:
    assert one.adjusted is not None
    return round(1 - one.adjusted.confidence, 10)


def test_the_primary_stands_alone_and_the_rest_is_one_family():
    """The least certain of two members is divided by 1 if the other is decided; the same data twice count once."""
    asked = (
        contrast("much", less_than(-0.001), "7x7", "3x3"),  # the primary's own data, from the other side
        contrast("a", greater_than(0.001), "3x3", "5x5"),
        contrast("a again", less_than(-0.001), "5x5", "3x3"),
        contrast("b", between(-0.5, 0.5), "7x7", "5x5"),
        Estimand("size", "parameters", "3x3", between(8, 10)),
    )
    evidence = assess(make_study(secondary=asked), trials_of(), FIVE)
    much, a, again, b, size = evidence.secondary
    assert (level(evidence.primary), level(much)) == (0.05, 0.05)
    assert sorted((level(a), level(b))) == [0.025, 0.05]
    assert level(again) == level(a)
    assert again.p_value == pytest.approx(a.p_value)
    assert b.p_adjusted == pytest.approx(b.p_value * 0.05 / level(b))
    assert (size.p_value, size.p_adjusted, size.verdict.word) == (None, None, "supported")
    assert [one.role for one in evidence.secondary] == ["exploratory"] * 5


def test_evidence_is_json():
    text = json.dumps(assess(STUDY, trials_of(), FIVE).to_dict(), allow_nan=False)
    read = json.loads(text)
    assert read["primary"]["verdict"]["word"] == "supported"
    assert read["arms"][0]["n"] == 5
    assert read["study"]["arms"][0]["configuration"] == configuration(3)
    one = assess(STUDY, trials_of(), Profile("one", (0,)))
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["primary"]["interval"]["low"] is None


def test_mcnemar_is_one_test_a_seed():
    evidence = assess(STUDY, trials_of(), FIVE)
    tests = evidence.primary.mcnemar
    assert list(tests) == [0, 1, 2, 3, 4]
    assert {(t.b, t.c, t.n) for t in tests.values()} == {(4, 0, 50)}  # images 4 to 7 are wrong with 7x7 only
    assert evidence.secondary[1].mcnemar == {}  # parameters are no classifications


def test_mcnemar_leaves_out_what_cannot_be_compared():
    by_arm = {k: [make_trial(s, n) for s in (0, 1)] for k, n in (("3x3", 3), ("7x7", 7))}
    by_arm["7x7"][0] = replace(by_arm["7x7"][0], predictions={})
    by_arm["7x7"][1] = replace(by_arm["7x7"][1], labels={"test": np.zeros(50, np.uint8)})
    assert mcnemar_by_seed(by_arm["3x3"], "test.accuracy", by_arm["7x7"]) == {}
    assert components(by_arm["3x3"], "test.accuracy", by_arm["7x7"]) is None


@pytest.mark.parametrize("profile", [Profile("one", (1,)), THREE])
def test_fewer_than_five_declared_seeds_are_a_preview(profile):
    evidence = assess(STUDY, trials_of(profile=profile), profile)
    assert [one.verdict.label for one in (evidence.primary, *evidence.secondary)] == ["preview"] * 3
    assert (evidence.primary.p_value, evidence.primary.finding, evidence.primary.adjusted) == (None, None, None)
    assert evidence.primary.interval is not None


def test_no_verdict_before_all_seeds_are_in():
    """However clear it is; and the failed trials are counted."""
    trials = [t for t in trials_of() if (t.arm, t.seed) != ("7x7", 3)]
    evidence = assess(STUDY, trials, FIVE, failed=[planned_trial(3, 7, arm="7x7")])
    assert (evidence.missing, evidence.verdict.word) == (1, "incomplete")
    assert evidence.verdict.sentence.startswith("Incomplete: 4 of 5 declared seeds are in, 1 trial failed;")
    assert evidence.secondary[0].verdict.word == "refuted"  # it needs no trial of 7x7
    nothing = assess(STUDY, [], FIVE)
    assert (nothing.numerics_version, nothing.missing, nothing.primary.interval) == (None, 15, None)
    assert nothing.arms[2].metrics == {"test.accuracy": None, "parameters": None}
    assert nothing.verdict.word == "incomplete"


TEN = Profile("standard", tuple(range(10)), looks=(5, 10))


@pytest.mark.parametrize(("seeds", "look", "missing", "n"), [(4, 0, 3, 4), (5, 5, 0, 5), (8, 5, 6, 5), (10, 10, 0, 10)])
def test_a_verdict_is_drawn_at_a_look_and_from_its_seeds_alone(seeds, look, missing, n):
    trials = [trial for trial in trials_of(profile=TEN) if trial.seed < seeds]
    evidence = assess(STUDY, trials, TEN)
    assert (evidence.primary.look.seeds, evidence.missing) == (look, missing)
    assert evidence.primary.interval is not None
    assert evidence.primary.interval.n == n
    assert evidence.primary.look.next == {0: 5, 5: 10, 10: None}[look]
    assert evidence.verdict.word == ("supported" if look else "incomplete")
    if look:
        assert level(evidence.primary) == 0.0283


def test_an_arm_with_fewer_seeds_has_one_look_at_them():
    fewer = (replace(STUDY.arms[0], most_seeds=5), *STUDY.arms[1:])
    study = make_study(arms=fewer)
    evidence = assess(study, trials_of(study, TEN), TEN)
    assert (evidence.primary.look.looks, level(evidence.primary)) == ((5,), 0.05)


@pytest.mark.parametrize("looks", [(5, 8), (3, 5, 10), (5,), (10, 5)])
def test_looks_that_nobody_computed_a_level_for_are_refused(looks):
    with pytest.raises(ConfigurationError, match="looks"):
        Profile("standard", tuple(range(10)), looks=looks)


def test_equal_rows_of_a_small_test_set_are_no_certainty():
    """36 test rows on which all five seeds of both arms agree: within a hundredth is more than they can show."""
    study = make_study(
        metrics=(Metric("test.accuracy", "fraction", resolution=1 / 36), Metric("parameters", "count")),
        primary=contrast("same", between(-0.005, 0.005)),
        secondary=(Estimand("size", "parameters", "3x3", between(-10, 10)),),
    )
    trials = [replace(t, metrics={**t.metrics, "test.accuracy": 30 / 36}) for t in trials_of(study)]
    evidence = assess(study, trials, FIVE)
    assert (evidence.verdict.word, evidence.primary.finding) == ("inconclusive", "inconclusive")
    assert evidence.secondary[0].verdict.word == "inconclusive"  # equal, but not declared constant, and without steps


def test_digits_in_general_are_judged_beside_these_digits():
    evidence = assess(STUDY, trials_of(), FIVE)
    assert evidence.primary.two_way is not None
    assert evidence.primary.general is not None
    assert evidence.primary.two_way.mean == pytest.approx(4 / 50)  # images 4 to 7 are wrong with 7x7 only
    assert evidence.primary.general.word == "inconclusive"  # 50 images
    assert evidence.secondary[1].general is None
    assert set(evidence.arms[0].two_way) == {"test.accuracy"}


def test_folds_have_the_correction():
    study = make_study(
        metrics=(Metric("test.accuracy", "fraction", folds="folds"),),
        primary=contrast("folds", greater_than(0.001)),
        secondary=(),
    )
    draw = np.random.default_rng(0)
    trials = [replace(t, curves={"folds": draw.normal(0.9, 0.05, 4)}) for t in trials_of(study)]
    evidence = assess(study, trials, FIVE)
    assert evidence.primary.interval is not None
    assert "Nadeau" in evidence.primary.interval.method
    assert evidence.primary.two_way is None


def test_trials_count_by_configuration_and_not_by_name():
    trials = trials_of()
    arms = (
        *STUDY.arms[1:],
        Arm("3x3", {**configuration(3), "data": "fashion"}),
        Arm("again", configuration(3)),
    )
    evidence = assess(make_study(arms=arms), trials, FIVE)
    assert {arm.name: len(arm.seeds) for arm in evidence.arms} == {"5x5": 5, "7x7": 5, "3x3": 0, "again": 5}


def test_seeds_that_were_not_declared_do_not_count():
    many = trials_of(profile=Profile("many", (0, 1, 2, 3, 4, 5)))
    assert assess(STUDY, many, FIVE).to_dict() == assess(STUDY, trials_of(), FIVE).to_dict()
    fewer = (replace(STUDY.arms[0], most_seeds=2), *STUDY.arms[1:])
    evidence = assess(make_study(arms=fewer), many, FIVE)
    assert evidence.primary.interval is not None
    assert (evidence.primary.interval.n, evidence.verdict.word) == (2, "preview")


def test_a_trial_given_twice_counts_once():
    trials = trials_of()
    assert assess(STUDY, trials + trials, FIVE).to_dict() == assess(STUDY, trials, FIVE).to_dict()


def test_versions_are_never_mixed():
    trials = trials_of()
    trials[0] = make_trial(0, 3, numerics_version=2)
    with pytest.raises(ConfigurationError, match=r"versions \[1, 2\]"):
        assess(STUDY, trials, FIVE)
    both = [make_trial(0), make_trial(0, numerics_version=2)]
    with pytest.raises(ConfigurationError, match="two trials of one arm have seed 0"):
        values(both, "parameters")


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"did you mean 'test.accuracy'"):
        values([make_trial()], "test.accurac")
