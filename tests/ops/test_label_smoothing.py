"""Smoothed labels: the definition, the derivative by differences, and every engine alike."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens import engine, nn, ops
from convlens.engine import ENGINES
from convlens.typing import Array
from tests.gradcheck import check_direction

SMOOTHINGS = st.sampled_from([0.0, 0.05, 0.5, 0.99])


def drawn(seed: int, n: int, classes: int) -> tuple[Array, Array, np.random.Generator]:
    draw = np.random.default_rng(seed)
    return 3 * draw.standard_normal((n, classes)), draw.integers(0, classes, n), draw


@given(st.integers(1, 4), st.integers(1, 6), SMOOTHINGS, st.integers(0, 999))
def test_the_definition(n: int, classes: int, smoothing: float, seed: int) -> None:
    logits, labels, _ = drawn(seed, n, classes)
    losses, _ = ops.softmax_cross_entropy(logits, labels, smoothing)
    for row, label, loss in zip(logits.tolist(), labels.tolist(), losses, strict=True):
        total = math.fsum(map(math.exp, row))
        targets = [smoothing / classes + (1 - smoothing if k == label else 0) for k in range(classes)]
        assert loss == pytest.approx(
            -math.fsum(t * math.log(math.exp(z) / total) for t, z in zip(targets, row, strict=True)), abs=1e-12
        )


@given(st.integers(1, 4), st.integers(2, 6), SMOOTHINGS, st.integers(0, 99))
def test_the_derivative(n: int, classes: int, smoothing: float, seed: int) -> None:
    logits, labels, draw = drawn(seed, n, classes)
    weights = draw.random(n)
    _, saved = ops.softmax_cross_entropy(logits, labels, smoothing)
    gradient = ops.softmax_cross_entropy_backward(weights, saved)

    def loss() -> float:
        return float(ops.softmax_cross_entropy(logits, labels, smoothing)[0] @ weights)

    check_direction(loss, logits, gradient, draw, f"smoothing {smoothing}")


def test_logits_of_any_size_do_not_overflow() -> None:
    logits = np.array([[3e37, 0, -3e37] * 4], np.float32)
    losses, saved = ops.softmax_cross_entropy(logits, np.array([2]), 0.1)
    assert losses.dtype == np.float32
    assert losses[0] == pytest.approx(5.7e37 + math.log(4), rel=1e-6)
    assert np.isfinite(ops.softmax_cross_entropy_backward(np.ones(1, np.float32), saved)).all()


@pytest.mark.parametrize("name", ENGINES)
def test_engines_train_on_smoothed_labels(name: str) -> None:
    layers = [nn.Conv2D(3), nn.ReLU(), nn.Flatten(), nn.Dense(4)]
    model, draw = nn.Model(layers, (6, 6, 1), 1), np.random.default_rng(2)
    x, labels = draw.random((13, 6, 6, 1), np.float32), draw.integers(0, 4, 13)
    runner, gradient = engine.start(model.program, model.flat, name, 2), np.zeros_like(model.flat)
    result = runner.gradient(x, labels, gradient, smoothing=0.3)
    runner.close()
    exact = nn.Model(layers, (6, 6, 1), 1, dtype=np.float64)
    exact.flat[...] = model.flat
    wanted = np.zeros_like(exact.flat)
    assert exact.engine.gradient(x.astype(np.float64), labels, wanted, smoothing=0.3).loss == pytest.approx(
        result.loss, rel=1e-6
    )
    assert np.abs(gradient - wanted).max() <= 1e-5 * np.abs(wanted).max()

    def loss() -> float:
        return float(ops.softmax_cross_entropy(exact.logits(x.astype(np.float64)), labels, 0.3)[0].mean())

    check_direction(loss, exact.flat, wanted, draw, name)
