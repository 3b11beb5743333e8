"""Threads of a team when something goes wrong: no call waits for ever, and none leaves work behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from convlens import models
from convlens.engine.compiled.team import Team
from convlens.fast import point
from convlens.fast.script import Script
from convlens.typing import Array

ONE = np.ones(1, np.float32)


def counting(values: Array) -> list[Script]:
    """Return scripts that each add one to a number of their own."""
    return [Script([point.add(value, ONE, False, value)]) for value in values]


def run(team: Team, tasks: list[Script]) -> None:
    """Run tasks in another thread, and fail if that takes long."""
    thread = threading.Thread(target=team.run, args=(tasks,), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("begun", [False, True])
def test_a_thread_that_is_not_woken(error: type[BaseException], begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is interrupted before or after it tells a thread to wake; or no thread can be started any more."""
    team, values = Team(2), np.zeros((2, 1), np.float32)
    tasks, submit = counting(values), ThreadPoolExecutor.submit

    def fails(self: ThreadPoolExecutor, *arguments: Any) -> None:
        if begun:
            submit(self, *arguments)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ThreadPoolExecutor, "submit", fails)
        interrupted = threading.Event()

        def try_once() -> None:
            try:
                team.run(tasks)
            except KeyboardInterrupt:
                interrupted.set()

        thread = threading.Thread(target=try_once, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert interrupted.is_set() == (error is KeyboardInterrupt)
    done = values.copy()
    run(team, tasks)
    assert (values == done + 1).all()
    team.close()


def test_scripts_run_also_after_the_threads_were_ended() -> None:
    team, values = Team(3), np.zeros((3, 1), np.float32)
    tasks = counting(values)
    for _ in range(2):
        run(team, tasks)
        team.close()
    assert (values == 2).all()


def test_the_wrong_scripts_never_run() -> None:
    """Whoever is interrupted while scripts are made ready finds the others ready afterwards."""

    class Interrupting(Script):
        @property
        def place(self) -> tuple[int, int]:
            raise KeyboardInterrupt

        @place.setter
        def place(self, place: tuple[int, int]) -> None:
            pass

    team, values, others = Team(3), np.zeros((3, 1), np.float32), np.zeros((3, 1), np.float32)
    tasks, tried = counting(values), counting(others)
    run(team, tasks)
    with pytest.raises(KeyboardInterrupt):
        team.run([*tried[:2], Interrupting(tried[2].calls)])
    run(team, tasks)
    assert values.ravel().tolist() == [2, 2, 2]
    assert not others.any()
    team.close()


def run_and_sleep(team: Team, tasks: list[Script]) -> None:
    team.run(tasks)
    time.sleep(5)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")
def test_nothing_runs_any_more_after_an_interrupt() -> None:
    """What a script reads may be gone a moment after its caller was interrupted."""
    team, values = Team(2), np.zeros((2, 1), np.float32)
    large, value = np.ones(1 << 20, np.float32), values[1]
    tasks = counting(values[:1])
    slow = [*[point.tanh_back(large, large, large)] * 100, point.add(value, ONE, False, value)]
    tasks.append(Script(slow))
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for _ in range(3):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            with pytest.raises(KeyboardInterrupt):
                run_and_sleep(team, tasks)
            seen = float(value[0])  # on a busy machine the signal may come before the script was handed over
            time.sleep(0.3)
            assert value[0] == seen
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    team.close()


LAST_PREDICTIONS = """
import threading, time
import numpy as np
from convlens import models
model = models.build("cnn", filters=(4, 4), hidden=8).use("numba", 2)
x = np.zeros((64, 28, 28, 1), np.float32)
def predict():
    for _ in range(20):
        model.engine.logits(x)
        time.sleep(0.005)
    print("done")
threading.Thread(target=predict).start()
"""


def test_a_thread_may_predict_while_the_process_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LAST_PREDICTIONS], capture_output=True, text=True, timeout=30, env=dict(os.environ)
    )
    assert done.stdout == "done\n", done.stderr


def test_predictions_go_on_while_the_engine_is_closed() -> None:
    model = models.build("cnn", filters=(4, 4), hidden=8).use("numba", 2)
    x = np.random.default_rng(0).random((64, 28, 28, 1), np.float32)
    engine, wanted = model.engine, model.engine.logits(x)
    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(engine.logits, x) for _ in range(40)]
        engine.close()
        assert all((one.result(20) == wanted).all() for one in found)
