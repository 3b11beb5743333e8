"""Handing scripts to another thread in compiled code, and what such code does with the smallest numbers."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("numba")

from convlens.engine.compiled.team import Team
from convlens.fast import point, relay
from convlens.fast.script import Script
from convlens.typing import Array


class Counters:
    """Scripts that each add one to a number of their own."""

    def __init__(self, count: int) -> None:
        self.values, one = np.zeros((count, 1), np.float32), np.ones(1, np.float32)
        self.scripts = [Script([point.add(value, one, False, value)]) for value in self.values]


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_every_script_runs_once_whether_threads_sleep_or_look(threads: int) -> None:
    team, counters, draw = Team(threads), Counters(threads), np.random.default_rng(0)
    for turn in range(400):
        team.run(counters.scripts)
        assert (counters.values == turn + 1).all()
        if draw.random() < 0.05:
            time.sleep(draw.choice([0.0001, 0.0003, 0.0006, 0.005]))
    team.close()


def test_scripts_and_functions_in_turn() -> None:
    team, counters, seen = Team(3), Counters(3), list[str]()

    def note() -> None:
        seen.append(threading.current_thread().name)

    draw = np.random.default_rng(1)
    for turn in range(1, 300):
        team.run(counters.scripts[: 1 + turn % 3])
        team.run([note, note, note][: 1 + turn % 2])
        if draw.random() < 0.1:
            time.sleep(0.001)
    assert counters.values.ravel().tolist() == [299, 200, 100]
    assert len(seen) == 299 + 150
    assert len(set(seen)) == 2
    team.close()


def test_several_callers_at_once() -> None:
    team, ours = Team(2), [Counters(2) for _ in range(4)]

    def work(counters: Counters) -> None:
        for _ in range(300):
            team.run(counters.scripts)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, ours))
    assert all((counters.values == 300).all() for counters in ours)
    team.close()


def test_work_goes_on_after_an_error() -> None:
    team, counters = Team(3), Counters(3)

    def fail() -> None:
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        team.run([fail, fail, fail])
    team.run(counters.scripts)
    assert (counters.values == 1).all()
    team.close()


def ended(threads: set[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("end", [Team.close, None])
def test_threads_end_with_the_team(end: Callable[[Team], None] | None) -> None:
    before = set(threading.enumerate())
    team = Team(3)
    team.run(Counters(3).scripts)
    mine = set(threading.enumerate()) - before
    assert len(mine) == 2
    if end is not None:
        end(team)
    del team
    gc.collect()
    assert ended(mine)


def test_a_thread_sleeps_when_there_is_nothing_to_do() -> None:
    team = Team(2)
    team.run(Counters(2).scripts)
    time.sleep(0.05)
    used = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - used < 0.1
    team.close()


def test_a_script_is_run_by_the_thread_or_taken_back() -> None:
    box, counters = relay.Box(), Counters(2)
    table = relay.Table(counters.scripts, [box])
    assert not relay.run_together(table)  # nobody polls
    assert not counters.values.any()
    relay.run_all(table)
    assert counters.values.ravel().tolist() == [1, 1]
    server = threading.Thread(target=relay.serve, args=(box, 0))
    while not relay.run_together(table):
        if not server.is_alive():
            server = threading.Thread(target=relay.serve, args=(box, 0))
            server.start()
        relay.await_waking(box)
    server.join(10)
    assert counters.values.ravel().tolist() == [2, 2]
    relay.call_back(box)
    relay.serve(box, 0)  # and returns at once
    assert relay.finished(box)


def halves(x: Array) -> Array:
    y = np.empty_like(x)
    Script([point.tanh_back(x, np.full_like(x, 0.5), y)])()
    return y


def test_the_smallest_numbers_are_zero_in_a_script_and_nowhere_else() -> None:
    tiny = np.array([1e-39, 1e-30], np.float32)
    assert halves(tiny).tolist() == [0, pytest.approx(0.75e-30)]
    assert (tiny * np.float32(0.75))[0] > 0
