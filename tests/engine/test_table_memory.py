"""Tables of a convolution depend on its geometry, so a batch of many micro-batches needs no more of them."""

from __future__ import annotations

import tracemalloc

import pytest

from convlens import nn
from convlens.engine.engines import NumbaPlan

pytest.importorskip("numba")


def kept(images: int) -> int:
    """Return the bytes that the compiled convolutions of a training plan keep, apart from arrays of values."""
    model = nn.Model([nn.Conv2D(4, 31), nn.Conv2D(16, 31), nn.Flatten(), nn.Dense(2)], (12, 12, 4)).use("numba", 1)
    assert isinstance(model.engine, NumbaPlan)
    tracemalloc.start()
    try:
        model.engine._plan(images)
        found = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/compiled/conv.py")])
    finally:
        tracemalloc.stop()
    return sum(one.size for one in found.statistics("filename"))


def test_a_batch_of_more_micro_batches_needs_no_more_tables() -> None:
    few, many = kept(16), kept(512)
    assert many < few + 500_000  # a table for each kernel took 5 MB at 256 images
