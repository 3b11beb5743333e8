"""A study is data: it survives JSON, and a wrong name is rejected with the nearest right one."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens.errors import ConfigurationError, DataError
from convlens.plain import canonical, plain
from convlens.studies.runner import plan
from convlens.studies.spec import Arm, Estimand, Metric, Profile, Study, trial_key
from convlens.studies.statistics.verdict import greater_than
from convlens.studies.trial import TrialOutcome

from .examples import THREE, configuration, make_study, planned_trial

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def test_a_study_survives_json():
    study = make_study()
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study
    assert Profile.from_dict(json.loads(json.dumps(THREE.to_dict()))) == THREE
    assert pickle.loads(pickle.dumps(study)) == study
    assert hash(study) == hash(make_study())


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_canonical_text_depends_on_content_alone(mapping):
    text = canonical(mapping)
    reordered = dict(reversed(mapping.items()))
    assert canonical(reordered) == text
    assert canonical(json.loads(text)) == text
    assert text.isascii()


def test_the_key_is_pinned():
    """It must never change: it would orphan every stored trial."""
    key = trial_key({"b": [1, 2.5, "é"], "a": None}, 3, 1)
    assert key == "7395e9fb29f52c1b15f8bbb8517a2296136e6ad1d71b1ba7bd97e59fbc6d785d"


def test_the_key_tells_runs_apart_but_not_studies():
    base = planned_trial()
    assert planned_trial(study="other", arm="x", cost=9.0, metrics=("m",)).key == base.key
    others = [planned_trial(seed=1), planned_trial(kernel_size=5), planned_trial(numerics_version=2)]
    assert len({base.key, *(other.key for other in others)}) == 4


def test_a_configuration_is_a_private_copy():
    given_configuration = configuration(3)
    arm = Arm("a", given_configuration)
    given_configuration["model"]["kernel_size"] = 5
    assert arm.configuration == configuration(3)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"recipe": {"rate": math.nan}}, r"x\.recipe\.rate is nan"),
        ({"recipe": [1, np.int64(2)]}, r"x\.recipe\[1\] is a int64"),
        ({1: 2}, "key 1"),
        ({"a": {1, 2}}, "set"),
    ],
)
def test_what_is_not_json_is_named_by_its_place(value, message):
    with pytest.raises(ConfigurationError, match=message):
        plain(value, "x")


def test_numpy_floats_become_plain():
    assert type(plain(np.float64(0.5), "x")) is float


SIZE = Metric("parameters", "count")
GAIN = Estimand("gain", "test.accuracy", "3x3", greater_than(0.0), reference="7x7")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"primary": Estimand("g", "test.acuracy", "3x3", greater_than(0))}, "did you mean 'test.accuracy'"),
        (
            {"primary": Estimand("g", "parameters", "3*3", greater_than(0))},
            "unknown arm '3\\*3'; did you mean",
        ),
        ({"primary": Estimand("g", "parameters", "3x3", greater_than(0), "9x9")}, "unknown arm '9x9'"),
        ({"secondary": (GAIN,)}, "different names"),
        ({"arms": (Arm("a", {}), Arm("a", {"b": 1}))}, "different names"),
        ({"arms": ()}, "one or more arms"),
        ({"why": " "}, "why is empty"),
        ({"data": "mnist"}, "data is a tuple, not 'mnist'"),
        ({"metrics": (Metric("test.accuracy", "fraction", arms=("3*3",)),)}, "unknown arm '3\\*3'; did you mean"),
        (
            {"metrics": (Metric("test.accuracy", "fraction", arms=("5x5", "7x7")), SIZE)},
            "unknown metric 'test.accuracy'",
        ),
        ({"metrics": (SIZE, SIZE)}, "metrics with different names"),
        ({"max_minutes": 0}, "max_minutes"),
        ({"name": " kernel"}, "name of a study"),
    ],
)
def test_a_study_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        make_study(**changes)


def test_an_estimand_compares_two_arms():
    with pytest.raises(ConfigurationError, match="with itself"):
        Estimand("g", "m", "a", greater_than(0), reference="a")


@pytest.mark.parametrize("seeds", [(), (1, 1), (-1,), (True,), (0.5,)])
def test_a_profile_has_different_whole_seeds(seeds):
    with pytest.raises(ConfigurationError, match="seed"):
        Profile("p", seeds)


def test_a_metric_is_required_of_its_arms_alone():
    study = make_study(metrics=(*make_study().metrics, Metric("shift", "pixels", arms=("5x5",))))
    assert study.required_of("5x5") == ("test.accuracy", "parameters", "shift")
    assert study.required_of("3x3") == ("test.accuracy", "parameters")
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study
    planned = {trial.arm: trial.metrics for trial in plan(study, THREE, numerics_version=1)}
    assert planned["5x5"] == study.required_of("5x5")
    assert planned["3x3"] == study.required_of("3x3")


@pytest.mark.parametrize("changes", [{"name": ""}, {"unit": " s"}, {"resolution": 0.0}, {"resolution": math.inf}])
def test_a_metric_that_cannot_be(changes):
    with pytest.raises(ConfigurationError):
        Metric(**{"name": "x", "unit": "s", **changes})


def test_unknown_and_missing_keys():
    text = make_study().to_dict()
    with pytest.raises(ConfigurationError, match="unknown key 'predicton'; did you mean 'prediction'"):
        Study.from_dict({**text, "predicton": "x"})
    del text["why"]
    with pytest.raises(ConfigurationError, match="study lacks 'why'"):
        Study.from_dict(text)
    with pytest.raises(ConfigurationError, match="unknown key 'configurations'; did you mean 'configuration'"):
        Arm.from_dict({"name": "a", "configurations": {}})


def test_overrides_reach_nested_places_and_leave_arms_without_them():
    arms = (*make_study().arms, Arm("trees", {"kind": "toy", "model": {"name": "trees"}}))
    study = make_study(arms=arms)
    quick = study.under(Profile("quick", (0,), {"recipe.epochs": 1}))
    assert [arm.configuration.get("recipe") for arm in quick.arms] == [{"epochs": 1}] * 3 + [None]
    assert study.arms[0].configuration["recipe"] == {"epochs": 3}


def test_overriding_a_place_that_no_arm_has():
    with pytest.raises(ConfigurationError, match=r"'recipe.epoch'; did you mean 'recipe.epochs'"):
        make_study().under(Profile("quick", (0,), {"recipe.epoch": 1}))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"metrics": {"test.loss": math.inf}}, "'test.loss' is inf"),
        ({"predictions": {"test": np.zeros(3)}}, "float64 of shape"),
        ({"predictions": {"test": np.zeros((3, 1), np.uint8)}}, r"\(3, 1\)"),
        ({"predictions": {"test": [1, 2]}}, "list"),
        (
            {"predictions": {"test": np.zeros(3, np.uint8)}, "labels": {"test": np.zeros(4, np.uint8)}},
            "3 predictions but 4 labels",
        ),
    ],
)
def test_an_outcome_that_cannot_be(parts, message):
    with pytest.raises(DataError, match=message):
        TrialOutcome(**{"metrics": {}, **parts})


def test_predictions_cannot_change_after_the_fact():
    predicted = np.zeros(3, np.uint8)
    outcome = TrialOutcome(metrics={}, predictions={"test": predicted})
    predicted[0] = 7
    assert outcome.predictions["test"].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        outcome.predictions["test"][0] = 1
