"""Smoothed labels, clipped gradients and averaged weights in a training: their formulas, resuming, threads, keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import artifact, nn
from convlens.data import Dataset
from convlens.errors import ConfigurationError, TrainingInterrupted
from convlens.optim import SGD, Adam, AdamW, Constant, OneCycle, StepDecay
from convlens.plain import plain
from convlens.train import Augmentation, Hook, Recipe, Training, evaluate, fit
from convlens.train import checkpoint as checkpoints
from tests.train.test_fit import StopAt, assert_same, small_cnn

PLAIN = Recipe("test", Adam(), OneCycle(5e-3), epochs=3, batch_size=16)
ALL = replace(PLAIN, schedule=StepDecay(5e-3), label_smoothing=0.1, clip_norm=0.5, ema_decay=0.8)
SETTINGS: dict[str, dict[str, Any]] = {
    "smoothing": {"label_smoothing": 0.1},
    "clipping": {"clip_norm": 0.5},
    "average": {"ema_decay": 0.8},
    "steps": {"schedule": StepDecay(5e-3)},
}


class Follow(Hook):
    """Keeps the weights after every step."""

    def __init__(self) -> None:
        self.weights: list[np.ndarray] = []

    def on_step_end(self, training: Training) -> None:
        self.weights.append(training.state.parameters.copy())


@pytest.mark.parametrize("stop", [1, 15, 20, 44])
@pytest.mark.parametrize("recipe", [ALL, replace(ALL, patience=1)], ids=["all", "patient"])
def test_resumed_equals_uninterrupted(toy: Dataset, tmp_path: Path, stop: int, recipe: Recipe) -> None:
    whole, path = fit(small_cnn(toy), toy, recipe), tmp_path / "c.safetensors"
    with pytest.raises(TrainingInterrupted):
        fit(small_cnn(toy), toy, recipe, checkpoint=path, hooks=[StopAt(stop)])
    assert_same(fit(small_cnn(toy), toy, recipe, checkpoint=path, resume=True), whole)
    assert_same(fit(small_cnn(toy), toy, recipe, checkpoint=path, resume=True), whole)  # after the end


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_change_the_bits(toy: Dataset, threads: int) -> None:
    one, other = (fit(small_cnn(toy).use(threads=t), toy, ALL) for t in (1, threads))
    assert one.model.flat.tobytes() == other.model.flat.tobytes()
    assert one.history == other.history


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_changes_what_is_trained(toy: Dataset, setting: str) -> None:
    changed, usual = replace(PLAIN, **SETTINGS[setting]), PLAIN
    assert (
        fit(small_cnn(toy), toy, changed).model.flat.tobytes() != fit(small_cnn(toy), toy, usual).model.flat.tobytes()
    )


def test_the_kept_weights_are_the_average_of_those_of_all_steps(toy: Dataset) -> None:
    follow, decay = Follow(), 0.98  # so slow that a biased start shows
    run = fit(small_cnn(toy), toy, replace(PLAIN, ema_decay=decay), hooks=[follow])
    t = len(follow.weights)
    shares = decay ** np.arange(t - 1, -1, -1.0)
    wanted = (shares[:, None] * np.stack(follow.weights).astype(np.float64)).sum(axis=0) / shares.sum()
    np.testing.assert_allclose(run.model.flat, wanted, rtol=0, atol=1e-6)
    assert np.abs(follow.weights[-1] - wanted).max() > 1e-4  # or the check above says nothing


def test_running_statistics_are_averaged_like_the_weights(toy: Dataset) -> None:
    class Statistics(Hook):
        def __init__(self) -> None:
            self.found: list[np.ndarray] = []

        def on_step_end(self, training: Training) -> None:
            self.found.append(training.state.buffers.copy())

    follow, decay = Statistics(), 0.98
    layers = [nn.Conv2D(4), nn.BatchNorm(), nn.ReLU(), nn.Flatten(), nn.Dense(3)]
    run = fit(nn.Model(layers, toy.input_shape, 1), toy, replace(PLAIN, ema_decay=decay), hooks=[follow])
    shares = decay ** np.arange(len(follow.found) - 1, -1, -1.0)
    wanted = (shares[:, None] * np.stack(follow.found).astype(np.float64)).sum(axis=0) / shares.sum()
    np.testing.assert_allclose(run.model.flat_buffers, wanted, rtol=0, atol=1e-6)
    assert np.abs(follow.found[-1] - wanted).max() > 1e-4


def test_resuming_keeps_the_average_of_running_statistics(toy: Dataset, tmp_path: Path) -> None:
    layers = [nn.Conv2D(4), nn.BatchNorm(), nn.ReLU(), nn.Flatten(), nn.Dense(3)]
    whole, path = fit(nn.Model(layers, toy.input_shape, 1), toy, ALL), tmp_path / "c.safetensors"
    with pytest.raises(TrainingInterrupted):
        fit(nn.Model(layers, toy.input_shape, 1), toy, ALL, checkpoint=path, hooks=[StopAt(20)])
    again = fit(nn.Model(layers, toy.input_shape, 1), toy, ALL, checkpoint=path, resume=True)
    assert_same(again, whole)
    assert again.model.flat_buffers.tobytes() == whole.model.flat_buffers.tobytes()


def test_after_one_step_the_average_is_the_weights_themselves(toy: Dataset) -> None:
    follow = Follow()
    run = fit(small_cnn(toy), toy.subset(16), replace(PLAIN, epochs=1, ema_decay=0.999), hooks=[follow])
    assert len(follow.weights) == 1
    assert run.model.flat.tobytes() == follow.weights[0].tobytes()


def test_the_average_does_not_disturb_training(toy: Dataset) -> None:
    plain, averaged = Follow(), Follow()
    fit(small_cnn(toy), toy, PLAIN, hooks=[plain])
    run = fit(small_cnn(toy), toy, replace(PLAIN, ema_decay=0.8), hooks=[averaged])
    for one, other in zip(plain.weights, averaged.weights, strict=True):
        assert one.tobytes() == other.tobytes()
    assert run.history[-1]["validation.loss"] == evaluate(run.model, toy.validation).loss  # of the average


def test_no_step_is_longer_than_allowed(toy: Dataset) -> None:
    class Lengths(Hook):
        def __init__(self) -> None:
            self.found: list[float] = []

        def on_step_end(self, training: Training) -> None:
            self.found.append(float(np.linalg.norm(training.state.optimizer.arrays["m"] - self.before) / 0.1))
            self.before = 0.9 * training.state.optimizer.arrays["m"]

        def on_training_begin(self, training: Training) -> None:
            self.before = np.zeros_like(training.state.parameters)

    free, clipped = Lengths(), Lengths()  # Adam's m tells the gradient: m = 0.9 m + 0.1 g
    fit(small_cnn(toy), toy, PLAIN, hooks=[free])
    fit(small_cnn(toy), toy, replace(PLAIN, clip_norm=0.5), hooks=[clipped])
    assert max(free.found) > 1
    assert max(clipped.found) == pytest.approx(0.5, rel=1e-5)


def test_the_loss_that_is_trained_on_is_the_smoothed_one(toy: Dataset) -> None:
    still = replace(PLAIN, schedule=replace(OneCycle(), rate=1e-12), epochs=1)
    sharp, smooth = (fit(small_cnn(toy), toy, replace(still, label_smoothing=s)).history[0] for s in (0.0, 0.9))
    assert sharp["validation.loss"] == pytest.approx(smooth["validation.loss"], rel=1e-6)  # the plain one, for both
    logits = small_cnn(toy).logits(toy.train.images).astype(np.float64)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    own = -logs[np.arange(len(logs)), toy.train.labels].mean()
    assert sharp["train.loss"] == pytest.approx(own, rel=1e-5)
    assert smooth["train.loss"] == pytest.approx(0.1 * own - 0.9 * logs.mean(), rel=1e-5)


def test_a_checkpoint_without_the_average_is_refused(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    fit(small_cnn(toy), toy, PLAIN, checkpoint=path)
    with pytest.raises(ConfigurationError, match=r"recipe\.ema_decay is None there and 0\.8 here"):
        fit(small_cnn(toy), toy, replace(PLAIN, ema_decay=0.8), checkpoint=path, resume=True)
    state = Training(small_cnn(toy), toy, ALL, 3).state
    assert "average" in state.arrays()
    assert "average" not in Training(small_cnn(toy), toy, PLAIN, 3).state.arrays()
    assert checkpoints.State.arrays(state)["average"] is state.average


def test_a_checkpoint_that_leaves_out_defaults_is_resumed(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    whole = fit(small_cnn(toy), toy, PLAIN, checkpoint=path)
    found = artifact.read(path, "checkpoint")
    recipe = found.header["configuration"]["recipe"]
    for name in ("label_smoothing", "clip_norm", "ema_decay", "augmentation"):
        del recipe[name]
    kept = ("numerics_version", "configuration", "progress", "optimizer_step")
    artifact.write(path, "checkpoint", {name: found.header[name] for name in kept}, found.arrays)
    assert_same(fit(small_cnn(toy), toy, replace(PLAIN, name="renamed"), checkpoint=path, resume=True), whole)


def test_every_setting_is_stated_and_one_that_is_missing_has_its_default() -> None:
    assert PLAIN.to_dict().keys() == vars(PLAIN).keys()
    assert Recipe.from_dict(PLAIN.to_dict()) == PLAIN
    needed = ("name", "optimizer", "schedule", "epochs", "batch_size")
    assert Recipe.from_dict({name: PLAIN.to_dict()[name] for name in needed}) == PLAIN
    stated = ALL.to_dict()
    assert (stated["label_smoothing"], stated["clip_norm"], stated["ema_decay"]) == (0.1, 0.5, 0.8)
    assert Recipe.from_dict(plain(stated, "recipe")) == ALL  # also by way of JSON, which has no tuples


@pytest.mark.parametrize(
    ("setting", "bad"),
    [("label_smoothing", 1), ("label_smoothing", -0.1), ("label_smoothing", True), ("clip_norm", 0), ("clip_norm", "1"),
     ("clip_norm", float("inf")), ("ema_decay", 1.0), ("ema_decay", 0), ("ema_decay", float("nan"))],
)  # fmt: skip
def test_settings_that_cannot_be(setting: str, bad: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"{setting} is a number .*not {bad!r}"):
        replace(PLAIN, **{setting: bad})


def test_a_model_saved_after_training_holds_the_average(toy: Dataset, tmp_path: Path) -> None:
    run = fit(small_cnn(toy), toy, ALL)
    run.model.save(tmp_path / "m.safetensors")
    assert nn.load(tmp_path / "m.safetensors").flat.tobytes() == run.model.flat.tobytes()
    assert run.validation.loss == run.history[-1]["validation.loss"]


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"epochs": 9}, {"epochs": 9}),
    ({"optimizer": "sgd"}, {"optimizer": SGD()}),
    ({"optimizer": {"weight_decay": 0.1}}, {"optimizer": Adam(weight_decay=0.1, beta1=0.8)}),
    ({"optimizer": {"name": "adam", "beta2": 0.5}}, {"optimizer": Adam(beta1=0.8, beta2=0.5)}),
    ({"optimizer": {"name": "AdamW"}}, {"optimizer": AdamW()}),  # the defaults of another class
    ({"schedule": {"rate": 0.5}}, {"schedule": OneCycle(0.5, warm_up=0.2)}),
    ({"schedule": {"name": "Constant", "rate": 0.5}}, {"schedule": Constant(0.5)}),
    ({"augmentation": {"rotation": 3}}, {"augmentation": Augmentation(shift=2, rotation=3)}),
    ({"augmentation": "none", "patience": "None"}, {"augmentation": None, "patience": None}),
]


@pytest.mark.parametrize(("changes", "wanted"), CHANGES, ids=str)
def test_a_recipe_is_changed_setting_by_setting(changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    base = Recipe("base", Adam(beta1=0.8), OneCycle(0.01, warm_up=0.2), patience=3, augmentation=Augmentation(shift=2))
    assert base.changed(changes) == replace(base, **wanted)
    without = replace(base, augmentation=None)
    if "augmentation" in changes and changes["augmentation"] != "none":
        assert without.changed(changes).augmentation == Augmentation(rotation=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"optimizer": "Adan"}, "unknown optimiser 'Adan'; did you mean 'Adam'"),
        ({"optimizer": {"momentum": 0.9}}, "Adam: unknown key 'momentum'"),
        ({"schedule": 0.01}, "schedule is a mapping"),
        ({"schedule": "none"}, "unknown schedule 'none'"),
        ({"augmentation": 3}, "augmentation: expected settings by name"),
        ({"epochs": "none"}, "epochs is a whole number"),
    ],
)
def test_changes_that_cannot_be(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Recipe("base", Adam(), OneCycle(0.01)).changed(changes)
