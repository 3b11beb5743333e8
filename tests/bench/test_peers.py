"""All peers do the same work: the same probabilities with the initial weights, and after a few steps of training."""

from __future__ import annotations

import math
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from convlens.bench.cells import GEMM, Cell, cells
from convlens.bench.coordinator import PeerPool
from convlens.bench.load import busy_seconds
from convlens.bench.peer_process import Server, disagreement, expected
from convlens.bench.peers import load, work, works_of
from tests.faults.forks import environment

NEEDS = {"torch": ["torch"], "jax": ["jax"], "sklearn": ["sklearn"], "convlens-numba": ["numba"],
         "onnxruntime": ["onnx", "onnxruntime"], "openvino": ["onnx", "openvino"]}  # fmt: skip
STEPS = 3


def present(name: str) -> bool:
    needed = [module for start, modules in NEEDS.items() if name.startswith(start) for module in modules]
    return all(find_spec(module) is not None for module in needed)


def small(network: str) -> Cell:
    """A cell of the network with all its peers, at a batch that is quick."""
    found = [cell for cell in cells(1) if cell.network == network]
    peers = tuple(dict.fromkeys(peer for cell in found for peer in cell.peers if peer != GEMM))
    return Cell(network, network, 8, 1, found[0].kernel_size, peers)


PAIRS = [(network, peer) for network in ("cnn", "dense", "deep", "lenet") for peer in small(network).peers]


@pytest.mark.parametrize(("network", "name"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_same_probabilities_before_and_after_training(network: str, name: str) -> None:
    if not present(name):
        pytest.skip(f"{name} is not installed here")
    if name == "torch-compile":
        pytest.skip("compiling takes too long here; the benchmark itself checks its predictions")
    cell = small(network)
    x = work.batches(cell.batch, 1)[0][0]
    reference, peer = load("convlens-numpy", cell), load(name, cell)
    assert disagreement(peer.logits(x), expected(cell, x)) < 1e-5
    if "train" not in works_of(name):
        peer.predict()
        return
    for _ in range(STEPS):
        reference.train()
        peer.train()
    after = reference.logits(x)
    moved = disagreement(after, expected(cell, x))
    assert moved > 0.01
    assert disagreement(peer.logits(x), after) < 0.1 * moved


def test_a_peer_that_does_other_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("toy", "dense", 8, 1)
    monkeypatch.setattr("convlens.bench.peer_process.expected", lambda _cell, x: np.eye(len(x), 10))
    answer = Server("convlens-numpy").prepare(cell, ["train", "predict"])
    assert "other work" in answer["error"]


def test_a_yardstick_is_timed_and_nothing_of_it_compared() -> None:
    cell = Cell("toy", "dense", 8, 1)
    with PeerPool([sys.executable, "-m", "convlens.bench.peer_process"], environment()) as pool:
        worker = pool.worker(GEMM)
        worker.ask({"do": "prepare", "cell": cell.to_dict(), "works": ["train", "predict"]}, 60)
        assert worker.ask({"do": "measure", "work": "predict", "seconds": 0.01}, 60)["calls"] >= 1


def test_the_worker_measures_calls() -> None:
    server = Server("convlens-numpy")
    cell = Cell("toy", "dense", 8, 1)
    assert set(server.answer({"do": "prepare", "cell": cell.to_dict(), "works": ["train", "predict"]})["first"]) == {
        "train",
        "predict",
    }
    answer = server.answer({"do": "measure", "work": "train", "seconds": 0.01})
    assert answer["calls"] >= 1
    assert answer["seconds"] >= 0.01
    assert answer["others"] is None or math.isfinite(answer["others"])  # how busy the machine is, tests do not know
    assert server.answer({"do": "memory"})["mib"] > 10


def test_the_machines_own_clock_of_work_runs() -> None:
    before, own = busy_seconds(), time.process_time()
    while time.process_time() - own < 0.2:
        pass
    after = busy_seconds()
    if before is None or after is None:
        pytest.skip("this system does not report it")
    assert after - before >= 0.15
