"""The executor that trains: a configuration in, an outcome out, the same whenever it is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convlens import NUMERICS_VERSION
from convlens.errors import TrainingInterrupted
from convlens.models import CNN
from convlens.nn import load
from convlens.studies.executors import ExecutionOptions, execute
from convlens.studies.executors.training import METRICS, configuration, model_path
from convlens.studies.pool import LocalPool
from convlens.studies.runner import run_trials, stored
from convlens.studies.store import TrialStore
from convlens.studies.trial import PlannedTrial
from tests.toys import write_toy_folder
from tests.train.test_fit import StopAt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_folder(tmp_path_factory.mktemp("toy") / "bars")


def planned(folder: Path, seed: int = 0, **changes: object) -> PlannedTrial:
    described = configuration(CNN(filters=(3, 4), hidden=8), dataset=str(folder), epochs=2)
    described["recipe"] |= changes
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


def test_every_setting_of_recipe_and_layers_is_in_the_key(folder: Path) -> None:
    keys = {planned(folder).key, planned(folder, epochs=3).key, planned(folder, batch_size=32).key}
    wider = configuration(CNN(filters=(3, 5), hidden=8), dataset=str(folder), epochs=2)
    keys.add(PlannedTrial("toy-study", "small cnn", 0, wider, NUMERICS_VERSION).key)
    assert len(keys) == 4
