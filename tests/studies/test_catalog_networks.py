"""The studies that compare networks: described, planned, comparable arm by arm, and run once in miniature."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens.models import CNN, measure
from convlens.studies.catalog import entry
from convlens.studies.executors import execute
from convlens.studies.executors.training_configuration import TrainingConfiguration
from convlens.studies.needs import needs
from convlens.studies.pools.pool import LocalPool
from convlens.studies.regime import QUICK_IMAGES, SEEDS, epochs_for, few_images
from convlens.studies.run import run_study
from convlens.studies.runner import plan
from convlens.studies.spec import Profile, Study
from convlens.studies.trial import NAMES
from convlens.studies.tuned import tuned
from convlens.version import NUMERICS_VERSION
from tests.rates import rated

NAMED = ("baseline-vs-cnn", "bias-ladder", "kernel-size", "sample-efficiency", "stacking")
TINY = {"data.train_images": 200, "recipe.epochs": 1}


def differing(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Return the dotted names of values in which two configurations differ, but for names and rate."""
    found = set()
    for key in one.keys() | other.keys():
        left, right, place = one.get(key), other.get(key), f"{prefix}{key}"
        if key == NAMES or left == right or place == "recipe.schedule.rate":
            continue
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            found |= differing(left, right, f"{place}.")
        else:
            found.add(place)
    return found


@pytest.mark.parametrize("name", NAMED)
def test_a_study_is_described_and_planned_at_once(name: str) -> None:
    began = time.process_time()
    study = rated(name)
    planned = {
        profile.name: plan(study, profile, numerics_version=NUMERICS_VERSION)
        for profile in entry(name).profiles.values()
    }
    assert time.process_time() - began < 5  # a fraction of a second: whoever reads data here needs more
    assert all(planned.values())
    assert Study.from_dict(study.to_dict()).to_dict() == study.to_dict()


@pytest.mark.parametrize("name", NAMED)
def test_arms_of_a_contrast_differ_in_their_layers_alone(name: str) -> None:
    study = rated(name)
    arms = {arm.name: arm.configuration for arm in study.arms}
    for estimand in study.estimands:
        if estimand.reference is not None:
            assert differing(arms[estimand.arm], arms[estimand.reference]) == {"model.layers"}, estimand.name


@pytest.mark.parametrize("name", NAMED)
def test_every_arm_is_tuned_but_those_of_the_plain_regime(name: str) -> None:
    for arm in entry(name).study().arms:
        recipe: Any = arm.configuration["recipe"]
        if "plain" in arm.name:
            assert (recipe["optimizer"]["name"], recipe["schedule"]["rate"]) == ("SGD", 0.01)
        else:
            assert tuned(arm.configuration) == arm.configuration


@pytest.mark.parametrize("name", NAMED)
def test_profiles_have_seeds_of_their_own_and_seeds_enough(name: str) -> None:
    profiles = {key: profile for key, profile in entry(name).profiles.items() if key != "claims"}  # of standard's seeds
    assert list(profiles) == ["quick", "standard", "full"]
    assert all(profile.seeds == tuple(SEEDS[profile.name]) for profile in profiles.values())
    seeds = [seed for profile in profiles.values() for seed in profile.seeds]
    assert len(seeds) == len(set(seeds))
    assert all(profile.all_looks[0] in (5, 10) for profile in profiles.values())


@pytest.mark.parametrize("name", NAMED)
def test_the_quick_profile_trains_on_few_images_long_enough(name: str) -> None:
    study = rated(name).under(entry(name).profiles["quick"])
    assert study.primary.reference is not None
    for arm in study.arms:
        data, recipe, seeds = (arm.configuration[part] for part in ("data", "recipe", "seeds"))
        images = data["train_images"]  # type: ignore[index,call-overload]
        assert images in ((100, QUICK_IMAGES) if name == "sample-efficiency" else (QUICK_IMAGES,))
        assert recipe["epochs"] >= epochs_for(QUICK_IMAGES)  # type: ignore[index,call-overload]
        assert seeds["subset"] == "trial"  # type: ignore[index,call-overload]


def test_few_images_are_trained_on_as_by_the_rule() -> None:
    assert few_images() == {"data.train_images": 1000, "recipe.epochs": epochs_for(1000), "seeds.subset": "trial"}


@pytest.mark.parametrize("name", NAMED)
def test_matched_arms_come_within_five_per_cent(name: str) -> None:
    for arm in rated(name).arms:
        if arm.matched is not None:
            assert abs(arm.matched.ratio - 1) <= 0.05, arm.name


@pytest.mark.parametrize("name", ["bias-ladder", "kernel-size", "sample-efficiency"])
def test_the_primary_estimand_is_measured_on_a_second_data_set_with_five_seeds(name: str) -> None:
    study = rated(name)
    arms = {arm.name: arm for arm in study.arms}
    on_clothes = [one for one in study.secondary if one.name == f"{study.primary.name}, fashion-mnist"]
    (one,) = on_clothes or [one for one in study.secondary if one.name == "3x3 over 5x5, fashion-mnist"]
    for ours, theirs in ((study.primary.arm, one.arm), (study.primary.reference, one.reference)):
        digits, clothes = arms[str(ours)], arms[str(theirs)]
        assert differing(digits.configuration, clothes.configuration) == {"data.sha256"}
        assert clothes.most_seeds == 5


def test_the_ladder_changes_one_thing_a_rung() -> None:
    """Local and convolution have the same FLOPs; convolution and pooling the same number of weights."""
    from convlens.studies.catalog.bias_ladder import RUNGS

    size = {
        rung: tuple(measure(network, what, (28, 28, 1), 10) for what in ("parameters", "flops"))  # type: ignore[arg-type]
        for rung, (network, _) in RUNGS.items()
    }
    assert size["local"][1] == size["convolution"][1]
    assert size["convolution"][0] == size["pooling"][0]
    assert size["dense"][0] > size["local"][0] > size["convolution"][0] > size["global average"][0]
    assert size["global average, as large"][0] == pytest.approx(size["pooling"][0], rel=0.01)


def test_stacks_are_larger_as_stated_and_smaller_from_c_to_c_channels() -> None:
    """By the sums of STUDIES: 2 x 9 against 25 weights a pair of channels, but 9 + 9 x 2 against 25 where C grows."""
    arms = {arm.name: arm for arm in rated("stacking").arms}

    def kernel_weights(name: str) -> int:
        wanted = TrainingConfiguration.read(arms[name].configuration, name)
        network = wanted.build(wanted.dataset(7), 7)
        return sum(node.parameters["w"].size for node in network.program.nodes if node.op == "conv2d")

    assert (kernel_weights("3x3 twice"), kernel_weights("5x5")) == (16_272, 13_200)
    assert (kernel_weights("3x3 thrice"), kernel_weights("7x7")) == (27_792, 25_872)
    assert kernel_weights("3x3 twice, C to C") < kernel_weights("5x5, C to C")
    assert kernel_weights("3x3 thrice, C to C") < kernel_weights("7x7, C to C")


@pytest.mark.parametrize("channels", ["", ", C to C"])
@pytest.mark.parametrize(("deep", "stack"), [("5x5 and 1x1", "3x3 twice"), ("7x7 and two 1x1", "3x3 thrice")])
def test_stacks_are_compared_with_one_kernel_as_deep(deep: str, stack: str, channels: str) -> None:
    arms = {arm.name: arm.configuration for arm in rated("stacking").arms}

    def kinds(name: str) -> list[str]:
        model: Any = arms[f"{name}{channels}"]["model"]
        return [layer["layer"] for layer in model["layers"]]

    assert kinds(deep) == kinds(stack), "as many convolutions and ReLUs"


def test_equal_flops_keep_the_input_of_the_dense_layer() -> None:
    arms = {arm.name: arm for arm in rated("kernel-size").arms}
    for name in ("5x5, equal FLOPs", "7x7, equal FLOPs"):
        model: Any = arms[name].configuration["model"]
        filters = [layer["filters"] for layer in model["layers"] if layer["layer"] == "Conv2D"]
        assert filters[1] == 32
        parameters = measure(CNN(int(name[0]), tuple(filters)), "parameters", (28, 28, 1), 10)
        assert parameters == pytest.approx(206_922, rel=0.01)


def test_subsets_are_shared_by_the_arms_of_a_seed_and_drawn_anew_by_every_seed() -> None:
    arms = {arm.name: arm.configuration for arm in rated("sample-efficiency").arms}

    def images(name: str, seed: int) -> np.ndarray[Any, Any]:
        return TrainingConfiguration.read(arms[name], name).dataset(seed).train.images

    assert np.array_equal(images("cnn, 10 a class", 1), images("dense, 10 a class", 1))
    assert not np.array_equal(images("cnn, 10 a class", 1), images("cnn, 10 a class", 2))
    one, ten = (images(f"cnn, {n} a class", 1).reshape(-1, 784) for n in (1, 10))
    assert {row.tobytes() for row in one} <= {row.tobytes() for row in ten}, "nested"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_a_study_runs_in_miniature(name: str, tmp_path: Path) -> None:
    study = rated(name)
    tiny = Profile("tiny", (77,), TINY)
    result = run_study(study, tiny, folder=tmp_path, pool=LocalPool(execute))
    assert (result.failed, result.evidence.missing) == ([], 0)
    here = [arm.name for arm in study.arms if not needs(arm.configuration)]
    assert [arm.name for arm in result.arms] == here
    assert all(trial.metrics["test.reads"] == 1 for trial in result.trials)
