"""The studies of what convolution keeps: described, planned, comparable arm by arm, and run once in miniature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConfigurationError
from convlens.plain import replaced
from convlens.studies.catalog import entry
from convlens.studies.metric import Metric, joined, of_arms
from convlens.studies.regime import SEEDS, epochs_for
from convlens.studies.run import run_study
from convlens.studies.runner import plan
from convlens.studies.spec import Profile, Study
from convlens.studies.trial import NAMES
from convlens.studies.tuned import tuned
from convlens.version import NUMERICS_VERSION

NAMED = ("boundary", "equivariance", "hierarchy", "pixel-permutation", "pooling", "receptive-field", "translation")
TINY = {
    "data.train_images": 200,
    "recipe.epochs": 1,
    "of.data.train_images": 200,
    "of.recipe.epochs": 1,
    "measure.images": 20,
    "measure.train_images": 100,
}

MAY_DIFFER = {  # what the arms of a contrast may differ in, by study: the factor, and what follows from it
    "boundary": {"model.layers", "of.model.layers", "weights"},
    "equivariance": {"of.model.layers", "measure.nodes", "weights"},
    "hierarchy": {"of.model.layers", "measure.nodes", "weights"},
    "pixel-permutation": {"model.layers", "data.permute"},
    "pooling": {"model.layers"},
    "receptive-field": {"of.model.layers", "measure.nodes", "weights"},
    "translation": {"of.model.layers", "of.recipe.augmentation"},
}


def rated(name: str) -> Study:
    """Return a study whose arms have a rate, tuned or not."""
    study = entry(name).study()
    return replace(study, arms=tuple(replace(arm, configuration=_rated(arm.configuration)) for arm in study.arms))


def _rated(configuration: Mapping[str, Any]) -> dict[str, Any]:
    training = configuration.get("of", configuration)
    rate = training["recipe"]["schedule"]["rate"] or 0.005
    found: dict[str, Any] = replaced(configuration, {"recipe.schedule.rate": rate, "of.recipe.schedule.rate": rate})
    return found


def differing(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Return the dotted names of values in which two configurations differ, but for names and rate."""
    found = set()
    for key in one.keys() | other.keys():
        left, right, place = one.get(key), other.get(key), f"{prefix}{key}"
        if key == NAMES or left == right or place.endswith("schedule.rate"):
            continue
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            found |= differing(left, right, f"{place}.")
        else:
            found.add(place)
    return found


@pytest.mark.parametrize("name", NAMED)
def test_every_profile_can_be_planned_by_its_executor(name: str) -> None:
    study = rated(name)
    for profile in entry(name).profiles.values():
        planned = plan(study, profile, numerics_version=NUMERICS_VERSION)
        assert {trial.arm for trial in planned} <= {arm.name for arm in study.arms}
        assert all(trial.metrics for trial in planned)


@pytest.mark.parametrize("name", NAMED)
def test_arms_of_a_contrast_differ_in_the_factor_alone(name: str) -> None:
    study = rated(name)
    arms = {arm.name: arm.configuration for arm in study.arms}
    for estimand in study.estimands:
        if estimand.reference is not None:
            apart = differing(arms[estimand.arm], arms[estimand.reference])
            assert apart, f"{estimand.name} compares a network with itself"
            assert apart <= MAY_DIFFER[name], estimand.name


@pytest.mark.parametrize("name", NAMED)
def test_rates_are_asked_for_by_every_arm_that_is_trained(name: str) -> None:
    for arm in entry(name).study().arms:
        training = arm.configuration.get("of", arm.configuration)
        assert isinstance(training, Mapping)
        if arm.configuration.get("weights") != "initial" or arm.level is None:  # stacks are never trained
            assert tuned(training) == training


@pytest.mark.parametrize("name", NAMED)
def test_profiles_have_seeds_of_their_own(name: str) -> None:
    profiles = {key: profile for key, profile in entry(name).profiles.items() if key != "claims"}  # of standard's seeds
    assert set(profiles) == {"quick", "standard", "full"}
    seeds = [seed for profile in profiles.values() for seed in profile.seeds]
    assert len(seeds) == len(set(seeds))
    assert all(set(profile.seeds) <= set(SEEDS[profile.name]) for profile in profiles.values())
    assert len(profiles["quick"].seeds) == 5


@pytest.mark.parametrize("name", NAMED)
def test_the_quick_profile_is_small(name: str) -> None:
    study = rated(name).under(entry(name).profiles["quick"])
    for arm in study.arms:
        training: Any = arm.configuration.get("of", arm.configuration)
        if arm.level is None:
            assert training["data"]["train_images"] == 1000
            assert training["recipe"]["epochs"] == 20


def test_matched_arms_come_close() -> None:
    found = [arm.matched for name in NAMED for arm in entry(name).study().arms if arm.matched is not None]
    assert found
    assert all(abs(one.ratio - 1) <= 0.05 for one in found)


def test_translation_measures_the_networks_that_pooling_trains() -> None:
    def trainings(name: str) -> set[str]:
        planned = plan(rated(name), entry(name).profiles["standard"], numerics_version=NUMERICS_VERSION)
        return {parent.key for trial in planned if (parent := trial.parent()) is not None} or {
            trial.key for trial in planned
        }

    shared = trainings("translation") & trainings("pooling")
    assert len(shared) == 4 * 10 + 5  # max, average, strided, blur with ten seeds, none with five


def test_steps_suffice_for_few_images() -> None:
    for images in (200, 1_000, 6_000, 18_000, 54_000):
        epochs = epochs_for(images, 64)
        assert epochs >= 3
        assert epochs * (images // 64) >= 300
        assert epochs == 3 or (epochs - 1) * (images // 64) < 300
    assert epochs_for(10, 64) == 300


def test_joined_metrics_are_of_all_their_arms() -> None:
    share, other = Metric("share", "fraction"), Metric("other", "fraction")
    found = joined(of_arms([share, other], ["a"]), of_arms([share], ["b", "a"]))
    assert {metric.name: metric.arms for metric in found} == {"share": ("a", "b"), "other": ("a",)}
    assert joined([share], of_arms([share], ["a"]))[0].arms is None
    with pytest.raises(ConfigurationError, match="two different metrics are called 'share'"):
        joined([share], [Metric("share", "count")])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_a_study_runs_in_miniature(name: str, tmp_path: Path) -> None:
    study = rated(name)
    known = {place for place in TINY if any(_has(arm.configuration, place) for arm in study.arms)}
    profile = Profile("tiny", (77,), {place: TINY[place] for place in known})
    result = run_study(study, profile, folder=tmp_path, threads=1)
    assert not result.failed
    assert not result.evidence.missing
    assert {trial.arm for trial in result.trials} <= {arm.name for arm in study.arms}
    for trial in result.trials:
        assert all(math.isfinite(trial.metrics[metric]) for metric in study.required_of(trial.arm))


def _has(configuration: Mapping[str, Any], place: str) -> bool:
    inner: Any = configuration
    for key in place.split("."):
        if not isinstance(inner, Mapping) or key not in inner:
            return False
        inner = inner[key]
    return True
