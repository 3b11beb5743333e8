"""Trials that measure another trial's network: the parent comes first, once, and its weights are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens.data import Dataset
from convlens.errors import ConfigurationError
from convlens.models import CNN
from convlens.nn import Model
from convlens.studies import run_study
from convlens.studies.executors import check, execute
from convlens.studies.executors.measurement import measurement
from convlens.studies.executors.training import configuration
from convlens.studies.measures import MEASURES, Measured
from convlens.studies.pools.pool import LocalPool
from convlens.studies.results.result import StudyResult
from convlens.studies.runner import ProgressEvent
from convlens.studies.spec import Arm, Axis, Curve, Estimand, Metric, Profile, Study
from convlens.studies.statistics.verdict import greater_than
from convlens.studies.trial import PlannedTrial
from convlens.version import NUMERICS_VERSION
from tests.toys import write_toy_folder


@dataclass(frozen=True)
class Certainty:
    """Mean probability of the class that is named."""

    images: int = 20

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        found = model.predict_proba(dataset.test.images[: self.images])
        return Measured({"toy.certainty": float(found.max(axis=1).mean())}, {"toy.classes": found.mean(axis=0)})


@pytest.fixture(autouse=True)
def toy_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, "certainty", Certainty)


@pytest.fixture
def trained(tmp_path: Path) -> dict[str, Any]:
    folder = write_toy_folder(tmp_path / "bars")
    return configuration(CNN(filters=(3, 4), hidden=8), dataset=str(folder), epochs=1)


def study(trained: dict[str, Any], classes: int = 3) -> Study:
    measures = ("trained", "untrained")
    return Study(
        name="certainty",
        question="Does training make a network certain?",
        prediction="Yes.",
        why="That is what the loss asks for.",
        factor="training",
        levels=measures,
        controls=("same network",),
        data=("bars",),
        arms=(
            Arm("trained", measurement(trained, "certainty")),
            Arm("untrained", measurement(trained, "certainty", weights="initial")),
            Arm("network", trained),
        ),
        metrics=(Metric("toy.certainty", "fraction", arms=measures),),
        primary=Estimand("gain", "toy.certainty", "trained", greater_than(0.0), reference="untrained"),
        max_minutes=1,
        curves=(Curve("toy.classes", "share", "fraction", (Axis("class", range(classes)),), arms=measures),),  # type: ignore[arg-type]
    )


def run(described: Study, folder: Path, events: list[ProgressEvent] | None = None) -> StudyResult:
    note = (lambda _: None) if events is None else events.append
    return run_study(described, Profile("quick", (0, 1)), folder=folder, pool=LocalPool(execute), progress=note)


def started(events: list[ProgressEvent]) -> Iterator[str]:
    return (event.planned.arm for event in events if event.kind == "started")


def test_the_parent_runs_first_and_once(trained: dict[str, Any], tmp_path: Path) -> None:
    events: list[ProgressEvent] = []
    result = run(study(trained), tmp_path / "out", events)
    assert not result.failed
    assert list(started(events)) == ["network", "untrained", "network", "untrained", "trained", "trained"]
    again: list[ProgressEvent] = []
    run(study(trained), tmp_path / "out", again)
    assert [event.kind for event in again] == ["found"] * 6
    kept = list((tmp_path / "out" / "weights").iterdir())
    assert len(kept) == 2


def test_a_worker_without_weights_trains_the_parent_to_the_same_bits(trained: dict[str, Any], tmp_path: Path) -> None:
    stored = run(study(trained), tmp_path / "out").arms[0].trials[0]
    alone = execute(PlannedTrial("s", "a", 0, measurement(trained, "certainty"), NUMERICS_VERSION))
    assert dict(alone.metrics) == dict(stored.metrics)
    assert np.array_equal(alone.curves["toy.classes"], stored.curves["toy.classes"])


def test_lost_or_damaged_weights_are_made_again(trained: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    alone = replace(
        study(trained),
        arms=study(trained).arms[2:],
        metrics=(Metric("test.accuracy", "fraction"),),
        curves=(),
        primary=Estimand("e", "test.accuracy", "network", greater_than(0.0)),
    )
    run(alone, out)  # a training that nobody measures keeps no weights
    assert not (out / "weights").exists()
    events: list[ProgressEvent] = []
    expected = run(study(trained), out, events).arms[0].values("toy.certainty")
    assert list(started(events)).count("network of trained") == 2
    first, second = sorted((out / "weights").iterdir())
    first.write_bytes(first.read_bytes()[:-4] + b"\0\0\0\0")
    second.unlink()
    wider = measurement(trained, "certainty", images=10)
    changed = replace(
        study(trained),
        arms=(*study(trained).arms, Arm("wider", wider)),
        metrics=(Metric("toy.certainty", "fraction", arms=("trained", "untrained", "wider")),),
    )
    result = run(changed, out)
    assert not result.failed
    assert result.arms[0].values("toy.certainty") == expected


def test_a_curve_of_another_shape_is_a_failure(trained: dict[str, Any], tmp_path: Path) -> None:
    result = run(study(trained, classes=4), tmp_path / "out")
    assert {one.failure.message for one in result.failed} == {
        "the curve 'toy.classes' has shape (3,), and its axes (4,)"
    }


def test_names_are_not_in_the_key_of_a_measurement(trained: dict[str, Any]) -> None:
    other = {**trained, "names": {**trained["names"], "model": "another name"}}
    keys = {PlannedTrial("s", "a", 0, measurement(one, "certainty"), 1).key for one in (trained, other)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("weights", "trainde", "unknown weights 'trainde'; did you mean 'trained'"),
        ("of", {"kind": "measurement"}, "'of' is the configuration of a training"),
        ("measure", {"name": "certanty"}, "unknown measure 'certanty'; did you mean 'certainty'"),
        ("measure", {"name": "certainty", "image": 3}, "unknown key 'image'; did you mean 'images'"),
    ],
)
def test_a_wrong_setting_is_named(trained: dict[str, Any], place: str, value: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check({**measurement(trained, "certainty"), place: value}, "study/arm")
