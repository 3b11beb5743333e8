"""Lanes follow from the batch and the Program; threads only share them out. Counted, so no machine needs the cores."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from convlens import engine, models, nn
from convlens.engine import lanes
from convlens.engine.engines import Plan

pytest.importorskip("numba")

THREADS = (1, 2, 3, 8, 16)
USEFUL = lanes.Workers.useful  # before the fixture of all tests changes it
NETWORKS: dict[str, list[nn.Layer]] = {
    "cnn": [*models.CNN().layers(10)],
    "dense": [nn.Flatten(), nn.Dense(128), nn.ReLU(), nn.Dense(64), nn.ReLU(), nn.Dense(10)],
    "norm": [nn.Conv2D(8), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D(4), nn.Dropout(0.2), nn.Flatten(), nn.Dense(10)],
    "local": [nn.LocallyConnected2D(8, 3, 3), nn.Tanh(), nn.Flatten(), nn.Dense(10)],
}


def make(network: str) -> nn.Model:
    return nn.Model(NETWORKS[network], (28, 28, 1), seed=1)


def batch(images: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(images)
    return draw.random((images, 28, 28, 1), np.float32), draw.integers(0, 10, images)


def images_of_threads(model: nn.Model, images: int, threads: int) -> list[int]:
    """Return how many images of a batch each thread trains on, as the plan deals lanes out."""
    runner = engine.start(model.program, model.flat, "numba", threads, model.flat_buffers)
    assert isinstance(runner, Plan)
    plan, counts = runner._plan(images), Counter[int]()
    for number, lane in enumerate(plan.lanes):
        counts[number % plan._threads] += sum(one.n for one in lane.passes)
    runner.close()
    return [counts[thread] for thread in range(threads)]


@pytest.mark.parametrize("network", ["cnn", "norm"])
@pytest.mark.parametrize("threads", THREADS)
def test_every_thread_has_its_share_of_a_large_batch(network: str, threads: int) -> None:
    counts = images_of_threads(make(network), 512, threads)
    assert sum(counts) == 512
    assert min(counts) > 0
    # 32 lanes: no thread has more than one of them too many
    assert max(counts) <= math.ceil(32 / threads) * 16


@pytest.mark.parametrize("threads", THREADS)
def test_the_cnn_has_work_for_sixteen_threads_at_128_images(threads: int) -> None:
    counts = images_of_threads(make("cnn"), 128, threads)
    assert (sum(counts), max(counts)) == (128, math.ceil(16 / threads) * 8)


def test_work_too_small_for_a_thread_stays_on_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes.Workers, "useful", USEFUL)  # tests use all threads for the smallest work
    tiny = nn.Model([nn.Conv2D(2), nn.ReLU(), nn.Flatten(), nn.Dense(3)], (8, 8, 1))
    assert images_of_threads(tiny, 64, 16) == [64] + [0] * 15
    assert images_of_threads(make("cnn"), 1, 16) == [1] + [0] * 15


def test_threads_that_have_just_worked_are_used_for_less_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes.Workers, "useful", USEFUL)
    workers = make("cnn").use("numba", 2).engine.workers
    assert [workers.useful(10_000_000), workers.useful(10_000_000, awake=True)] == [1, 2]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("images", [1, 5, 50, 128, 300])
def test_the_bits_do_not_depend_on_the_number_of_threads(network: str, images: int) -> None:
    x, labels = batch(images)
    found = set()
    for threads in THREADS:
        model = make(network).use("numba", threads)
        gradient = np.zeros_like(model.flat)
        result = model.engine.gradient(x, labels, gradient)
        found.add((gradient.tobytes(), model.flat_buffers.tobytes(), model.engine.logits(x).tobytes(), result.loss))
        model.engine.close()
    assert len(found) == 1


@pytest.mark.parametrize(
    ("images", "smallest", "summed", "parameters", "expected"),
    [
        (0, 8, 10, 100, 0),
        (1, 8, 10, 100, 1),
        (3, 8, 10, 100, 3),
        (31, 8, 10, 100, 4),  # at least four, however small
        (63, 8, 10, 100, 4),
        (64, 8, 10, 100, 8),
        (128, 8, 10, 100, 16),
        (512, 8, 10, 100, 32),
        (100_000, 8, 10, 100, 32),
        (512, 32, 10, 100, 16),  # lanes that must be large
        (512, 8, lanes.MOST_SUMMED // 9, 100, 8),  # gradients that would fill the memory
        (512, 8, lanes.MOST_SUMMED * 2, 100, 4),
        (512, 8, 10, lanes.MOST_HELD // 9, 8),  # nor need all be added up for that
    ],
)
def test_lanes_of(images: int, smallest: int, summed: int, parameters: int, expected: int) -> None:
    assert lanes.lanes_of(images, smallest, summed, parameters) == expected


def test_lanes_are_larger_where_weights_outweigh_the_work() -> None:
    assert lanes.smallest_lane(2_000_000, 200_000, 5_000) == lanes.SMALLEST_LANE
    assert lanes.smallest_lane(200_000, 100_000, 0) == 32  # a dense network reads all its weights for each lane
    assert lanes.smallest_lane(200_000, 100_000, 100_000) > 32  # and adds their gradients up, where they are local


@pytest.mark.parametrize("size", [0, 1, 10_000, 200_000, 10_000_000])
def test_shares_cover_everything(size: int) -> None:
    count = lanes.shares_of(size)
    assert 4 <= count <= 32
    parts = [lanes.Share(number, count).part(size) for number in range(count)]
    assert [part.stop for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert (parts[0].start, parts[-1].stop) == (0, size)
