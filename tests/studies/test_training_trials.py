"""The executor that trains: a configuration in, an outcome out, the same whenever it is asked."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from convlens import NUMERICS_VERSION
from convlens.errors import ConfigurationError, TrainingInterrupted
from convlens.models import CNN
from convlens.nn import load
from convlens.studies.executors import ExecutionOptions, execute
from convlens.studies.executors.training import METRICS, configuration, model_path
from convlens.studies.executors.training_configuration import TrainingConfiguration
from convlens.studies.pools.pool import LocalPool
from convlens.studies.runner import run_trials, stored
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial
from convlens.train import Hook, Run, Training
from tests.toys import write_toy_folder
from tests.train.test_fit import StopAt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_folder(tmp_path_factory.mktemp("toy") / "bars")


def planned(folder: Path, seed: int = 0, *, test: bool = True, **changes: object) -> PlannedTrial:
    described = configuration(CNN(filters=(3, 4), hidden=8), dataset=str(folder), epochs=2)
    described["recipe"] |= changes
    described["data"]["test"] = test
    return PlannedTrial(
        "toy-study", "small cnn", seed, described, NUMERICS_VERSION, metrics=tuple(metric.name for metric in METRICS)
    )


def test_a_trial_is_stored_with_all_it_needs_and_never_runs_twice(folder: Path, tmp_path: Path) -> None:
    runs = []
    options = ExecutionOptions(models_folder=tmp_path)

    def counted(trial: PlannedTrial):
        runs.append(trial.seed)
        return execute(trial, options)

    wanted = [planned(folder, seed) for seed in (0, 1)]
    with TrialStore(tmp_path / "t.sqlite") as store:
        first = run_trials(wanted, store, LocalPool(counted))
        again = run_trials(wanted, store, LocalPool(counted))
    assert runs == [0, 1]
    assert [trial.metrics for trial in first] == [trial.metrics for trial in again]
    trial = first[0]
    assert trial.metrics["test.reads"] == 1
    assert trial.metrics["gap.accuracy"] == trial.metrics["train.accuracy"] - trial.metrics["validation.accuracy"]
    right = trial.predictions["test"] == trial.labels["test"]
    assert right.mean() == trial.metrics["test.accuracy"]
    model = load(model_path(tmp_path, trial.key))
    assert model.program.parameter_count == trial.metrics["parameters"]


def test_the_same_trial_gives_the_same_bits_on_any_threads(folder: Path, tmp_path: Path) -> None:
    outcomes = [
        execute(planned(folder), ExecutionOptions(threads=threads, models_folder=tmp_path)) for threads in (1, 2)
    ]
    assert outcomes[0].history == outcomes[1].history
    assert np.array_equal(outcomes[0].predictions["test"], outcomes[1].predictions["test"])


def test_a_stopped_training_goes_on_to_the_same_bits(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingInterrupted):
        execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path, hooks=(StopAt(3),)))
    assert len(list(tmp_path.glob("*.checkpoint"))) == 1
    steps = StopAt(-1)  # counts, and never stops
    outcome = execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path, hooks=(steps,)))
    assert not list(tmp_path.iterdir())
    counted = StopAt(-1)
    assert outcome.history == execute(planned(folder), ExecutionOptions(hooks=(counted,))).history
    assert steps.left - counted.left == 3
    assert outcome.metrics["test.reads"] == 1


def test_a_training_that_diverges_is_a_result(folder: Path, tmp_path: Path) -> None:
    wild = {"optimizer": {"name": "SGD"}, "schedule": {"name": "Constant", "rate": 1e20}}
    with TrialStore(tmp_path / "t.sqlite") as store:
        (trial,) = run_trials([planned(folder, **wild)], store, LocalPool(execute))
        assert len(stored([planned(folder, **wild)], store)) == 1
    assert trial.metrics["diverged"] == 1
    assert trial.metrics["test.accuracy"] == pytest.approx(1 / 3)
    assert "the loss became" in trial.provenance["diverged"]
    whole = execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path)).metrics
    assert whole.keys() == trial.metrics.keys() - {"diverged"}
    assert trial.metrics["test.loss"] == trial.metrics["validation.loss"] == pytest.approx(math.log(3))
    assert trial.metrics["test.calibration_error"] == pytest.approx(0)
    assert trial.metrics["test.reads"] == 0


@pytest.mark.parametrize("rate", [5e-3, 1e20])
def test_a_trial_that_does_not_read_the_test_set_measures_all_else(
    folder: Path, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_it = execute(planned(folder, schedule={"name": "Constant", "rate": rate}))
    monkeypatch.setattr(Run, "of", classmethod(_without_test(Run.of.__func__)))  # type: ignore[attr-defined]
    without = execute(planned(folder, test=False, schedule={"name": "Constant", "rate": rate}))
    kept = {name for name in with_it.metrics if not name.startswith("test.")}
    assert set(without.metrics) == kept
    timed = {"seconds.train", "images_per_second"}
    assert all(without.metrics[name] == with_it.metrics[name] for name in kept - timed)
    assert "test" not in {*without.predictions, *without.labels}


def _without_test(of: Callable[..., Run]) -> Callable[..., Run]:
    def refusing(cls: type[Run], training: Training, *, test: bool) -> Run:
        assert not test
        before = training.dataset.test.reads
        run = of(cls, training, test=test)
        assert training.dataset.test.reads == before
        return run

    return refusing


def test_one_that_diverges_leaves_neither_checkpoint_nor_model(folder: Path, tmp_path: Path) -> None:
    class Wild(Hook):
        def on_step_begin(self, training: Training) -> None:
            training.model.flat.fill(np.inf)

    options = ExecutionOptions(checkpoints_folder=tmp_path, models_folder=tmp_path, hooks=(StopAt(3),))
    with pytest.raises(TrainingInterrupted):
        execute(planned(folder), options)
    outcome = execute(planned(folder), dataclasses.replace(options, hooks=(Wild(),)))
    assert outcome.metrics["diverged"] == 1
    assert not list(tmp_path.iterdir())


class StopRequested(Hook):
    """Stops a training after its third step, as an early stopping of somebody's own would."""

    def on_step_end(self, training: Training) -> None:
        if training.steps_taken == 3:
            training.stop()


def test_a_training_that_a_hook_stopped_is_no_result_and_goes_on_next_time(folder: Path, tmp_path: Path) -> None:
    stopping = ExecutionOptions(checkpoints_folder=tmp_path, models_folder=tmp_path, hooks=(StopRequested(),))
    with TrialStore(tmp_path / "t.sqlite") as store:
        with pytest.raises(TrainingInterrupted, match="small cnn, seed 0: a hook stopped the training; its checkpoint"):
            run_trials([planned(folder)], store, LocalPool(lambda trial: execute(trial, stopping)))
        assert len(store) == 0
    assert len(list(tmp_path.glob("*.checkpoint"))) == 1
    assert not list(tmp_path.glob("*.safetensors"))
    steps = StopAt(-1)
    resumed = execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path, hooks=(steps,)))
    counted = StopAt(-1)
    assert resumed.history == execute(planned(folder), ExecutionOptions(hooks=(counted,))).history
    assert steps.left - counted.left == 3
    with pytest.raises(TrainingInterrupted, match="nothing is saved"):
        execute(planned(folder), ExecutionOptions(hooks=(StopRequested(),)))


def test_a_checkpoint_serves_the_trial_whatever_things_are_called_and_wherever_the_data_is(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingInterrupted):
        execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path, hooks=(StopAt(3),)))
    shutil.copytree(folder, tmp_path / "moved")  # a copy of the data
    renamed = planned(tmp_path / "moved")
    names = {"model": "another", "recipe": "another", "data": str(tmp_path / "moved")}
    renamed = dataclasses.replace(renamed, configuration={**renamed.configuration, "names": names})
    assert renamed.key == planned(folder).key
    steps, counted = StopAt(-1), StopAt(-1)
    resumed = execute(renamed, ExecutionOptions(checkpoints_folder=tmp_path, hooks=(steps,)))
    assert resumed.history == execute(planned(folder), ExecutionOptions(hooks=(counted,))).history
    assert steps.left - counted.left == 3


@pytest.mark.parametrize("damage", ["cut short", "of another training"])
def test_a_checkpoint_that_cannot_be_restored_is_removed_and_the_trial_begins_again(
    folder: Path, tmp_path: Path, damage: str
) -> None:
    options = ExecutionOptions(checkpoints_folder=tmp_path, hooks=(StopAt(3),))
    with pytest.raises(TrainingInterrupted):
        execute(planned(folder, batch_size=32 if damage == "of another training" else 64), options)
    (file,) = tmp_path.glob("*.checkpoint")
    content = file.read_bytes()
    file.unlink()
    (tmp_path / f"{planned(folder).key[:16]}.checkpoint").write_bytes(
        content[:-9] if damage == "cut short" else content
    )
    outcome = execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path))
    assert outcome.history == execute(planned(folder)).history
    assert not list(tmp_path.iterdir())


def test_an_error_within_the_training_leaves_its_checkpoint(folder: Path, tmp_path: Path) -> None:
    class Wrong(Hook):
        def on_step_end(self, training: Training) -> None:
            raise ConfigurationError("a hook of somebody's own")

    with pytest.raises(TrainingInterrupted):
        execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path, hooks=(StopAt(3),)))
    with pytest.raises(ConfigurationError, match="somebody's own"):
        execute(planned(folder), ExecutionOptions(checkpoints_folder=tmp_path, hooks=(Wrong(),)))
    assert list(tmp_path.glob("*.checkpoint"))


def test_every_setting_of_recipe_and_layers_is_in_the_key(folder: Path) -> None:
    keys = {planned(folder).key, planned(folder, epochs=3).key, planned(folder, batch_size=32).key}
    wider = configuration(CNN(filters=(3, 5), hidden=8), dataset=str(folder), epochs=2)
    keys.add(PlannedTrial("toy-study", "small cnn", 0, wider, NUMERICS_VERSION).key)
    assert len(keys) == 4


def test_threads_share_no_data_set_because_it_counts_its_reads() -> None:
    wanted = TrainingConfiguration.read(configuration(CNN(), epochs=1, train_images=100), "here")
    with ThreadPoolExecutor(1) as thread:
        theirs = thread.submit(wanted.dataset, 0).result()
    ours = wanted.dataset(0)
    before = theirs.test.reads
    assert ours.test.images.shape == (10_000, 28, 28, 1)
    assert theirs.test.reads == before
    assert wanted.dataset(1).test is ours.test, "the next trial of this thread reads no file again"
