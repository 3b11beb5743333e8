"""Trials in parallel: the same outcomes, one store, and no process that outlives its work."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import DataError, TrainingInterrupted
from convlens.studies.pools import processes
from convlens.studies.pools.pool import Execute, LocalPool
from convlens.studies.pools.processes import ProcessPool
from convlens.studies.runner import ProgressEvent, failures, plan, run_trials
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, TrialOutcome
from tests.faults.forks import environment

from .examples import THREE, execute, make_study, planned_trial


def fail_at_two(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 2:
        raise DataError("no data for seed 2")
    return execute(planned)


def stop_at_two(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 2:
        raise TrainingInterrupted("the time is over")
    return execute(planned)


class OddError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def fail_oddly(planned: PlannedTrial) -> TrialOutcome:
    raise OddError("cannot be ", "pickled back")


def vanish(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 1:
        os._exit(9)
    return execute(planned)


def last_for_ever(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed:
        time.sleep(3600)
    return execute(planned)


@pytest.fixture
def store(tmp_path: Path):
    with TrialStore(tmp_path / "trials.sqlite") as opened:
        yield opened
    assert not multiprocessing.active_children()


def test_the_same_outcomes_as_one_after_another(store: TrialStore, tmp_path: Path) -> None:
    planned = plan(make_study(), THREE, numerics_version=1)
    run_trials(planned[:2], store, LocalPool(execute))
    events: list[ProgressEvent] = []
    together = run_trials([*planned, planned[4]], store, ProcessPool(execute, 2), events.append)
    with TrialStore(tmp_path / "other.sqlite") as other:
        apart = run_trials(planned, other, LocalPool(execute))
    assert [trial.key for trial in together] == [*(trial.key for trial in planned), planned[4].key]
    for one, two in zip(together, apart, strict=False):
        assert (one.metrics, one.history) == (two.metrics, two.history)
        assert one.predictions["test"].tobytes() == two.predictions["test"].tobytes()
    kinds = [event.kind for event in events]
    assert [kinds.count(kind) for kind in ("found", "started", "finished")] == [2, 7, 7]
    assert (events[-1].total, max(event.position for event in events)) == (9, 9)
    # seeds outermost; among one seed's, the most expensive first
    begun = [(event.planned.seed, event.planned.arm) for event in events if event.kind == "started"]
    assert begun == [(0, "7x7"), *((seed, arm) for seed in (1, 2) for arm in ("7x7", "5x5", "3x3"))]
    assert run_trials(planned, store, ProcessPool(fail_oddly, 2))  # all there: nothing runs


def test_a_failure_is_recorded_and_the_rest_goes_on(store: TrialStore) -> None:
    planned = [planned_trial(seed) for seed in range(6)]
    done = run_trials(planned, store, ProcessPool(fail_at_two, 2))
    assert [trial.seed for trial in done] == [0, 1, 3, 4, 5]
    ((trial, failed),) = failures(planned, store)
    assert (trial.seed, failed.error, failed.message) == (2, "DataError", "no data for seed 2")


def test_an_error_that_cannot_be_sent_is_a_failure_like_any_other(store: TrialStore) -> None:
    planned = [planned_trial(0), planned_trial(1)]
    assert run_trials(planned, store, ProcessPool(fail_oddly, 2)) == []
    assert [failed.message for _, failed in failures(planned, store)] == ["cannot be pickled back"] * 2


def test_a_process_that_vanishes_is_a_failure_of_its_trial_and_another_takes_its_place(store: TrialStore) -> None:
    planned = [planned_trial(seed) for seed in range(5)]
    for processes_at_once in (1, 2):
        done = run_trials(planned, store, ProcessPool(vanish, processes_at_once))
        assert [trial.seed for trial in done] == [0, 2, 3, 4]
        ((trial, failed),) = failures(planned, store)
        assert trial.seed == 1
        assert re.search(r"ended \(exit code 9\).*--threads 1", failed.message)


def test_what_stops_a_training_in_a_process_stops_everything(store: TrialStore) -> None:
    events: list[str] = []
    with pytest.raises(TrainingInterrupted, match="time is over"):
        run_trials(
            [planned_trial(seed) for seed in range(6)],
            store,
            ProcessPool(stop_at_two, 2),
            lambda event: events.append(event.kind),
        )
    assert len(store) < 6
    assert "interrupted" in events


class PipeConnection:
    """Stands for the class of that name: what a pipe is on Windows, and no Connection."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


def test_without_signal_masks_and_connections_as_on_windows(store: TrialStore, monkeypatch: pytest.MonkeyPatch) -> None:
    resource_tracker.ensure_running()  # multiprocessing itself needs it here
    spawn = multiprocessing.get_context("spawn")

    class Context:
        Process = spawn.Process

        def Pipe(self) -> Any:
            ours, theirs = spawn.Pipe()
            return PipeConnection(ours), theirs

    def absent() -> None:
        raise OSError("there is no such tracker")

    monkeypatch.setattr(processes.multiprocessing, "get_context", lambda _: Context())
    monkeypatch.setattr(processes.resource_tracker, "ensure_running", absent)
    monkeypatch.delattr(signal, "pthread_sigmask")
    planned = [planned_trial(seed) for seed in range(3)]
    assert len(run_trials(planned, store, ProcessPool(execute, 2))) == 3


def test_ctrl_c_is_ignored_where_it_cannot_be_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    monkeypatch.delattr(signal, "pthread_sigmask")
    monkeypatch.setattr(processes, "_end_with_parent", lambda: None)
    before = signal.getsignal(signal.SIGINT)
    try:
        processes._work(theirs, execute)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
        theirs.close()


def test_stopped_while_trials_run(store: TrialStore) -> None:
    events = []

    def watch(event: ProgressEvent) -> None:
        events.append(event.kind)
        if event.kind == "finished":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_trials([planned_trial(seed) for seed in range(4)], store, ProcessPool(last_for_ever, 2), watch)
    assert len(store) == 1
    assert events.count("interrupted") == 2


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_they_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    code = f"""
import multiprocessing, os, sys
from convlens.studies.pools.processes import ProcessPool
from convlens.studies.runner import run_trials
from convlens.studies.storage.store import TrialStore
from tests.studies.examples import planned_trial
from tests.studies.test_pool import last_for_ever
def show(event):
    if event.kind == "finished":
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
with TrialStore({str(tmp_path / "t.sqlite")!r}) as store:
    run_trials([planned_trial(seed) for seed in range(4)], store, ProcessPool(last_for_ever, 2), show)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    children = [int(number) for number in process.stdout.readline().split()]
    assert len(children) == 2
    process.kill()
    process.wait(60)
    process.stdout.close()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{child}/exe").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{child}/exe").exists() for child in children)


def name_a_lone_surrogate(planned: PlannedTrial) -> TrialOutcome:
    raise ValueError("no file \udcff")


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def say_nothing(planned: PlannedTrial) -> TrialOutcome:
    raise MuteError


def return_nothing(planned: PlannedTrial) -> TrialOutcome:
    return None  # type: ignore[return-value]


class Unsendable(TrialOutcome):
    """An outcome that can be pickled and not unpickled."""

    def __reduce__(self) -> Any:
        return OddError, ("one argument",)


def return_what_cannot_be_read(planned: PlannedTrial) -> TrialOutcome:
    return Unsendable({"test.accuracy": 0.5, "parameters": 1.0})


@pytest.mark.parametrize(
    ("fails", "message"),
    [
        (name_a_lone_surrogate, "no file \\udcff"),
        (say_nothing, "its message cannot be shown (RuntimeError)"),
        (return_nothing, "'NoneType' object has no attribute 'provenance'"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2])
def test_whatever_a_trial_raises_is_its_failure(store: TrialStore, fails: Execute, message: str, at_once: int) -> None:
    planned = [planned_trial(0)]
    pool = LocalPool(fails) if at_once == 1 else ProcessPool(fails, at_once)
    assert run_trials(planned, store, pool) == []
    assert [failed.message for _, failed in failures(planned, store)] == [message]


def test_an_outcome_that_cannot_be_read_is_a_failure(store: TrialStore) -> None:
    planned = [planned_trial(0), planned_trial(1)]
    assert run_trials(planned, store, ProcessPool(return_what_cannot_be_read, 2)) == []
    assert [failed.error for _, failed in failures(planned, store)] == ["TypeError"] * 2


class OutOfTime(TrainingInterrupted):
    """A stopping error that cannot be unpickled, and holds what cannot be pickled."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)
        self.lock = threading.Lock()


def run_out_of_time(planned: PlannedTrial) -> TrialOutcome:
    raise OutOfTime("the time ", "is over")


def test_what_stops_everything_does_so_even_if_it_cannot_be_sent(store: TrialStore) -> None:
    with pytest.raises(TrainingInterrupted, match=r"^OutOfTime: the time is over$"):
        run_trials([planned_trial(0), planned_trial(1)], store, ProcessPool(run_out_of_time, 2))
    assert not failures([planned_trial(0), planned_trial(1)], store)


def test_an_outcome_is_pickled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = []

    def counted(outcome: TrialOutcome, protocol: int) -> Any:
        pickled.append(outcome)
        return object.__reduce_ex__(outcome, protocol)

    monkeypatch.setattr(TrialOutcome, "__reduce_ex__", counted)
    ours, theirs = multiprocessing.Pipe()
    monkeypatch.setattr(processes, "_end_with_parent", lambda: None)
    ours.send(planned_trial(0))
    thread = threading.Thread(target=processes._work, args=(theirs, execute))
    with ours, theirs:
        thread.start()
        assert isinstance(ours.recv(), TrialOutcome)
        ours.close()
        thread.join()
    assert len(pickled) == 1
