"""Locally connected layers, blurring and batch normalisation: `ops` against the plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convlens import ops
from tests.reference import loops
from tests.reference.strategies import Convolution, convolutions, whole_numbers


@given(convolutions())
def test_locally_connected(drawn: Convolution) -> None:
    window = ops.Window.resolve(drawn.kernel, drawn.stride, drawn.padding, drawn.shape[1:3], drawn.mode)
    positions = window.output_size(*drawn.shape[1:3])
    x = whole_numbers(drawn.seed, *drawn.shape)
    w = whole_numbers(drawn.seed, *positions, *drawn.kernel, drawn.shape[3], drawn.filters)
    b = whole_numbers(drawn.seed, *positions, drawn.filters)
    y, saved = ops.local2d(x, w, b, window)
    np.testing.assert_array_equal(y, loops.local2d(x, w, b, drawn.grid))
    dy = whole_numbers(drawn.seed + 1, *y.shape)
    names = zip(("dx", "dw", "db"), ops.local2d_backward(dy, saved), strict=True)
    for (name, got), wanted in zip(names, loops.local2d_backward(x, w, dy, drawn.grid), strict=True):
        np.testing.assert_array_equal(got, wanted, err_msg=name)


@given(convolutions())
def test_shared_weights_make_a_convolution(drawn: Convolution) -> None:
    """Weight sharing is all that tells the two apart."""
    window = ops.Window.resolve(drawn.kernel, drawn.stride, drawn.padding, drawn.shape[1:3], drawn.mode)
    positions = window.output_size(*drawn.shape[1:3])
    x = whole_numbers(drawn.seed, *drawn.shape)
    w = whole_numbers(drawn.seed, *drawn.kernel, drawn.shape[3], drawn.filters)
    b = whole_numbers(drawn.seed, drawn.filters)
    everywhere = np.broadcast_to(w, (*positions, *w.shape)), np.broadcast_to(b, (*positions, *b.shape))
    np.testing.assert_array_equal(ops.local2d(x, *everywhere, window)[0], ops.conv2d(x, w, b, window)[0])


@given(convolutions())
def test_blur(drawn: Convolution) -> None:
    size = drawn.shape[1:3]
    if min(size) <= max(drawn.kernel):
        return  # what is to be reflected must be there
    window = ops.Window.resolve(drawn.kernel, drawn.stride, "same", size, "reflect")
    grid = loops.Grid(drawn.kernel, drawn.stride, window.rows, window.columns, reflects=True)
    x = np.float32(64) * whole_numbers(drawn.seed, *drawn.shape)  # so that halving six times stays exact
    y, saved = ops.blur_pool2d(x, window)
    np.testing.assert_array_equal(y, loops.blur_pool2d(x, grid))
    # the backward pass is the adjoint: <blur(x), dy> = <x, blur'(dy)>
    dy = np.float32(64) * whole_numbers(drawn.seed + 1, *y.shape)
    assert np.vdot(y, dy) == np.vdot(x, ops.blur_pool2d_backward(dy, saved))


@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 999))
def test_batch_norm(count: int, channels: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    x = draw.standard_normal((count, channels)) + 3
    gamma, beta = draw.standard_normal((2, channels))
    y, _, mean, variance = ops.batch_norm(x, gamma, beta, 1e-5)
    wanted, means, variances = loops.batch_norm(x, gamma, beta, 1e-5)
    np.testing.assert_allclose(y, wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(mean, means, rtol=1e-12)
    np.testing.assert_allclose(variance, variances, rtol=1e-9, atol=1e-15)


def test_batch_norm_of_very_many_values_keeps_its_digits() -> None:
    x = np.random.default_rng(0).standard_normal((128, 28, 28, 2)).astype(np.float32) + np.float32(100)
    _, _, mean, variance = ops.batch_norm(x, np.ones(2, np.float32), np.zeros(2, np.float32), 1e-5)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, exact.var(axis=(0, 1, 2)), rtol=1e-4)
