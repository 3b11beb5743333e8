"""Pooling, dense, ReLU and the loss: `ops` against the plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens import ops
from convlens.typing import Array
from tests.reference import loops
from tests.reference.strategies import pools, whole_numbers

SIZES = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 4), st.integers(0, 999))


@given(pools())
def test_max_pool_with_many_ties(drawn: tuple[tuple[int, ...], loops.Grid, int]) -> None:
    shape, grid, seed = drawn
    x = whole_numbers(seed, *shape, largest=1)  # three values only, so that most windows have several maxima
    y, saved = ops.max_pool2d(x, ops.Window(grid.kernel, grid.stride))
    dy = whole_numbers(seed + 1, *y.shape)
    wanted, dx = loops.max_pool2d(x, grid, dy)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(ops.max_pool2d_backward(dy, saved), dx)


def test_the_first_of_equal_maxima_takes_the_gradient() -> None:
    x = np.array([[0.0, 5], [5, 5]]).reshape(1, 2, 2, 1)
    _, saved = ops.max_pool2d(x, ops.Window((2, 2)))
    assert ops.max_pool2d_backward(np.ones((1, 1, 1, 1)), saved).ravel().tolist() == [0, 1, 0, 0]


@given(pools())
def test_average_pool(drawn: tuple[tuple[int, ...], loops.Grid, int]) -> None:
    shape, grid, seed = drawn
    x = whole_numbers(seed, *shape).astype(np.float64)
    y, saved = ops.average_pool2d(x, ops.Window(grid.kernel, grid.stride))
    dy = whole_numbers(seed + 1, *y.shape).astype(np.float64)
    wanted, dx = loops.average_pool2d(x, grid, dy)
    np.testing.assert_allclose(y, wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(ops.average_pool2d_backward(dy, saved), dx, rtol=0, atol=1e-14)


@given(SIZES)
def test_dense(drawn: tuple[int, int, int, int]) -> None:
    n, features, units, seed = drawn
    x, w, b = (whole_numbers(seed, *shape) for shape in ((n, features), (features, units), (units,)))
    y, saved = ops.dense(x, w, b)
    np.testing.assert_array_equal(y, loops.dense(x, w, b))
    dy = whole_numbers(seed + 1, n, units)
    for got, wanted in zip(ops.dense_backward(dy, saved), loops.dense_backward(x, w, dy), strict=True):
        np.testing.assert_array_equal(got, wanted)


@given(SIZES)
def test_relu(drawn: tuple[int, int, int, int]) -> None:
    *shape, seed = drawn
    x, dy = whole_numbers(seed, *shape, largest=1), whole_numbers(seed + 1, *shape)
    y, positive = ops.relu(x)
    wanted, dx = loops.relu(x, dy)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(ops.relu_backward(dy, positive), dx)


def random_logits(seed: int, n: int, classes: int, scale: float) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    return scale * draw.standard_normal((n, classes)), draw.integers(0, classes, n)


@given(st.integers(1, 4), st.integers(1, 6), st.sampled_from([0.01, 1.0, 30.0, 1e4]), st.integers(0, 999))
def test_softmax_cross_entropy(n: int, classes: int, scale: float, seed: int) -> None:
    logits, labels = random_logits(seed, n, classes, scale)
    losses, saved = ops.softmax_cross_entropy(logits, labels)
    wanted, dlogits = loops.softmax_cross_entropy(logits, labels)
    np.testing.assert_allclose(losses, wanted, rtol=1e-12, atol=1e-15)
    weights = np.random.default_rng(seed).random(n)
    got = ops.softmax_cross_entropy_backward(weights, saved)
    np.testing.assert_allclose(got, dlogits * weights[:, None], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ops.softmax(logits)[range(n), labels], np.exp(-wanted), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("largest", [100.0, 1e4, 3e37])
def test_logits_of_any_size_neither_overflow_nor_lose_the_loss(largest: float) -> None:
    logits = np.array([[largest, 0, -largest], [0, 0, 0]], np.float32)
    losses, saved = ops.softmax_cross_entropy(logits, np.array([2, 1]))
    assert losses.tolist() == [np.float32(2 * largest), pytest.approx(math.log(3))]
    assert np.isfinite(ops.softmax_cross_entropy_backward(np.ones(2, np.float32), saved)).all()
    np.testing.assert_allclose(ops.softmax(logits).sum(axis=1), 1)
