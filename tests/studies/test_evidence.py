"""From trials to verdicts: matched by configuration, paired by seed, complete about what is missing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from convlens.errors import ConfigurationError
from convlens.studies.evidence import assess, estimate, mcnemar_by_seed, values
from convlens.studies.runner import plan
from convlens.studies.spec import Arm, Profile
from convlens.studies.stats import holm, paired_interval
from convlens.studies.trial import Trial

from .examples import THREE, configuration, execute, make_study, make_trial

STUDY = make_study()


def trials_of(study=STUDY, profile=THREE) -> list[Trial]:
    planned = plan(study, profile, numerics_version=1)
    return [Trial.of(p, execute(p), created="now") for p in planned]


def test_a_whole_study():
    trials = trials_of()
    evidence = assess(STUDY, reversed(trials), THREE)
    arms = {name: [t for t in trials if t.arm == name] for name in ("3x3", "5x5", "7x7")}
    expected = paired_interval(values(arms["3x3"], "test.accuracy"), values(arms["7x7"], "test.accuracy"))
    assert evidence.primary.interval == expected
    assert evidence.primary.interval.mean == pytest.approx(0.04, abs=0.003)
    assert evidence.verdict.word == "supported"
    assert [e.verdict.word for e in evidence.secondary] == ["refuted", "supported"]
    assert evidence.missing == 0
    assert evidence.numerics_version == 1
    assert evidence.provenance == {"engine": ["numpy"], "threads": [2]}
    assert [arm.seeds for arm in evidence.arms] == [(0, 1, 2)] * 3


def test_pairing_takes_out_what_seeds_share():
    evidence = assess(STUDY, trials_of(), THREE)
    alone = evidence.arms[0].metrics["test.accuracy"]
    assert alone is not None
    assert evidence.primary.interval is not None
    assert evidence.primary.interval.half_width < alone.half_width / 4


def test_holm_runs_over_the_contrasts_alone():
    evidence = assess(STUDY, trials_of(), THREE)
    contrasts = {e.estimand.name: e for e in (evidence.primary, evidence.secondary[0])}
    raw = {name: e.p_value for name, e in contrasts.items() if e.p_value is not None}
    assert {name: e.p_adjusted for name, e in contrasts.items()} == holm(raw)
    assert len(raw) == 2
    assert evidence.secondary[1].p_value is None
    assert evidence.secondary[1].p_adjusted is None


def test_evidence_is_json():
    text = json.dumps(assess(STUDY, trials_of(), THREE).to_dict(), allow_nan=False)
    read = json.loads(text)
    assert read["primary"]["verdict"]["word"] == "supported"
    assert read["arms"][0]["n"] == 3
    assert read["study"]["arms"][0]["configuration"] == configuration(3)
    one = assess(STUDY, trials_of(), Profile("one", (0,)))
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["primary"]["interval"]["low"] is None


def test_mcnemar_is_one_test_a_seed():
    evidence = assess(STUDY, trials_of(), THREE)
    tests = evidence.primary.mcnemar
    assert list(tests) == [0, 1, 2]
    assert {(t.b, t.c, t.n) for t in tests.values()} == {(4, 0, 50)}  # images 4 to 7 are wrong with 7x7 only
    assert evidence.secondary[1].mcnemar == {}  # parameters are no classifications


def test_mcnemar_leaves_out_what_cannot_be_compared():
    by_arm = {k: [make_trial(s, n) for s in (0, 1)] for k, n in (("3x3", 3), ("7x7", 7))}
    by_arm["7x7"][0] = replace(by_arm["7x7"][0], predictions={})
    by_arm["7x7"][1] = replace(by_arm["7x7"][1], labels={"test": np.zeros(50, np.uint8)})
    assert mcnemar_by_seed(STUDY.primary, by_arm) == {}


def test_one_seed_is_inconclusive():
    evidence = assess(STUDY, trials_of(), Profile("one", (1,)))
    assert evidence.verdict.word == "inconclusive"
    assert evidence.primary.p_value is None


def test_interrupted_evidence_says_what_is_missing():
    evidence = assess(STUDY, trials_of()[:2], THREE)
    assert evidence.missing == 7
    assert evidence.primary.interval is None
    assert evidence.verdict.word == "inconclusive"
    assert evidence.arms[2].metrics == {"test.accuracy": None, "parameters": None}
    assert assess(STUDY, [], THREE).numerics_version is None


def test_trials_count_by_configuration_and_not_by_name():
    trials = trials_of()
    arms = (
        *STUDY.arms[1:],
        Arm("3x3", {**configuration(3), "data": "fashion"}),
        Arm("again", configuration(3)),
    )
    evidence = assess(make_study(arms=arms), trials, THREE)
    assert {arm.name: len(arm.seeds) for arm in evidence.arms} == {"5x5": 3, "7x7": 3, "3x3": 0, "again": 3}


def test_seeds_that_were_not_declared_do_not_count():
    many = trials_of(profile=Profile("many", (0, 1, 2, 3, 4)))
    assert assess(STUDY, many, THREE).to_dict() == assess(STUDY, trials_of(), THREE).to_dict()
    fewer = (replace(STUDY.arms[0], most_seeds=2), *STUDY.arms[1:])
    evidence = assess(make_study(arms=fewer), many, THREE)
    assert evidence.primary.interval is not None
    assert (evidence.primary.interval.n, evidence.primary.interval.dropped) == (2, 1)


def test_a_trial_given_twice_counts_once():
    trials = trials_of()
    assert assess(STUDY, trials + trials, THREE).to_dict() == assess(STUDY, trials, THREE).to_dict()


def test_versions_are_never_mixed():
    trials = trials_of()
    trials[0] = make_trial(0, 3, numerics_version=2)
    with pytest.raises(ConfigurationError, match=r"versions \[1, 2\]"):
        assess(STUDY, trials, THREE)
    both = [make_trial(0), make_trial(0, numerics_version=2)]
    with pytest.raises(ConfigurationError, match="two trials of one arm have seed 0"):
        values(both, "parameters")


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(ConfigurationError, match=r"did you mean 'test.accuracy'"):
        values([make_trial()], "test.accurac")


def test_estimate_without_reference():
    by_arm = {"3x3": [make_trial(s) for s in range(3)]}
    interval = estimate(STUDY.secondary[1], by_arm)
    assert interval is not None
    assert (interval.mean, interval.n) == (9.0, 3)
