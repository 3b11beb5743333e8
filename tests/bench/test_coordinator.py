"""A peer that dies, stops answering or cannot run is reported with the reason, and not waited for."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from convlens.bench.cells import Cell
from convlens.bench.coordinator import PeerLost, PeerPool, Worker
from convlens.bench.measure import measure_memory, rounds_of, time_cell, visits

ECHO = """
import json, os, signal, sys, time
name, rounds = sys.argv[1], 0
for line in sys.stdin:
    request = json.loads(line)
    if name == "broken":
        print("Traceback", file=sys.stderr); print("ImportError: no such thing", file=sys.stderr); sys.exit(3)
    if name == "refusing":
        print(json.dumps({"error": "not installed: No module named 'torch'"}), flush=True); continue
    if name == "babbling":
        print("hello", flush=True); continue
    if name == "silent":
        time.sleep(60)
    if request["do"] == "memory":
        print(json.dumps({"mib": 100.0 + rounds}), flush=True); continue
    if request["do"] == "prepare":
        print(json.dumps({"first": dict.fromkeys(request["works"], 1.0)}), flush=True); continue
    rounds += 1
    if name in ("onnxruntime", "openvino") and request["work"] == "train":
        print(json.dumps({"error": "it cannot train"}), flush=True); continue
    if name == "dying" and rounds == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "crowded":  # at every second try others are less in the way
        others = 0.3 if rounds % 2 else 0.05
        print(json.dumps({"calls": rounds, "seconds": 1.0, "others": others}), flush=True); continue
    if name == "smothered":
        print(json.dumps({"calls": rounds, "seconds": 1.0, "others": 1 / (1 + rounds)}), flush=True); continue
    if name == "counting":
        print(json.dumps({"calls": rounds, "seconds": 1.0}), flush=True); continue
    print(json.dumps({"calls": 5, "seconds": 0.5}), flush=True)
"""


def echo(name: str) -> Worker:
    return Worker([sys.executable, "-c", ECHO, name])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("broken", "ended with code 3: ImportError: no such thing"),
        ("refusing", "not installed: No module named 'torch'"),
        ("babbling", "which is not JSON"),
    ],
)
def test_the_reason_is_reported(name: str, reason: str) -> None:
    worker = echo(name)
    try:
        with pytest.raises(PeerLost, match=reason):
            worker.ask({"do": "prepare"}, 30)
    finally:
        worker.close()


def test_a_silent_peer_is_ended_at_its_limit() -> None:
    worker, begun = echo("silent"), time.monotonic()
    with pytest.raises(PeerLost, match="no answer within 0 s"):
        worker.ask({"do": "prepare"}, 0.4)
    assert time.monotonic() - begun < 30
    assert not worker.alive


def test_what_is_not_there_cannot_be_started() -> None:
    with pytest.raises(PeerLost, match="cannot be started"):
        Worker([Path("/nowhere/python")])


def test_a_cell_goes_on_without_those_who_are_lost() -> None:
    cell = Cell("toy", "cnn", 8, 1, peers=("living", "dying", "torch-nchw", "refusing"))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        pool.worker("torch-nchw").process.kill()
        pool.worker("torch-nchw").process.wait()
        found = time_cell(cell, pool, 3, 0.1, {"torch": "could not be installed"}, lambda _: None)
        living = pool.worker("living")
    assert found["rates"] == {
        "train": {"living": [80.0] * 3, "torch-nchw": [80.0] * 3},
        "predict": {"living": [80.0] * 3, "torch-nchw": [80.0] * 3},
    }
    assert found["absent"] == {
        "refusing": "not installed: No module named 'torch' (could not be installed)",
        "dying": "in round 2: ended by signal 9 (SIGKILL)",
    }
    assert not living.alive


def test_a_cell_goes_on_with_new_processes_where_it_was_left() -> None:
    cell = Cell("toy", "cnn", 1, 1, peers=("counting",))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        begun = time_cell(cell, pool, 3, 0.1, {}, lambda _: None)
        found = time_cell(cell, pool, 5, 0.1, {}, lambda _: None, begun)
    assert found["rates"] == {
        "train": {"counting": [1.0, 3.0, 5.0, 1.0, 3.0]},
        "predict": {"counting": [2.0, 4.0, 6.0, 2.0, 4.0]},
    }
    assert rounds_of(found) == 5


def test_a_peer_that_was_lost_stays_away() -> None:
    cell = Cell("toy", "cnn", 1, 1, peers=("living", "dying"))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        begun = time_cell(cell, pool, 2, 0.1, {}, lambda _: None)
        found = time_cell(cell, pool, 3, 0.1, {}, lambda _: None, begun)
    assert found["absent"] == begun["absent"] == {"dying": "in round 2: ended by signal 9 (SIGKILL)"}
    assert set(found["rates"]["train"]) == {"living"}


@pytest.mark.parametrize(("rounds", "each"), [(1, [1]), (3, [3]), (4, [3, 4]), (6, [3, 6])])
def test_cells_are_visited_for_three_rounds_at_most(rounds: int, each: list[int]) -> None:
    assert visits(rounds) == each


def test_a_disturbed_timing_is_repeated_and_the_least_disturbed_counts() -> None:
    cell = Cell("toy", "cnn", 1, 1, peers=("crowded",))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        found = time_cell(cell, pool, 2, 0.1, {}, lambda _: None)
    assert found["rates"] == {"train": {"crowded": [2.0, 6.0]}, "predict": {"crowded": [4.0, 8.0]}}
    assert found["others"] == {"train": {"crowded": [0.05, 0.05]}, "predict": {"crowded": [0.05, 0.05]}}


def test_what_stays_disturbed_is_kept_with_its_load() -> None:
    cell = Cell("toy", "cnn", 1, 1, peers=("smothered",))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        found = time_cell(cell, pool, 1, 0.1, {}, lambda _: None)
    assert found["rates"] == {"train": {"smothered": [4.0]}, "predict": {"smothered": [8.0]}}
    assert found["others"] == {"train": {"smothered": [0.2]}, "predict": {"smothered": [pytest.approx(1 / 9)]}}


def test_who_only_predicts_is_asked_for_nothing_else_and_nothing_of_it_is_absent() -> None:
    cell = Cell("toy", "cnn", 8, 1, peers=("living", "onnxruntime"))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        begun = time_cell(cell, pool, 1, 0.1, {}, lambda _: None)
        found = time_cell(cell, pool, 2, 0.1, {}, lambda _: None, begun)
        memory = measure_memory(cell, pool, {}, lambda _: None)
    both = {"living": [80.0] * 2}
    assert found["rates"] == {"train": both, "predict": {**both, "onnxruntime": [80.0] * 2}}
    assert found["others"]["train"].keys() == {"living"}
    assert found["first_call_seconds"]["onnxruntime"] == {"predict": 1.0}
    assert memory["peak_mib"].keys() == {"living"}
    assert found["absent"] == memory["absent"] == {}


def test_memory_is_that_of_a_fresh_process_each() -> None:
    cell = Cell("toy", "cnn", 1, 1, peers=("living", "refusing", "gemm"))
    with PeerPool([sys.executable, "-c", ECHO]) as pool:
        pool.worker("living").ask({"do": "measure"}, 30)
        found = measure_memory(cell, pool, {}, lambda _: None)
    assert found["peak_mib"] == {"living": 101.0}
    assert list(found["absent"]) == ["refusing"]
