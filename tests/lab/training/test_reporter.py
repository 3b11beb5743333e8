"""What the hook writes and heeds, in this process: points, epochs, filters, and when training stops early."""

from __future__ import annotations

import itertools
import queue
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convlens.lab.training import reporter as reporter_of
from convlens.lab.training.configuration import Configuration
from convlens.lab.training.reporter import Ended, Reporter
from convlens.lab.training.session import Session
from convlens.nn import load
from convlens.train.loop import fit
from convlens.train.run import Run
from convlens.train.saver import Saver

from .small import data, events, request


def trained(folder: Path, *orders: str, **others: Any) -> tuple[Session, Run, Reporter]:
    """Train the small network with the reporter, to which the orders come before the first step."""
    configuration = Configuration.from_dict(request(data(folder), **others))
    session = Session.create(folder, configuration)
    commands = queue.Queue[str]()
    for order in orders:
        commands.put(order)
    dataset, saver = configuration.dataset(), Saver(session.checkpoint)
    reporter = Reporter(session, commands, saver, configuration.stop)
    run = fit(
        configuration.model(dataset), dataset, configuration.recipe, checkpoint=saver, test=False, progress=False,
        hooks=[reporter],
    )  # fmt: skip
    return session, run, reporter


def test_the_journal_has_every_step_and_what_fit_found(tmp_path: Path) -> None:
    session, run, _ = trained(tmp_path)
    points = [point for event in events(session, "progress") for point in event["points"]]
    (start,) = events(session, "start")
    per_epoch = start["epoch_steps"]
    assert [step for step, _, _ in points] == list(range(1, start["steps"] + 1))
    assert start["parameters"] == run.model.program.parameter_count
    rows = events(session, "epoch")
    for number, (row, told) in enumerate(zip(rows, run.history, strict=True)):
        assert {key: row[key] for key in told} == told
        assert row["step"] == per_epoch * (number + 1)
        losses = [loss for step, loss, _ in points if number * per_epoch < step <= (number + 1) * per_epoch]
        assert np.mean(losses) == pytest.approx(told["train.loss"], rel=0.02)  # the last batch is smaller
    ended = events(session, "progress")[-1]  # whenever the one before it came
    assert ended["accuracy"] == pytest.approx(run.history[-1]["train.accuracy"], rel=1e-3)
    assert ended["loss"] == pytest.approx(run.history[-1]["train.loss"], rel=1e-3)
    last = events(session, "filters")[-1]
    kernels = run.model.parameters["conv1.w"]  # (KH, KW, C_in, C_out)
    np.testing.assert_allclose(np.array(last["filters"]), np.moveaxis(kernels, 3, 0), rtol=1e-3)
    assert load(session.model).flat.tobytes() == run.model.flat.tobytes()


def test_filters_are_shown_less_often_the_longer_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0, 30)  # one half minute each time that the clock is read
    monkeypatch.setattr(reporter_of, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    session, _, _ = trained(tmp_path, recipe={"base": "plain", "epochs": 30})
    steps = [
        event["step"]
        for event in events(session, "filters")
        if event["step"] % events(session, "start")[0]["epoch_steps"]
    ]
    gaps = np.diff(steps)
    assert gaps[:5].max() < gaps[-5:].min()


def test_validation_that_is_good_enough_ends_it(tmp_path: Path) -> None:
    session, run, reporter = trained(tmp_path, stop={"accuracy": 0.01})
    assert (len(run.history), run.stopped) == (1, True)
    assert "as was asked for" in reporter.why
    assert not (tmp_path / session.name / "validation-0002.npy").exists()


def test_minutes_that_are_over_end_it(tmp_path: Path) -> None:
    _, run, reporter = trained(tmp_path, stop={"minutes": 1e-9})
    assert run.stopped
    assert run.history[0]["steps"] == 1
    assert "minutes are over" in reporter.why


@pytest.mark.parametrize("orders", [("stop",), ("pause", "stop"), ("pause", "pause", "step", "stop")])
def test_it_stops_when_it_is_told_to(tmp_path: Path, orders: tuple[str, ...]) -> None:
    session, run, reporter = trained(tmp_path, *orders)
    assert run.stopped
    assert [row["steps"] for row in run.history] == [1] * ("step" in orders)
    assert session.model.exists() == ("pause" in orders)
    assert reporter.why == "You stopped it."


@pytest.mark.parametrize("orders", [("end",), ("pause", "step", "end")])
def test_a_lab_that_is_gone_ends_it_at_once_and_saved(tmp_path: Path, orders: tuple[str, ...]) -> None:
    with pytest.raises(Ended):
        trained(tmp_path, *orders)
    (folder,) = (one for one in tmp_path.iterdir() if one.is_dir())
    assert Session(folder).checkpoint.exists()
    assert not events(Session(folder), "epoch")
