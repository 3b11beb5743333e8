"""One image's rows, computed by several calls: together they give the bits of one call that computes them all."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from convlens import nn
from convlens.engine.compiled.conv import CompiledConvKernel
from convlens.engine.engines import NumbaPlan
from convlens.engine.passes import BatchStore, Flat, LaneStore, Memory, Pass
from convlens.engine.rewrite import rewrite

from .drive import poisoned_arena, run

CASES = [
    pytest.param((14, 14, 16), nn.Conv2D(32, 3), True, id="squares, pooled"),
    pytest.param((9, 7, 16), nn.Conv2D(33, 5), False, id="an odd number of rows"),
    pytest.param((5, 5, 40), nn.Conv2D(7, 3, padding="valid"), False, id="several images at a time"),
    pytest.param((28, 28, 16), nn.Conv2D(16, 3), True, id="larger squares, pooled"),
    pytest.param((28, 28, 1), nn.Conv2D(16, 3), True, id="one channel, pooled"),
    pytest.param((11, 10, 3), nn.Conv2D(5, 4, 2, padding_mode="reflect"), False, id="strides"),
    pytest.param((3, 3, 2), nn.Conv2D(3, 1), False, id="fewer rows than shares"),
]


@pytest.mark.parametrize(("size", "layer", "pooled"), CASES)
@pytest.mark.parametrize("training", [False, True])
def test_shares_give_the_bits_of_the_whole(
    size: tuple[int, int, int], layer: nn.Conv2D, pooled: bool, training: bool
) -> None:
    model = nn.Model([layer, nn.ReLU(), *[nn.MaxPool2D(2)] * pooled, nn.Flatten()], size, seed=1)
    tools = NumbaPlan.tools()
    memory, images = Memory(rewrite(model.program, tools.poolers, tools.rectifiers), tools), 3
    gradient = np.zeros_like(model.flat) if training else None
    lane = LaneStore(BatchStore(memory, images), slice(0, images)) if training else None
    flat = Flat(model.flat, model.flat_buffers, gradient)
    one = Pass(memory, images, poisoned_arena(), flat, lane, slice(0, images))
    one.x[...] = np.random.default_rng(2).standard_normal(one.x.shape)
    kernel = one.kernels[0]
    assert isinstance(kernel, CompiledConvKernel)
    run(one.prepare() + one.forward())
    whole, winners = kernel.y.copy(), kernel.winners.copy()
    assert np.isfinite(whole).all()
    for shares in (2, 3, 5):
        kernel.y.fill(np.nan)
        kernel.winners.fill(np.nan)
        for share in reversed(range(shares)):
            kernel.share_call(share, shares)()
        np.testing.assert_array_equal(kernel.y, whole)
        np.testing.assert_array_equal(kernel.winners, winners)


def test_a_share_writes_no_rows_of_others() -> None:
    model = nn.Model([nn.Conv2D(16, 3), nn.Flatten()], (8, 8, 16))
    tools = NumbaPlan.tools()
    one = Pass(Memory(model.program, tools), 1, poisoned_arena(), Flat(model.flat, model.flat_buffers))
    one.x.fill(1)
    run(one.prepare())
    kernel = one.kernels[0]
    assert isinstance(kernel, CompiledConvKernel)
    kernel.y.fill(np.nan)
    kernel.share_call(1, 2)()
    rows = np.isfinite(kernel.y.reshape(8, -1)).all(1)
    np.testing.assert_array_equal(rows, np.arange(8) >= 4)
