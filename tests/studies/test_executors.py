"""A configuration with an unknown key or value is an error; a trial's key covers what decides its result."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConfigurationError, DataError
from convlens.models import CNN
from convlens.plain import places, replaced
from convlens.studies.executors import check, execute, training
from convlens.studies.executors.training import configuration
from convlens.studies.executors.training_configuration import load_data
from convlens.studies.runner import plan
from convlens.studies.spec import Arm, Estimand, Profile
from convlens.studies.statistics.verdict import greater_than
from convlens.studies.trial import PlannedTrial, trial_key
from convlens.train import Recipe
from tests.toys import write_toy_folder

from .examples import make_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_folder(tmp_path / "bars")


def described(folder: Path, **places_to_values: Any) -> dict[str, Any]:
    found = configuration(CNN(filters=(3, 4), hidden=8), dataset=str(folder), epochs=1)
    return replaced(found, {place.replace("__", "."): value for place, value in places_to_values.items()})


def with_key(base: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    *path, last = place.split(".")
    inner = base
    for name in path:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    return base


WRONG = {
    "data.blurred": r"data: unknown key 'blurred'; known: permute, sha256",
    "data.train_image": r"data: unknown key 'train_image'; did you mean 'train_images'",
    "seeds.shufle": r"seeds: unknown key 'shufle'; did you mean 'shuffle'",
    "names.model_name": r"names: unknown key 'model_name'",
    "model.layer": r"model: unknown key 'layer'; did you mean 'layers'",
    "model.layers.0.filter": r"unknown key 'filter'; did you mean 'filters'",
    "recipe.epoch": r"recipe: unknown key 'epoch'; did you mean 'epochs'",
    "recipe.optimizer.beta_1": r"'beta_1'; did you mean 'beta1'",
    "recipe.schedule.ratee": r"'ratee'; did you mean 'rate'",
    "recipe.name": r"recipe: unknown key 'name'; its name is in names\.recipe",
    "model.name": r"model: unknown key 'name'",
    "augment": r"small cnn: unknown key 'augment'",
}


@pytest.mark.parametrize("place", WRONG)
def test_an_unknown_key_at_any_depth_is_named_when_a_study_is_planned_and_when_it_is_run(
    folder: Path, place: str
) -> None:
    wrong = with_key(described(folder), place, 1)
    arms = (Arm("small cnn", wrong), Arm("other", described(folder)))
    study = make_study(arms=arms, primary=Estimand("g", "test.accuracy", "other", greater_than(0)), secondary=())
    with pytest.raises(ConfigurationError, match=WRONG[place]):
        plan(study, Profile("one", (0,)), numerics_version=1)
    with pytest.raises(ConfigurationError, match=WRONG[place].replace("cnn:", "cnn, seed 0:")):
        execute(PlannedTrial("toy", "small cnn", 0, wrong, 1))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("kind", "trainin", "unknown kind 'trainin'; did you mean 'training'"),
        ("data.sha256", "abc", "data: sha256 is 64 hexadecimal digits, not 'abc'"),
        ("data.train_images", 0, "train_images is a whole number above 0"),
        ("data.validation_fraction", 1.5, "validation_fraction is a number between 0 and 1"),
        ("seeds.split", "trail", "seeds: split is a number or 'trial'"),
        ("seeds.subset", -1, "subset: a seed is a whole number"),
        ("recipe", 3, "recipe is a mapping"),
        ("kind", ["a"], r"unknown kind \['a'\]; known"),
        ("model.layers", 3, "toy: layers are a list of tables"),
        ("recipe.optimizer", None, "toy: optimiser is a mapping such as"),
        ("recipe.schedule.rate", "fast", "toy: .*learning rate is a number"),
        ("recipe.optimizer", {"name": "Adam", "beta1": [1]}, "toy: .*beta1 is a number"),
        ("recipe.augmentation", 3, "toy: augmentation: expected settings by name"),
        ("names.data", None, "toy: names: data is a text, not None"),
        ("data.train_images", "all", "train_images is a whole number above 0"),
    ],
)
def test_a_value_that_cannot_be(folder: Path, place: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check(with_key(described(folder), place, value), "toy")


def test_every_setting_is_stated_and_so_a_profile_may_override_it(folder: Path) -> None:
    found = described(folder)
    assert found["model"]["layers"][0] == {"layer": "Conv2D", **vars(CNN(filters=(3, 4), hidden=8).layers(3)[0])}
    assert found["recipe"].keys() == {field.name for field in dataclasses.fields(Recipe)} - {"name"}
    arms = (Arm("small cnn", found),)
    study = make_study(arms=arms, primary=Estimand("g", "test.accuracy", "small cnn", greater_than(0)), secondary=())
    profile = Profile("smooth", (0,), {"recipe.label_smoothing": 0.1, "recipe.augmentation": {"shift": 1}})
    (planned,) = plan(study, profile, numerics_version=1)
    assert planned.configuration["recipe"]["label_smoothing"] == 0.1  # type: ignore[index,call-overload]


def test_what_is_missing_is_named(folder: Path) -> None:
    for section, name in (("seeds", "shuffle"), ("data", "sha256"), ("recipe", "optimizer")):
        lacking = described(folder)
        del lacking[section][name]
        with pytest.raises(ConfigurationError, match=f"toy: {section} lacks '{name}'"):
            check(lacking, "toy")
    with pytest.raises(ConfigurationError, match=r"no 'kind'; known: .*training"):
        check({}, "toy")


def test_changed_data_make_a_new_key_and_moved_data_do_not(folder: Path, tmp_path: Path) -> None:
    before = described(folder)
    shutil.copytree(folder, tmp_path / "moved")
    moved = described(tmp_path / "moved")
    assert moved != before
    assert trial_key(moved, 0, 1) == trial_key(before, 0, 1)
    write_toy_folder(folder, train=303)
    assert trial_key(described(folder), 0, 1) != trial_key(before, 0, 1)
    with pytest.raises(DataError, match=r"bars' has changed: .* plan the trial again"):
        execute(PlannedTrial("toy", "small cnn", 0, before, 1))


def test_data_are_loaded_once_for_all_arms(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    monkeypatch.setattr(training, "load_data", lambda name: loads.append(name) or load_data(name))
    before = [described(folder) for _ in range(3)]
    assert before[0] == before[2]
    assert len(loads) == 1
    write_toy_folder(folder, train=303)
    assert described(folder) != before[0]
    assert len(loads) == 2


def test_names_are_not_in_the_key_and_all_else_is(folder: Path) -> None:
    base = described(folder)
    key = trial_key(base, 0, 1)
    for place in places(base) - {"names", "model", "data", "seeds", "recipe", "recipe.optimizer", "recipe.schedule"}:
        changed = trial_key(replaced(base, {place: "another"}), 0, 1)
        assert (changed == key) == place.startswith("names."), place


def test_a_seed_is_a_number_or_the_trials_own(folder: Path) -> None:
    fixed = described(folder, seeds__initialisation=7, seeds__shuffle=7)
    outcomes = [execute(PlannedTrial("toy", "a", seed, fixed, 1)).history for seed in (0, 1)]
    assert outcomes[0] == outcomes[1] == execute(PlannedTrial("toy", "a", 7, described(folder), 1)).history
    own = [execute(PlannedTrial("toy", "a", seed, described(folder, seeds__split="trial"), 1)) for seed in (0, 1)]
    assert own[0].labels["validation"].tolist() != own[1].labels["validation"].tolist()
    assert own[1].provenance["split"]["seed"] == 1  # type: ignore[index,call-overload]
