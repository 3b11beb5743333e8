"""The flat gradient in shares: every number is written once, by the thread that will update it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from convlens import engine, nn
from convlens.engine.engines import Plan
from convlens.engine.plan import flat_shares

pytest.importorskip("numba")


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize(
    "layers",
    [
        [nn.Flatten(), nn.Dense(1), nn.Dense(2), nn.Dense(3), nn.Dense(4), nn.Dense(3)],  # fewer rows than lanes
        [nn.Conv2D(3), nn.ReLU(), nn.Flatten(), nn.Dense(17), nn.Tanh(), nn.Dense(3)],
        [nn.LocallyConnected2D(64), nn.Flatten(), nn.Dense(3)],  # its weights are several chunks
        [nn.Conv2D(3), nn.GlobalAveragePool2D()],  # nothing waits for the whole batch
    ],
    ids=["narrow", "convolution", "local", "no dense"],
)
@pytest.mark.parametrize("images", [1, 6])
def test_every_number_is_written_once_by_whom_it_belongs_to(layers: Sequence[nn.Layer], name: str, images: int) -> None:
    model = nn.Model(layers, (8, 8, 1))
    runner = engine.start(model.program, model.flat, name, 2)
    assert isinstance(runner, Plan)
    runner.gradient(np.ones((images, 8, 8, 1), np.float32), np.zeros(images, np.int64), np.zeros_like(model.flat))
    plan, times = runner._plan(images), np.zeros(model.flat.size, int)
    for share, belonging in enumerate(flat_shares(plan._memory, model.flat.size)):
        out = np.full_like(model.flat, np.nan)
        for step in plan._finish.shares(out)[share]:
            step()
        mine = np.zeros(model.flat.size, bool)
        for part in belonging:
            mine[part] = True
        np.testing.assert_array_equal(~np.isnan(out), mine)
        times += mine
    assert (times == 1).all()
    runner.close()
