"""Clipping by the global norm: the exact length, the direction kept, the same bits on any number of threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convlens import engine, nn, optim
from convlens.engine.lanes import CHUNK
from convlens.program import aligned_zeros


@pytest.fixture(scope="module")
def model() -> nn.Model:
    return nn.Model([nn.Flatten(), nn.Dense(64), nn.Dense(3)], (28, 28, 1))  # several chunks, the last one not full


def gradient_of(model: nn.Model, scale: float = 1.0) -> np.ndarray:
    gradient = aligned_zeros(model.flat.size)
    gradient[...] = scale * np.random.default_rng(5).standard_normal(model.flat.size)
    return gradient


def clipped(model: nn.Model, gradient: np.ndarray, limit: float, threads: int) -> float:
    runner = engine.start(model.program, model.flat, None, threads)
    try:
        return optim.clip_by_norm(runner, gradient, limit)
    finally:
        runner.close()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e18])  # whose squares do not fit into float32
def test_the_whole_gradient_is_shortened_to_the_limit(model: nn.Model, scale: float) -> None:
    gradient = gradient_of(model, scale)
    before = gradient.copy()
    wanted = math.sqrt(math.fsum(float(g) ** 2 for g in before))
    assert clipped(model, gradient, wanted / 4, 1) == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(gradient, before / 4, rtol=1e-6)


def test_a_short_gradient_is_left_alone(model: nn.Model) -> None:
    gradient = gradient_of(model)
    before = gradient.copy()
    norm = clipped(model, gradient, 1e9, 1)
    assert gradient.tobytes() == before.tobytes()
    assert clipped(model, gradient, norm, 1) == norm
    assert gradient.tobytes() == before.tobytes()


def test_threads_do_not_change_the_bits(model: nn.Model) -> None:
    assert model.flat.size > 3 * CHUNK
    gradients = [gradient_of(model) for _ in range(3)]
    norms = {clipped(model, gradient, 1.0, threads) for threads, gradient in enumerate(gradients, start=1)}
    assert len(norms) == 1
    assert len({gradient.tobytes() for gradient in gradients}) == 1


def test_a_gradient_that_is_no_number_is_not_hidden(model: nn.Model) -> None:
    gradient = gradient_of(model)
    gradient[7] = np.inf
    with np.errstate(all="ignore"):
        assert math.isnan(clipped(model, gradient, 1.0, 1))
    assert not np.isfinite(gradient[7])
