"""Batch normalisation if the mean is far above the standard deviation: no digits of the variance are lost."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import ops
from convlens.engine import ENGINES
from convlens.nn import BatchNorm, Dense, Flatten, Model


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("channels", [1, 3, 16])
def test_running_variance_at_an_offset_of_ten_thousand(name: str, channels: int) -> None:
    draw = np.random.default_rng(3)
    x = (1e4 + draw.standard_normal((96, 12, 12, channels))).astype(np.float32)
    model = Model([BatchNorm(), Flatten(), Dense(2)], x.shape[1:]).use(name, 2)
    model.engine.gradient(x, np.zeros(96, np.int64), np.zeros_like(model.flat))
    rows = x.reshape(-1, channels).astype(np.float64)
    node = model.program.nodes[0]
    momentum = node.attributes["momentum"]
    mean, variance = (node.buffers[key].view(model.flat_buffers) for key in ("mean", "variance"))
    np.testing.assert_allclose((variance - momentum) / (1 - momentum), rows.var(axis=0, ddof=1), rtol=3e-6)
    np.testing.assert_allclose(mean / (1 - momentum), rows.mean(axis=0), rtol=2e-7)


@pytest.mark.parametrize("offset", [0, 1e4, -1e4])
def test_the_op_itself(offset: float) -> None:
    x = (offset + np.random.default_rng(3).standard_normal((64, 7, 7, 4))).astype(np.float32)
    one, zero = np.ones(4, np.float32), np.zeros(4, np.float32)
    _, _, mean, variance = ops.batch_norm(x, one, zero, 1e-5)
    exact = x.reshape(-1, 4).astype(np.float64)
    np.testing.assert_allclose(variance, exact.var(axis=0), rtol=1e-6)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=2e-7, atol=1e-6)
