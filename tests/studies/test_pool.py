"""Trials side by side: the same outcomes, one store, and no process that outlives its work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convlens.errors import ConvlensError, DataError
from convlens.studies.runner import ProgressEvent, plan, run_trials
from convlens.studies.store import TrialStore
from convlens.studies.trial import PlannedTrial, TrialOutcome
from tests.faults.forks import environment

from .examples import THREE, execute, make_study, planned_trial


def fail_at_two(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 2:
        raise DataError("no data for seed 2")
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
    run_trials(planned[:2], store, execute)
    events: list[ProgressEvent] = []
    together = run_trials([*planned, planned[4]], store, execute, events.append, workers=2)
    with TrialStore(tmp_path / "other.sqlite") as other:
        apart = run_trials(planned, other, execute)
    assert [trial.key for trial in together] == [*(trial.key for trial in planned), planned[4].key]
    for one, two in zip(together, apart, strict=False):
        assert (one.metrics, one.history) == (two.metrics, two.history)
        assert one.predictions["test"].tobytes() == two.predictions["test"].tobytes()
    kinds = [event.kind for event in events]
    assert [kinds.count(kind) for kind in ("found", "started", "finished")] == [2, 7, 7]
    assert (events[-1].total, max(event.position for event in events)) == (9, 9)
    # seeds outermost; among one seed's, the dearest first
    told = [(event.planned.seed, event.planned.arm) for event in events if event.kind == "started"]
    assert told == [(0, "7x7"), *((seed, arm) for seed in (1, 2) for arm in ("7x7", "5x5", "3x3"))]
    assert run_trials(planned, store, fail_oddly, workers=2)  # all there: nothing runs


def test_an_error_comes_out_as_it_was_and_finished_trials_are_kept(store: TrialStore) -> None:
    planned = [planned_trial(seed) for seed in range(6)]
    with pytest.raises(DataError, match="no data for seed 2"):
        run_trials(planned, store, fail_at_two, workers=2)
    assert planned[0].key in store or planned[1].key in store  # whichever process was faster
    assert planned[2].key not in store


def test_an_error_that_cannot_be_sent_is_told(store: TrialStore) -> None:
    with pytest.raises(RuntimeError, match=r"kernel-size/3x3, seed [01]: OddError: cannot be pickled back"):
        run_trials([planned_trial(0), planned_trial(1)], store, fail_oddly, workers=2)


def test_a_process_that_vanishes_is_one_clear_error(store: TrialStore) -> None:
    with pytest.raises(ConvlensError, match=r"ran kernel-size/3x3, seed 1 ended \(exit code 9\).*--threads 1"):
        run_trials([planned_trial(seed) for seed in range(4)], store, vanish, workers=2)


def test_stopped_while_trials_run(store: TrialStore) -> None:
    events = []

    def watch(event: ProgressEvent) -> None:
        events.append(event.kind)
        if event.kind == "finished":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_trials([planned_trial(seed) for seed in range(4)], store, last_for_ever, watch, workers=2)
    assert len(store) == 1
    assert events.count("interrupted") == 2


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_they_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    code = f"""
import multiprocessing, os, sys
from convlens.studies.runner import run_trials
from convlens.studies.store import TrialStore
from tests.studies.examples import planned_trial
from tests.studies.test_pool import last_for_ever
def told(event):
    if event.kind == "finished":
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
with TrialStore({str(tmp_path / "t.sqlite")!r}) as store:
    run_trials([planned_trial(seed) for seed in range(4)], store, last_for_ever, told, workers=2)
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
