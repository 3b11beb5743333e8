"""The one inner loop against NumPy: any height, width and depth, factors found anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from convlens.fast.product import DEPTH, NO_FLOOR, WIDE, product
from convlens.fast.script import entry
from convlens.fast.signatures import Indices
from convlens.fast.vector import WIDTH, transposed
from convlens.typing import Float32


@entry
def multiply(
    a: Float32,
    row: Indices,
    tap: Indices,
    strip: Indices,
    b: Float32,
    b_step: int,
    c: Float32,
    c_step: int,
    start: Float32,
    floor: float,
    columns: int,
) -> None:  # fmt: skip
    product(a, 0, row, 0, len(row), tap, strip, len(tap), b, 0, b_step, c, 0, c_step, start, 0, c_step, floor, columns)


@entry
def turn(a: Float32, a_step: int, b: Float32, b_step: int, rows: int, columns: int) -> None:
    transposed(a, 0, a_step, b, 0, b_step, rows, columns)


@given(
    st.integers(0, 2**32),
    st.integers(1, 29),
    st.one_of(st.integers(1, 20), st.sampled_from([DEPTH, DEPTH + 1, 3 * DEPTH - 1])),
    st.integers(1, WIDE),
    st.booleans(),
)
def test_products_are_numpys(seed: int, rows: int, depth: int, columns: int, rectified: bool) -> None:
    draw = np.random.default_rng(seed)
    a = draw.integers(-3, 4, 500).astype(np.float32)
    b_step = 16 * depth  # strips of sixteen columns, one behind the other
    b = draw.integers(-3, 4, (WIDE // WIDTH, depth, WIDTH)).astype(np.float32)
    row, tap = (draw.integers(0, 250, n).astype(np.int32) for n in (rows, depth))
    strip = draw.permutation(depth).astype(np.int32) * WIDTH
    start = draw.integers(-3, 4, (rows, WIDE + 2)).astype(np.float32)
    c = np.full_like(start, 77)
    multiply(
        *(a, row, tap, strip, b.reshape(-1), b_step, c.reshape(-1), WIDE + 2, start.reshape(-1)),
        *(0.0 if rectified else NO_FLOOR, columns),
    )()
    factors = b[:, strip // WIDTH].transpose(1, 0, 2).reshape(depth, WIDE)
    with np.errstate(all="ignore"):  # on ARM, OpenBLAS raises flags for numbers behind the matrix, which nobody reads
        wanted = a[row[:, None] + tap] @ factors + start[:, :WIDE]
    wanted = np.maximum(wanted, 0) if rectified else wanted
    np.testing.assert_array_equal(c[:, :columns], wanted[:, :columns])
    assert (c[:, columns:] == 77).all(), "nothing is written beside the columns asked for"


@given(st.integers(1, WIDTH), st.integers(1, WIDTH))
def test_blocks_are_turned(rows: int, columns: int) -> None:
    a, b = np.arange(17 * 18, dtype=np.float32), np.zeros((20, 19), np.float32)
    turn(a, 18, b.reshape(-1), 19, rows, columns)()
    np.testing.assert_array_equal(b[:columns, :rows], a.reshape(17, 18)[:rows, :columns].T)
    b[:columns, :rows] = 0
    assert not b.any()
