"""Checkpoints: none but the training's own is written, only finite weights are, and trainings can be extended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import artifact, models, nn
from convlens.data import Dataset
from convlens.errors import ConfigurationError, TrainingDiverged
from convlens.models import CNN
from convlens.optim import SGD, Adam, Constant, Cosine, OneCycle, Schedule, StepDecay
from convlens.train import Hook, Recipe, Saver, Training, fit

RECIPE = Recipe("test", Adam(), Constant(2e-3), epochs=2, batch_size=16)


def small(toy: Dataset, seed: int = 3) -> nn.Model:
    return nn.Model(CNN(filters=(4, 6), hidden=12).layers(3), toy.input_shape, seed)


class Stop(Hook):
    """Stops the training after a number of steps."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_step_end(self, training: Training) -> None:
        if training.steps_taken == self.after:
            training.stop()


def train(toy: Dataset, path: Path | Saver, recipe: Recipe = RECIPE, *, seed: int = 3, **more: Any) -> nn.Model:
    return fit(small(toy, seed), toy, recipe, checkpoint=path, progress=False, **more).model


def test_a_checkpoint_that_exists_is_not_overwritten(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text("something else")
    with pytest.raises(ConfigurationError, match=r"c exists, and a new training would overwrite it; .*--resume"):
        train(toy, path)
    assert path.read_text() == "something else"


def test_a_file_that_appears_during_training_is_not_overwritten(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c"

    class Appear(Hook):
        def on_epoch_begin(self, training: Training) -> None:
            path.write_text("another's")

    saver = Saver(path)
    train(toy, saver, hooks=[Appear()], epochs=1)
    assert path.read_text() == "another's"
    assert saver.written == tmp_path / "c-2"


def test_a_safety_net_is_its_own(toy: Dataset, tmp_path: Path) -> None:
    """Another training's stays; this one's is beside it, is found again, and is the only one removed."""
    path = tmp_path / "m.checkpoint"
    train(toy, Saver(path, on_interrupt_only=True), seed=1, hooks=[Stop(5)])
    other = path.read_bytes()
    train(toy, Saver(path, on_interrupt_only=True), hooks=[Stop(7)])
    assert path.read_bytes() == other
    saver = Saver(path, on_interrupt_only=True)
    assert saver.existing() == [path, tmp_path / "m-2.checkpoint"]
    resumed = train(toy, saver, resume=True)
    assert saver.written == tmp_path / "m-2.checkpoint"
    assert resumed.flat.tobytes() == fit(small(toy), toy, RECIPE).model.flat.tobytes()
    saver.remove()
    assert [one.name for one in tmp_path.iterdir()] == ["m.checkpoint"]
    with pytest.raises(ConfigurationError, match="belongs to another training"):
        train(toy, Saver(path, on_interrupt_only=True), seed=2, resume=True)


def test_resume_needs_a_file(toy: Dataset) -> None:
    with pytest.raises(ConfigurationError, match="resume needs a checkpoint"):
        fit(small(toy), toy, RECIPE, resume=True)


class Spoil(Hook):
    """Makes the weights infinite, or far too large, after some step, as a fatal update does."""

    def __init__(self, step: int, value: float = np.inf) -> None:
        self.step, self.value = step, value

    def on_step_end(self, training: Training) -> None:
        if training.steps_taken == self.step:
            training.model.flat[:] = self.value


@pytest.mark.parametrize("spoiled", [20, 21, 30])
def test_the_last_good_checkpoint_is_good(
    toy: Dataset, tmp_path: Path, spoiled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever a checkpoint is due after the fatal step, even at once, and after the last step of all."""
    monkeypatch.setattr("convlens.train.saver.CHECKPOINT_SECONDS", 0.0)
    path = tmp_path / "c"
    with pytest.raises(TrainingDiverged, match=r"not finite .*smaller learning rate.*last good checkpoint is .*c$"):
        train(toy, path, hooks=[Spoil(spoiled)])
    kept = artifact.read(path, "checkpoint")
    assert all(np.isfinite(array).all() for array in kept.arrays.values())
    assert train(toy, path, resume=True).flat.tobytes() == fit(small(toy), toy, RECIPE).model.flat.tobytes()


def test_a_stop_after_the_fatal_step_saves_nothing(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c"
    with pytest.raises(TrainingDiverged, match="after epoch 1, step 5 "):
        train(toy, path, hooks=[Spoil(5), Stop(5)])
    assert not path.exists()


def test_a_snapshot_of_weights_that_are_not_finite_is_divergence(toy: Dataset, tmp_path: Path) -> None:
    wild = replace(RECIPE, optimizer=SGD(), schedule=Constant(1e45))
    with pytest.raises(TrainingDiverged, match="the weights are not finite after epoch 1, step 1 "):
        fit(small(toy), toy, wild, progress=False, snapshots=[0, 1], snapshot_folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000.safetensors"]


EXTENDED: dict[str, tuple[Schedule, Schedule, int]] = {
    "constant": (Constant(2e-3), Constant(2e-3), 2),
    "constant, within an epoch": (Constant(2e-3), Constant(2e-3), 1),
    "step decay before its milestone": (StepDecay(2e-3, (0.5,)), StepDecay(2e-3, (0.5,)), 1),
    "step decay whose milestone stays": (StepDecay(2e-3, (0.5,)), StepDecay(2e-3, (0.25,)), 2),
    "to another schedule": (StepDecay(2e-3, (0.75,)), Constant(2e-3), 1),
}


@pytest.mark.parametrize("case", EXTENDED)
def test_an_extended_training_has_the_bits_of_a_longer_one(toy: Dataset, tmp_path: Path, case: str) -> None:
    before, after, epochs = EXTENDED[case]
    short, long = replace(RECIPE, schedule=before, epochs=2), replace(RECIPE, schedule=after, epochs=4)
    hooks = [] if epochs == 2 else [Stop(epochs * 15 - 2)]
    train(toy, tmp_path / "c", short, hooks=hooks)
    run = fit(small(toy), toy, long, checkpoint=tmp_path / "c", resume=True)
    whole = fit(small(toy), toy, long)
    assert run.model.flat.tobytes() == whole.model.flat.tobytes()
    assert run.history == whole.history


@pytest.mark.parametrize("schedule", [OneCycle(2e-3), Cosine(2e-3), StepDecay(2e-3, (0.5,))])
def test_a_training_whose_rates_would_differ_is_not_extended(toy: Dataset, tmp_path: Path, schedule: Schedule) -> None:
    recipe = replace(RECIPE, schedule=schedule)
    train(toy, tmp_path / "c", recipe)
    with pytest.raises(ConfigurationError, match=rf"{type(schedule).__name__}\), so it cannot be extended; .*2 epochs"):
        train(toy, tmp_path / "c", replace(recipe, epochs=4), resume=True)


def test_a_training_is_not_shortened(toy: Dataset, tmp_path: Path) -> None:
    train(toy, tmp_path / "c")
    with pytest.raises(
        ConfigurationError, match="has been trained for more than 1 epoch already; resume with 2 epochs"
    ):
        train(toy, tmp_path / "c", replace(RECIPE, epochs=1), resume=True)
    with pytest.raises(ConfigurationError, match=r"recipe\.batch_size"):
        train(toy, tmp_path / "c", replace(RECIPE, epochs=4, batch_size=8), resume=True)


def test_a_trained_model_begins_with_its_weights(toy: Dataset, tmp_path: Path) -> None:
    """That is part of what its checkpoint belongs to; but a training from the seed's weights may be taken up in it."""
    first = fit(small(toy), toy, RECIPE, checkpoint=tmp_path / "fresh")
    assert "start" not in first.configuration
    first.model.save(tmp_path / "m.safetensors")

    def saved() -> nn.Model:
        return models.build(tmp_path / "m.safetensors", input_shape=toy.input_shape, classes=3)

    further = fit(saved(), toy, RECIPE, checkpoint=tmp_path / "c")
    assert further.history[0]["train.loss"] < first.history[0]["train.loss"]
    again = fit(saved(), toy, RECIPE, checkpoint=tmp_path / "c", resume=True)
    assert again.model.flat.tobytes() == further.model.flat.tobytes()
    assert again.configuration["start"] == further.configuration["start"]
    other = saved()
    other.flat[0] += 1
    with pytest.raises(ConfigurationError, match="start is"):
        fit(other, toy, RECIPE, checkpoint=tmp_path / "c", resume=True)
    extended = fit(first.model, toy, RECIPE, epochs=3, checkpoint=tmp_path / "fresh", resume=True)
    assert extended.model.flat.tobytes() == fit(small(toy), toy, RECIPE, epochs=3).model.flat.tobytes()
    assert "start" not in extended.configuration


@pytest.mark.parametrize("engine", ["numba", "numpy", "interpreter"])
@pytest.mark.parametrize("patience", [None, 2])
def test_divergence_in_the_very_last_step_is_divergence(toy: Dataset, engine: str, patience: int | None) -> None:
    recipe = replace(RECIPE, optimizer=SGD(), epochs=1, patience=patience)
    with pytest.raises(TrainingDiverged, match=r"not finite after epoch 1 .*--learning-rate") as caught:
        fit(small(toy).use(engine, 1), toy, recipe, hooks=[Spoil(15)])
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("value", "decay"), [(np.inf, None), (1e30, None), (np.inf, 0.9)])
def test_divergence_in_an_epochs_last_step_is_after_that_epoch(
    toy: Dataset, tmp_path: Path, value: float, decay: float | None
) -> None:
    """Found by the weights, by the network's output, or when the average is good and the weights are to be saved."""
    recipe = replace(RECIPE, ema_decay=decay)
    with pytest.raises(TrainingDiverged, match=r"^the [a-z' ]+ not finite after epoch 1 \(learning rate [^;]*; use a"):
        train(toy, tmp_path / "c", recipe, hooks=[Spoil(15, value)])
