"""What `fit` promises: it learns, it repeats itself to the bit, it reads the test set once, and it stops well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import NUMERICS_VERSION, nn
from convlens.data import Dataset
from convlens.errors import ArtifactError, ConfigurationError, OutputError, TrainingDiverged, TrainingInterrupted
from convlens.models import CNN
from convlens.optim import SGD, Adam, Constant, OneCycle
from convlens.train import Hook, Recipe, Run, Training, fit
from convlens.train import checkpoint as checkpoints

RECIPE = Recipe("test", Adam(), OneCycle(5e-3), epochs=4, batch_size=16)


def small_cnn(toy: Dataset, seed: int = 3) -> nn.Model:
    return nn.Model(CNN(filters=(4, 6), hidden=12).layers(3), toy.input_shape, seed)


class StopAt(Hook):
    """Asks for a stop after a number of steps, as Ctrl-C would: through the same flag."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step_end(self, training: Training) -> None:
        self.left -= 1
        if self.left == 0:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)


def test_learns_and_reports(toy: Dataset) -> None:
    run = fit(small_cnn(toy), toy, RECIPE)
    assert run.test is not None
    assert run.test.accuracy > 0.95
    assert run.test.confusion.sum() == len(toy.test) == run.test.images
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4]
    assert run.history[-1]["train.loss"] < run.history[0]["train.loss"]
    assert run.images_per_second > 0
    whole = run.to_dict()
    for key in ("parameters", "validation", "test", "history", "seconds", "engine", "threads", "versions", "seed"):
        assert key in whole
    assert whole["configuration"]["recipe"]["epochs"] == 4


def test_the_test_set_is_read_once_and_only_at_the_end(toy: Dataset) -> None:
    seen = []

    class Watch(Hook):
        def on_epoch_end(self, training: Training, row: dict[str, Any]) -> None:
            seen.append(toy.test.reads)

    before = toy.test.reads
    run = fit(small_cnn(toy), toy, RECIPE, hooks=[Watch()])
    assert set(seen) == {before}
    assert toy.test.reads == before + 1
    assert run.test_reads == 1
    assert fit(small_cnn(toy), toy, RECIPE, test=False).test_reads == 0


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_the_bits(toy: Dataset, threads: int) -> None:
    one = fit(small_cnn(toy).use(threads=1), toy, RECIPE)
    other = fit(small_cnn(toy).use(threads=threads), toy, RECIPE)
    assert one.model.flat.tobytes() == other.model.flat.tobytes()
    assert one.history == other.history


def test_engines_learn_the_same(toy: Dataset) -> None:
    plan = fit(small_cnn(toy).use("numpy"), toy, replace(RECIPE, epochs=1))
    meaning = fit(small_cnn(toy).use("interpreter"), toy, replace(RECIPE, epochs=1))
    assert np.abs(plan.model.flat - meaning.model.flat).max() < 1e-4 * np.abs(meaning.model.flat).max()


@pytest.mark.parametrize("stop", [1, 7, 15, 16, 30, 44])
@pytest.mark.parametrize("optimizer", [Adam(), SGD(momentum=0.9)], ids=["adam", "sgd"])
def test_resumed_equals_uninterrupted(toy: Dataset, tmp_path: Path, stop: int, optimizer: Adam | SGD) -> None:
    recipe = replace(RECIPE, epochs=3, optimizer=optimizer)
    whole = fit(small_cnn(toy), toy, recipe)
    path = tmp_path / "c.safetensors"
    with pytest.raises(TrainingInterrupted, match=r"saved to .*c\.safetensors") as stopped:
        fit(small_cnn(toy), toy, recipe, checkpoint=path, hooks=[StopAt(stop)])
    assert stopped.value.exit_code == 130
    resumed = fit(small_cnn(toy), toy, recipe, checkpoint=path, resume=True)
    assert_same(resumed, whole)


def test_resuming_twice_and_after_the_end(toy: Dataset, tmp_path: Path) -> None:
    whole, path = fit(small_cnn(toy), toy, RECIPE), tmp_path / "c.safetensors"
    for stop in (5, 20):
        with pytest.raises(TrainingInterrupted):
            fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True, hooks=[StopAt(stop)])
    assert_same(fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True), whole)
    assert_same(fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True), whole)


def assert_same(one: Run, other: Run) -> None:
    assert one.model.flat.tobytes() == other.model.flat.tobytes()
    assert one.history == other.history
    assert one.best_epoch == other.best_epoch
    assert one.test is not None
    assert other.test is not None
    assert one.test.to_dict() == other.test.to_dict()


def test_a_checkpoint_of_another_training_is_refused(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    fit(small_cnn(toy), toy, RECIPE, checkpoint=path)
    with pytest.raises(ConfigurationError, match=r"recipe\.batch_size is 16 there and 8 here"):
        fit(small_cnn(toy), toy, replace(RECIPE, batch_size=8), checkpoint=path, resume=True)
    with pytest.raises(ConfigurationError, match=r"seed"):
        fit(small_cnn(toy, seed=4), toy, RECIPE, checkpoint=path, resume=True)


def test_a_checkpoint_of_other_numerics_is_refused(
    toy: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.safetensors"
    fit(small_cnn(toy), toy, RECIPE, checkpoint=path)
    monkeypatch.setattr(checkpoints, "NUMERICS_VERSION", NUMERICS_VERSION + 1)
    with pytest.raises(ConfigurationError, match=rf"numerics version {NUMERICS_VERSION}, this one has .*start again"):
        fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True)


def test_a_damaged_checkpoint_is_refused(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    fit(small_cnn(toy), toy, RECIPE, checkpoint=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="damaged"):
        fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True)


def test_an_unwritable_checkpoint_is_found_before_training(toy: Dataset, tmp_path: Path) -> None:
    model = small_cnn(toy)
    before = model.flat.copy()
    with pytest.raises(OutputError, match="no folder"):
        fit(model, toy, RECIPE, checkpoint=tmp_path / "nowhere" / "c.safetensors")
    assert model.flat.tobytes() == before.tobytes()


def test_divergence_stops_with_the_last_good_checkpoint(toy: Dataset, tmp_path: Path) -> None:
    path, model = tmp_path / "c.safetensors", small_cnn(toy)
    fit(model, toy, RECIPE, checkpoint=path)
    good = path.read_bytes()
    wild = Recipe("wild", SGD(), Constant(1e20), epochs=4, batch_size=16)
    with pytest.raises(TrainingDiverged, match=r"the loss became (nan|inf) in epoch 1.*smaller learning rate"):
        fit(small_cnn(toy), toy, wild)
    with pytest.raises(ConfigurationError, match=r"checkpoint .*c\.safetensors exists, .*--resume"):
        fit(small_cnn(toy), toy, wild, checkpoint=path)
    assert path.read_bytes() == good


def test_early_stopping_restores_the_best(toy: Dataset) -> None:
    recipe = Recipe("patient", SGD(momentum=0.9), Constant(0.05), epochs=40, batch_size=16, patience=2)
    run = fit(small_cnn(toy), toy, recipe)
    accuracies = [row["validation.accuracy"] for row in run.history]
    assert len(accuracies) < 40
    assert len(accuracies) == run.best_epoch + 2
    assert run.validation.accuracy == max(accuracies) == accuracies[run.best_epoch - 1]


def test_model_and_data_must_fit(toy: Dataset) -> None:
    with pytest.raises(ConfigurationError, match=r"\(28, 28, 1\) and 10 classes.*\(8, 8, 1\) and 3 classes"):
        fit(nn.Model([nn.Flatten(), nn.Dense(10)], (28, 28, 1)), toy)


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"batch_size": -1}, {"patience": 0}, {"epochs": 1.5}])
def test_recipes_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(bad))):
        replace(RECIPE, **bad)


def test_recipes_go_through_plain_data() -> None:
    assert Recipe.from_dict(RECIPE.to_dict()) == RECIPE
    with pytest.raises(ConfigurationError, match="did you mean 'epochs'"):
        Recipe.from_dict({**RECIPE.to_dict(), "epoch": 3})
    with pytest.raises(ConfigurationError, match="did you mean 'Adam'"):
        Recipe.from_dict({**RECIPE.to_dict(), "optimizer": {"name": "Adan"}})


@pytest.mark.parametrize("batch_size", [16, 100_000])
def test_divergence_in_the_last_update_is_found(toy: Dataset, batch_size: int) -> None:
    wild = replace(RECIPE, optimizer=SGD(), schedule=Constant(1e38), epochs=1, batch_size=batch_size)
    with pytest.raises(TrainingDiverged, match="smaller learning rate"):
        fit(small_cnn(toy), toy, wild)


def test_a_model_takes_the_names_of_the_classes_and_refuses_others(toy: Dataset) -> None:
    model, names = small_cnn(toy), tuple(toy.class_names)
    fit(model, toy, replace(RECIPE, epochs=1))
    assert model.class_names == names
    layers = CNN(filters=(4, 6), hidden=12).layers(3)
    other = nn.Model(layers, toy.input_shape, class_names=tuple(reversed(names)))
    with pytest.raises(ConfigurationError, match=f"classes are {', '.join(reversed(names))}, and those of"):
        fit(other, toy, RECIPE)


@pytest.mark.parametrize("seed", [1.5, True, "1", -1])
def test_a_seed_is_a_whole_number(toy: Dataset, seed: Any) -> None:
    with pytest.raises(ConfigurationError, match="a seed is"):
        fit(small_cnn(toy), toy, RECIPE, seed=seed)
