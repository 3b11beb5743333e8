"""Hooks see every event in order; `Training.stop` ends training with a whole result, from which it can go on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convlens as cl
from convlens.data import Dataset
from convlens.errors import ConfigurationError, TrainingInterrupted
from convlens.optim import SGD, Constant
from convlens.train import Hook, Recipe, Run, Training, fit
from tests.train.test_fit import StopAt, small_cnn

RECIPE = Recipe("test", SGD(), Constant(0.05), epochs=2, batch_size=48)  # 5 steps an epoch
EVENTS = [name for name in vars(Hook) if name.startswith("on_")]


class Recorder(Hook):
    """Writes down every event, with the number of steps taken."""

    def __init__(self) -> None:
        self.events: list[tuple[str, int]] = []


def _recorded(name: str) -> Any:
    def event(self: Recorder, training: Training, row: Any = None) -> None:
        self.events.append((name, training.steps_taken))

    return event


for _name in EVENTS:
    setattr(Recorder, _name, _recorded(_name))


class Stop(Hook):
    """Stops training at one event, once a number of steps are taken."""

    def __init__(self, event: str, steps: int) -> None:
        setattr(self, event, lambda training, *_: training.steps_taken >= steps and training.stop())


def test_every_event_in_order(toy: Dataset) -> None:
    recorder = Recorder()
    fit(small_cnn(toy), toy, RECIPE, hooks=[recorder])
    expected = [("on_training_begin", 0)]
    for epoch in range(2):
        expected.append(("on_epoch_begin", 5 * epoch))
        for step in range(5 * epoch, 5 * epoch + 5):
            expected += [("on_step_begin", step), ("on_gradient", step), ("on_step_end", step + 1)]
        expected.append(("on_epoch_end", 5 * epoch + 5))
    assert recorder.events == [*expected, ("on_training_end", 10)]


def test_the_gradient_is_that_of_the_update_that_follows(toy: Dataset) -> None:
    class Check(Hook):
        def on_gradient(self, training: Training) -> None:
            self.expected = training.model.flat - np.float32(0.05) * training.gradient
            assert np.shares_memory(training.gradients["conv1.w"], training.gradient)

        def on_step_end(self, training: Training) -> None:
            np.testing.assert_allclose(training.model.flat, self.expected, atol=1e-7)

    fit(small_cnn(toy), toy, RECIPE, hooks=[Check()])


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_end_is_always_called_and_in_reverse(toy: Dataset, error: type[BaseException]) -> None:
    ended = []

    class Ends(Hook):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_step_end(self, training: Training) -> None:
            if self.name == "first":
                raise error

        def on_training_end(self, training: Training) -> None:
            ended.append(self.name)
            raise RuntimeError(self.name)

    with pytest.raises(RuntimeError, match="first"):
        fit(small_cnn(toy), toy, RECIPE, hooks=[Ends("first"), Ends("second")])
    assert ended == ["second", "first"]


@pytest.mark.parametrize(
    ("event", "at", "steps"),
    [("on_step_begin", 2, 3), ("on_gradient", 6, 7), ("on_step_end", 8, 8), ("on_step_end", 5, 5),
     ("on_epoch_end", 5, 5), ("on_epoch_begin", 5, 5), ("on_training_begin", 0, 0)],
)  # fmt: skip
def test_stopped_from_a_hook_and_resumed(toy: Dataset, tmp_path: Path, event: str, at: int, steps: int) -> None:
    recorder, path = Recorder(), tmp_path / "c"
    run = fit(small_cnn(toy), toy, RECIPE, checkpoint=path, hooks=[Stop(event, at), recorder])
    assert run.stopped
    assert run.to_dict()["stopped"] is run.model.training["stopped"] is True
    assert [name for name, _ in recorder.events].count("on_step_end") == steps
    assert run.test is not None
    assert len(run.history) == -(-steps // 5)
    if steps % 5:
        assert run.history[-1]["steps"] == steps % 5
    if run.history:
        assert run.history[-1]["validation.loss"] == run.validation.loss
    whole, resumed = fit(small_cnn(toy), toy, RECIPE), fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True)
    assert resumed.model.flat.tobytes() == whole.model.flat.tobytes()
    assert resumed.history == whole.history
    assert not whole.stopped
    assert "stopped" not in whole.model.training


def test_a_stop_in_the_last_step_comes_too_late_to_be_one(toy: Dataset) -> None:
    assert not fit(small_cnn(toy), toy, RECIPE, hooks=[Stop("on_step_end", 10)]).stopped


def test_stopped_in_the_last_epoch_with_an_average(toy: Dataset, tmp_path: Path) -> None:
    """The checkpoint holds the weights of training, not the average that the result has."""
    recipe, path = Recipe("test", SGD(), Constant(0.05), epochs=2, batch_size=48, ema_decay=0.9), tmp_path / "c"
    assert fit(small_cnn(toy), toy, recipe, checkpoint=path, hooks=[Stop("on_step_end", 7)]).stopped
    resumed = fit(small_cnn(toy), toy, recipe, checkpoint=path, resume=True)
    assert resumed.model.flat.tobytes() == fit(small_cnn(toy), toy, recipe).model.flat.tobytes()


def test_ctrl_c_after_a_stop_leaves_its_checkpoint(toy: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "c"
    with pytest.raises(TrainingInterrupted, match="saved to"):
        fit(small_cnn(toy), toy, RECIPE, checkpoint=path, hooks=[Stop("on_step_end", 2), InterruptAtTheEnd()])
    resumed = fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True)
    assert resumed.model.flat.tobytes() == fit(small_cnn(toy), toy, RECIPE).model.flat.tobytes()


class InterruptAtTheEnd(Hook):
    """Ctrl-C once training has ended, before the result."""

    def on_training_end(self, training: Training) -> None:
        import signal

        signal.raise_signal(signal.SIGINT)


def test_stopped_from_another_thread(toy: Dataset) -> None:
    begun, found = threading.Event(), list[Run]()

    class Share(Hook):
        def on_step_end(self, training: Training) -> None:
            self.training = training
            begun.set()

    share = Share()
    recipe = Recipe("long", SGD(), Constant(1e-3), epochs=100_000, batch_size=48)
    thread = threading.Thread(target=lambda: found.append(fit(small_cnn(toy), toy, recipe, hooks=[share])))
    thread.start()
    assert begun.wait(60)
    share.training.stop()
    thread.join(60)
    assert found[0].stopped


def test_snapshots_are_models_of_the_weights_at_their_steps(toy: Dataset, tmp_path: Path) -> None:
    weights = {}

    class Keep(Hook):
        def on_training_begin(self, training: Training) -> None:
            weights[0] = training.model.flat.copy()

        def on_step_end(self, training: Training) -> None:
            weights[training.steps_taken] = training.model.flat.copy()

    folder = tmp_path / "new" / "snapshots"
    fit(small_cnn(toy), toy, RECIPE, snapshots=[0, 3, 10], snapshot_folder=folder, hooks=[Keep()])
    assert sorted(path.name for path in folder.iterdir()) == [f"step-{step:06}.safetensors" for step in (0, 3, 10)]
    for step in (0, 3, 10):
        model = cl.load(folder / f"step-{step:06}.safetensors")
        assert model.flat.tobytes() == weights[step].tobytes()
        assert model.training["step"] == step


def test_snapshots_hold_the_average_where_there_is_one(toy: Dataset, tmp_path: Path) -> None:
    recipe = Recipe("test", SGD(), Constant(0.05), epochs=2, batch_size=48, ema_decay=0.9)
    run = fit(small_cnn(toy), toy, recipe, snapshots=[5, 10], snapshot_folder=tmp_path)
    assert cl.load(tmp_path / "step-000010.safetensors").flat.tobytes() == run.model.flat.tobytes()
    middle = cl.load(tmp_path / "step-000005.safetensors").evaluate(toy.validation)
    assert middle.loss == run.history[0]["validation.loss"]


def test_a_resumed_training_writes_the_snapshots_that_are_left(toy: Dataset, tmp_path: Path) -> None:
    path, folder = tmp_path / "c", tmp_path / "snapshots"
    with pytest.raises(TrainingInterrupted):
        fit(small_cnn(toy), toy, RECIPE, checkpoint=path, hooks=[StopAt(4)], snapshots=[2, 6], snapshot_folder=folder)
    first = folder / "step-000002.safetensors"
    assert [*folder.iterdir()] == [first]
    before = first.stat().st_mtime_ns
    fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True, snapshots=[2, 6], snapshot_folder=folder)
    assert first.stat().st_mtime_ns == before
    fit(small_cnn(toy), toy, RECIPE, snapshots=[2, 6], snapshot_folder=tmp_path / "whole")
    for one in folder.iterdir():
        assert one.read_bytes() == (tmp_path / "whole" / one.name).read_bytes()
    first.unlink()
    with pytest.raises(cl.errors.ConfigurationError, match=r"resumes after step 10, and .*step-000002"):
        fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True, snapshots=[2], snapshot_folder=folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"snapshots": [1]}, "need both"), ({"snapshot_folder": "x"}, "need both"),
     ({"snapshots": [-1], "snapshot_folder": "x"}, "whole numbers of steps"),
     ({"snapshots": [1.5], "snapshot_folder": "x"}, "whole numbers of steps"),
     ({"snapshots": [11], "snapshot_folder": "x"}, "the last step is 10")],
)  # fmt: skip
def test_snapshots_that_cannot_be(toy: Dataset, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(cl.errors.ConfigurationError, match=message):
        fit(small_cnn(toy), toy, RECIPE, **arguments)


def test_snapshots_of_another_training_are_not_taken_for_this_ones(toy: Dataset, tmp_path: Path) -> None:
    steps = list(np.arange(0, 6, 3))  # NumPy's whole numbers
    fit(small_cnn(toy, seed=9), toy, RECIPE, snapshots=steps, snapshot_folder=tmp_path)
    path = tmp_path / "c"
    fit(small_cnn(toy), toy, RECIPE, checkpoint=path, hooks=[Stop("on_step_end", 4)])
    with pytest.raises(ConfigurationError, match=r"step-000000.* belongs to another training"):
        fit(small_cnn(toy), toy, RECIPE, checkpoint=path, resume=True, snapshots=steps, snapshot_folder=tmp_path)


def test_a_hook_that_did_not_begin_does_not_end(toy: Dataset) -> None:
    ended: list[str] = []

    class Fails(Hook):
        def on_training_begin(self, training: Training) -> None:
            raise ZeroDivisionError

        def on_training_end(self, training: Training) -> None:
            ended.append("fails")

    class Begins(Hook):
        def on_training_end(self, training: Training) -> None:
            ended.append("begins")

    with pytest.raises(ZeroDivisionError):
        fit(small_cnn(toy), toy, RECIPE, hooks=[Begins(), Fails()])
    assert ended == ["begins"]
