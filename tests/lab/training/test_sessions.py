"""Trainings in processes of their own: pause, step, resume, stop, kill; to the same bits as one that nobody touched."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from convlens.errors import ConfigurationError
from convlens.lab.training import confusion as confusion_of
from convlens.lab.training.configuration import Configuration
from convlens.lab.training.confusion import cell
from convlens.lab.training.session import Session
from convlens.lab.training.sessions import Sessions
from convlens.nn import load
from convlens.train.loop import fit

from .small import PATIENCE, data, events, request, step, wait


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "trainings", most=1)
    yield found
    found.close()


def wait_for_failure(session: Session) -> None:
    end = time.monotonic() + PATIENCE
    while session.state() != "failed":
        assert time.monotonic() < end
        time.sleep(0.02)


def untouched(session: Session) -> bytes:
    """Return the weights that `fit` gives, called as a user would."""
    given = session.configuration()
    dataset = given.dataset()
    model = given.model(dataset)
    fit(model, dataset, given.recipe, test=False, progress=False, doubt=False)
    return model.flat.tobytes()


def test_steps_pause_and_resume_give_the_bits_of_fit(sessions: Sessions, tmp_path: Path) -> None:
    (session,) = sessions.create(request(data(tmp_path), paused=True, stop={"accuracy": 1.0}))
    wait(session, "paused")
    assert events(session, "progress")[-1]["step"] == 0
    for taken in (1, 2):
        step(sessions, session)
        assert events(session, "progress")[-1]["step"] == taken
        assert session.state() == "paused"
    sessions.command(session.name, "resume")
    assert wait(session, "finished") == "finished"
    assert load(session.model).flat.tobytes() == untouched(session)
    points = [point for event in events(session, "progress") for point in event["points"]]
    total = events(session, "start")[0]["steps"]
    assert [step for step, _, _ in points] == list(range(1, total + 1))
    rows = events(session, "epoch")
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(np.sum(row["confusion"]) == events(session, "start")[0]["validation"] for row in rows)
    _cells_are_those_of_the_matrix(session, rows[-1])
    with pytest.raises(ConfigurationError, match="finished cannot be resumed"):
        sessions.command(session.name, "resume")
    sessions.delete(session.name)
    assert not session.folder.exists()


def _cells_are_those_of_the_matrix(session: Session, row: dict[str, object]) -> None:
    """The images of each cell are as many as it counts, and the model takes them for its class."""
    model, dataset = load(session.model), session.configuration().dataset()
    confusion = row["confusion"]
    assert isinstance(confusion, list)
    for true in range(3):
        for predicted in range(3):
            found = cell(session, 2, true, predicted)
            assert found["count"] == confusion[true][predicted]
            pixels = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8).reshape(-1, *found["shape"])
            assert (pixels == dataset.validation.images[found["indexes"]]).all()
            assert (dataset.validation.labels[found["indexes"]] == true).all()
            assert not len(pixels) or (model.predict(pixels) == predicted).all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confusion_of, "MOST_BYTES", 2 * 8 * 8 + 1)
        few = cell(session, 2, 0, 0)
        assert few["count"] > len(few["indexes"]) == 2
    with pytest.raises(ConfigurationError, match="classes are numbered"):
        cell(session, 2, 0, 3)
    with pytest.raises(ConfigurationError, match="not finished epoch 3"):
        cell(session, 3, 0, 0)


def test_one_trains_while_the_other_waits_and_one_that_is_killed_goes_on(sessions: Sessions, tmp_path: Path) -> None:
    first, second = sessions.create(request(data(tmp_path), seeds=[0, 1], paused=True))
    wait(first, "paused")
    wait(second, "paused")  # a paused training leaves its core to the next one
    step(sessions, first)
    os.kill(sessions._workers[first.name].pid, signal.SIGKILL)
    wait_for_failure(first)
    assert "killed (signal 9)" in events(first, "state")[-1]["why"]
    sessions.command(second.name, "resume")
    wait(second, "finished")
    sessions.command(first.name, "resume")
    wait(first, "finished")
    assert events(first, "start")[-1]["step"] == 1
    assert load(first.model).flat.tobytes() == untouched(first)
    assert load(second.model).flat.tobytes() == untouched(second) != untouched(first)


def test_a_lab_that_is_closed_leaves_trainings_that_another_resumes(tmp_path: Path) -> None:
    folder = tmp_path / "trainings"
    sessions = Sessions(folder)
    (session,) = sessions.create(request(data(tmp_path), paused=True))
    wait(session, "paused")
    step(sessions, session)
    sessions.close()
    assert session.state() == "interrupted"
    assert "closed in mid-training" in events(session, "state")[-1]["why"]
    again = Sessions(folder)
    again.command(session.name, "resume")
    wait(session, "finished")
    again.close()
    assert events(session, "start")[-1]["step"] == 1
    assert load(session.model).flat.tobytes() == untouched(session)


def test_a_training_stops_where_it_was_asked_to_and_can_go_on(sessions: Sessions, tmp_path: Path) -> None:
    (session,) = sessions.create(request(data(tmp_path), stop={"steps": 5}))
    wait(session, "stopped")
    why = events(session, "state")[-1]["why"]
    assert "5 steps are taken" in why
    assert events(session, "epoch")[-1]["steps"] == 5
    assert {events(session, kind)[-1]["step"] for kind in ("epoch", "progress", "filters")} == {5}
    sessions.command(session.name, "resume")
    wait(session, "finished")
    assert events(session, "start")[-1]["step"] == 5
    assert load(session.model).flat.tobytes() == untouched(session)


def test_a_training_whose_process_is_gone_says_so(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    session = Session.create(tmp_path, _configuration(tmp_path))
    session.tell("running")
    with session.journal.path.open("ab") as stream:
        stream.write(b'{"kind":"prog')
    with session.locked() as taken:
        assert taken
        sessions.all()
        assert session.state() == "running"  # its process still has it
    sessions.all()
    assert session.state() == "interrupted"
    assert "before anything was saved" in events(session, "state")[-1]["why"]
    assert json.loads(session.journal.path.read_bytes().splitlines()[-1])["kind"] == "state"
    sessions.close()


def _configuration(folder: Path) -> Configuration:
    return Configuration.from_dict(request(data(folder)))
