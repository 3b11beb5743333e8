"""Threads that compute the same few images together: the bits are those of one thread, and nobody waits for ever."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("numba")

from convlens import engine, models, nn
from convlens.engine import prediction
from convlens.engine.compiled import base, conv, dense, team
from convlens.engine.compiled.team import Team
from convlens.fast import point
from convlens.fast.meeting import Meeting
from convlens.fast.script import Script
from tests.engine.test_forks import in_child
from tests.layer_cases import CASES, LayerCase


def at_once(tasks: list[Script]) -> None:
    """Run tasks that wait for one another, each on a thread of its own, whether a processor is free or not."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Share everything, however small, and wake threads at once."""
    monkeypatch.setattr(prediction, "WORTH_SHARE", 1)
    monkeypatch.setattr(team, "_ROW", 0)
    for module in (base, conv, dense):
        monkeypatch.setattr(module, "WORTH_SHARING", 0)


@pytest.fixture
def always(eager: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Compute together always, also where threads sleep; note how many did."""
    noted: list[int] = []

    def together(self: Team, tasks: list[Script]) -> bool:
        noted.append(len(tasks))
        at_once(tasks)
        return True

    monkeypatch.setattr(Team, "together", together)
    return noted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_bits_do_not_depend_on_who_computes_what(case: LayerCase, always: list[int]) -> None:
    model = case.build()
    x, _ = case.batch(5)
    alone = engine.start(model.program, model.flat, "numba", 1, model.flat_buffers)
    for threads in (2, 3, 8):
        runner = engine.start(model.program, model.flat, "numba", threads, model.flat_buffers)
        for images in (1, 5, 1):
            np.testing.assert_array_equal(runner.logits(x[:images]), alone.logits(x[:images]))
        runner.close()


def test_a_network_is_computed_together(always: list[int]) -> None:
    models.build("cnn").use("numba", 3).logits(np.zeros((28, 28, 1), np.float32))
    assert always == [3]


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_nobody_passes_a_meeting_before_all_are_there(threads: int) -> None:
    values = np.zeros((threads, 16), np.float32)
    sums, one = np.zeros((threads, 16), np.float32), np.ones(16, np.float32)
    meeting = Meeting(threads)
    scripts = []
    for mine in range(threads):
        (before, after), calls = (
            ([*meeting.calls()][mine] for _ in range(2)),
            [point.add(values[mine], one, False, values[mine])],
        )
        calls += [before, *(point.add(sums[mine], value, False, sums[mine]) for value in values), after]
        scripts.append(Script(calls))
    for turn in range(1, 100):
        at_once(scripts)
        assert (sums == threads * turn * (turn + 1) / 2).all()


def test_threads_that_are_ready_run_together_and_others_are_not_awaited(eager: None) -> None:
    workers, values, one = Team(2), np.zeros((2, 1), np.float32), np.ones(1, np.float32)
    scripts = [Script([point.add(value, one, False, value)]) for value in values]
    ran = 0
    for _ in range(2000):
        ran += workers.together(scripts)
        assert (values == ran).all()
    time.sleep(0.01)
    workers.close()


@pytest.mark.parametrize("threads", [2, 4])
def test_many_threads_predict_at_once(threads: int, eager: None) -> None:
    model = models.build("cnn", filters=(4, 4), hidden=8).use("numba", threads)
    x = np.random.default_rng(0).random((8, 28, 28, 1), np.float32)
    wanted = [model.use("numba", 1).engine.logits(one[np.newaxis]) for one in x]
    model.use("numba", threads)

    def predict(number: int) -> bool:
        return all((model.engine.logits(x[number : number + 1]) == wanted[number]).all() for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(predict, range(8)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_computes_together_too(eager: None) -> None:
    model = models.build("cnn", filters=(4, 4), hidden=8).use("numba", 2)
    x = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)

    def answer() -> bytes:
        return b"".join(model.engine.logits(x).tobytes() for _ in range(50))

    wanted = answer()
    assert in_child(answer) == wanted
    assert answer() == wanted


def test_results_are_the_callers(always: list[int]) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(64), nn.Dense(40)], (8, 8, 1)).use("numba", 2)
    x = np.random.default_rng(0).random((2, 1, 8, 8, 1), np.float32)
    first = model.engine.logits(x[0])
    kept = first.copy()
    assert (model.engine.logits(x[1]) != kept).any()
    np.testing.assert_array_equal(first, kept)
