"""The one inner loop against NumPy: any height, width and depth, factors found anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from convlens.fast.linker import processor
from convlens.fast.product import DEPTH, NO_FLOOR, WIDE, WIDEST, product
from convlens.fast.script import entry
from convlens.fast.signatures import Indices
from convlens.fast.vector import WIDTH, load, store_some, transposed
from convlens.typing import Float32
from tests.faults.forks import environment

AVX2 = "+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+lzcnt,+movbe,+f16c"


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
def put(a: Float32, b: Float32, count: int) -> None:
    store_some(load(a, 0), b, 3, count)


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


@pytest.mark.parametrize("depth", [37, DEPTH + 77])
def test_sums_have_one_order_whatever_the_tile(depth: int) -> None:
    """Factors have so few digits that products are exact: fused or not, a sum is that of a plain loop, to the bit."""
    draw, most = np.random.default_rng(depth), 30
    a, b = (
        (draw.integers(-(2**11), 2**11, size) * 2.0 ** draw.integers(-9, 9, size)).astype(np.float32)
        for size in (500, (WIDEST // WIDTH, depth, WIDTH))
    )
    row, tap = (draw.integers(0, 250, n).astype(np.int32) for n in (most, depth))
    strip = np.arange(depth, dtype=np.int32) * WIDTH
    start, wanted = draw.normal(size=(most, WIDEST + 2)).astype(np.float32), np.zeros((most, WIDEST), np.float32)
    whole = wanted
    for k in range(depth):
        if depth > DEPTH and k == depth // 2:
            whole, wanted = wanted, np.zeros_like(wanted)
        wanted += a[row + tap[k]][:, None] * b[:, k].reshape(-1)
    wanted = wanted + (whole + start[:, :WIDEST] if depth > DEPTH else start[:, :WIDEST])
    for columns in range(1, WIDEST + 2):
        for rows in range(1, most + 1):
            c = np.full_like(start, 77)
            multiply(
                *(a, row[:rows], tap, strip, b.reshape(-1), WIDTH * depth, c.reshape(-1), WIDEST + 2),
                *(start.reshape(-1), NO_FLOOR, columns),
            )()
            computed = min(columns, WIDE)
            assert c[:rows, :computed].tobytes() == wanted[:rows, :computed].tobytes(), (rows, columns)
            c[:rows, :computed] = 77
            assert (c == 77).all(), "nothing else is written"


@pytest.mark.skipif("+avx512f" not in processor()[1], reason="the tiles of other processors are compiled for one")
def test_tiles_of_older_processors_sum_in_the_same_order() -> None:
    settings = environment(NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES=AVX2)
    this = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "one_order", str(Path(__file__))]
    done = subprocess.run(this, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("count", range(1, WIDTH + 1))
def test_some_numbers_of_a_vector_are_written(count: int) -> None:
    a, b = np.arange(1, WIDTH + 1, dtype=np.float32), np.zeros(3 + 2 * WIDTH, np.float32)
    put(a, b, count)()
    np.testing.assert_array_equal(b[3 : 3 + count], a[:count])
    assert np.count_nonzero(b) == count


@given(st.integers(1, WIDTH), st.integers(1, WIDTH))
def test_blocks_are_turned(rows: int, columns: int) -> None:
    a, b = np.arange(17 * 18, dtype=np.float32), np.zeros((20, 19), np.float32)
    turn(a, 18, b.reshape(-1), 19, rows, columns)()
    np.testing.assert_array_equal(b[:columns, :rows], a.reshape(17, 18)[:rows, :columns].T)
    b[:columns, :rows] = 0
    assert not b.any()
