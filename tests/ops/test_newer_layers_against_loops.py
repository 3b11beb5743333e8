"""Locally connected layers, blurring, batch normalisation, branches, dropout, reshaping: against the plain loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convlens import nn, ops
from convlens.engine import interpreter
from convlens.nn.model import lower
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


@given(st.tuples(*[st.integers(1, 4)] * 4), st.integers(1, 3), st.permutations(range(3)), st.integers(0, 999))
def test_residual_dropout_and_reshape(
    size: tuple[int, int, int, int], kernel: int, order: list[int], seed: int
) -> None:
    shape, turned = size[1:], tuple(size[1 + i] for i in order)
    layers = [nn.Residual([nn.Conv2D(shape[2], kernel)]), nn.Dropout(0.5), nn.Reshape(turned), nn.Flatten()]
    program = lower(layers, shape)
    x, flat = whole_numbers(seed, *size), np.zeros(program.parameter_size, np.float32)
    w, b = (slot.view(flat) for slot in program.slots)
    w[...], b[...] = whole_numbers(seed + 1, *w.shape), whole_numbers(seed + 2, *b.shape)
    mask = np.float32(2) * (whole_numbers(seed + 3, *size) > 0)
    tape = interpreter.forward(program, flat, x, interpreter.Context(flat[:0], {"dropout1": mask}))
    rows, columns = (loops.padding("same", side, kernel, 1) for side in shape[:2])
    grid = loops.Grid((kernel, kernel), (1, 1), rows, columns)
    added = loops.residual(x, loops.conv2d(x, w, b, grid))
    np.testing.assert_array_equal(tape.values["add1"], added)
    np.testing.assert_array_equal(tape.values["dropout1"], loops.dropout(added, mask))
    np.testing.assert_array_equal(tape.values["reshape1"], loops.reshape(loops.dropout(added, mask), turned))
    dy, gradient = whole_numbers(seed + 4, size[0], *turned), np.zeros_like(flat)
    dx = interpreter.backward(program, tape, loops.reshape(dy, program.output_shape), gradient)
    arriving = loops.dropout(loops.reshape(dy, shape), mask)
    through, *_ = loops.conv2d_backward(x, w, arriving, grid)
    np.testing.assert_array_equal(dx, loops.residual(arriving, through))


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
