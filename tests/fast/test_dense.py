"""Dense layers against NumPy, of any size; and the same bits whichever images run together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from convlens.engine.arena import readable
from convlens.engine.compiled.dense import table
from convlens.fast import dense
from convlens.fast.product import WIDE
from convlens.fast.vector import WIDTH
from convlens.typing import Float32

SIZES = st.one_of(st.integers(1, 70), st.sampled_from([96, 129, 225, 300]))
IMAGES = st.integers(1, 40)
NO_BIAS = np.zeros(WIDE, np.float32)


def filled(values: Float32) -> Float32:
    """The same values in memory that may be read past its end."""
    array = readable(values.size).reshape(values.shape)
    array[...] = values
    return array


def forward(x: Float32, w: Float32, b: Float32) -> Float32:
    (n, d_in), d_out = x.shape, len(b)
    y, tables = readable(n * d_out), (table(n, d_in), table(d_in), table(d_in, d_out))
    dense.forward(x.reshape(-1), w.reshape(-1), b, *tables, n, d_out, 0, d_out, False, y)()
    return y.reshape(n, d_out)


def backward(dy: Float32, w: Float32) -> Float32:
    n, (d_in, d_out) = len(dy), w.shape
    step = -(-n // WIDTH) * WIDTH
    tables = table(d_in, d_out), table(d_out), table(d_out, step)
    dx, turned_dy, turned_dx = readable(n * d_in), readable(d_out * step), readable(d_in * step)
    sizes = n, d_in, d_out
    dense.backward(dy.reshape(-1), w.reshape(-1), *tables, NO_BIAS, *sizes, turned_dy, turned_dx, dx)()
    return dx.reshape(n, d_in)


def weights(x: Float32, dy: Float32) -> Float32:
    (n, d_in), d_out = x.shape, dy.shape[1]
    dw, tables = readable(d_in * d_out), (table(d_in), table(n, d_in), table(n, d_out))
    dense.weights(x.reshape(-1), dy.reshape(-1), *tables, NO_BIAS, n, d_out, dw)()
    return dw.reshape(d_in, d_out)


@given(st.integers(0, 2**32), IMAGES, SIZES, SIZES)
def test_products_are_numpys(seed: int, n: int, d_in: int, d_out: int) -> None:
    draw = np.random.default_rng(seed)
    x, dy, w, b = (
        filled(draw.integers(-3, 4, shape).astype(np.float32))
        for shape in ((n, d_in), (n, d_out), (d_in, d_out), (d_out,))
    )
    np.testing.assert_array_equal(forward(x, w, b), x @ w + b)
    np.testing.assert_array_equal(backward(dy, w), dy @ w.T)
    np.testing.assert_array_equal(weights(x, dy), x.T @ dy)


@given(st.integers(0, 2**32), IMAGES, IMAGES, SIZES, SIZES)
def test_bits_do_not_depend_on_which_images_run_together(seed: int, n: int, others: int, d_in: int, d_out: int) -> None:
    draw = np.random.default_rng(seed)
    x, dy, w, b = (
        filled(draw.normal(size=shape).astype(np.float32))
        for shape in ((n + others, d_in), (n + others, d_out), (d_in, d_out), (d_out,))
    )
    np.testing.assert_array_equal(forward(filled(x[:n]), w, b), forward(x, w, b)[:n])
    np.testing.assert_array_equal(backward(filled(dy[:n]), w), backward(dy, w)[:n])
