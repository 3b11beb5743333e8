"""The one inner loop: sums of products in which the factors are found through tables.

::

    C[r, :] = max(sum over k of  A[row[r] + tap[k]] * B[strip[k] + :]  +  start[r, :],  floor)

for sixteen columns. `row`, `tap` and `strip` are tables of offsets, so A need not be a matrix in memory. For a
convolution, `row` says where an output's patch begins in the image and `tap` where a position of the kernel lies in a
patch: no patch is ever copied. Up to six rows are added up at the same time, in registers: 6 x 16 sums fill twelve of
AVX2's sixteen, and each value loaded from B is used six times.

Sources: Dukhan, "The indirect convolution algorithm", 2019; for the tile, Goto & van de Geijn, "Anatomy of
high-performance matrix multiplication", 2008.
"""

from __future__ import annotations

from ..typing import Array, Float32
from .compiler import FLOATS, INDICES, NOTHING, NUMBER, SIZE, compiled
from .vector import Vector, add_product, at, at_least, load, load_some, plus, store_some, zeros

MOST_ROWS = 6
NO_FLOOR = -3.4e38  # below every sum: a product that is not rectified


@compiled(NOTHING, Vector, FLOATS, SIZE, FLOATS, SIZE, NUMBER, SIZE)
def finish(total, c, c0, start, start0, floor, columns):  # type: ignore[no-untyped-def]
    """Write one row of C."""
    store_some(at_least(plus(total, load_some(start, start0, columns)), floor), c, c0, columns)


_TILE = (
    *(NOTHING, FLOATS, SIZE, INDICES, SIZE, INDICES, INDICES, SIZE, FLOATS, SIZE),
    *(FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE, NUMBER, SIZE),
)


@compiled(*_TILE)
def tile_6(a, a0, row, r, tap, strip, length, b, b0, c, c0, c_step, start, s0, s_step, floor, columns):  # type: ignore[no-untyped-def]
    p0, p1, p2, p3, p4, p5 = (
        a0 + at(row, r),
        a0 + at(row, r + 1),
        a0 + at(row, r + 2),
        a0 + at(row, r + 3),
        a0 + at(row, r + 4),
        a0 + at(row, r + 5),
    )
    t0 = t1 = t2 = t3 = t4 = t5 = zeros()
    for k in range(length):
        j, w = at(tap, k), load(b, b0 + at(strip, k))
        t0 = add_product(t0, a, p0 + j, w)
        t1 = add_product(t1, a, p1 + j, w)
        t2 = add_product(t2, a, p2 + j, w)
        t3 = add_product(t3, a, p3 + j, w)
        t4 = add_product(t4, a, p4 + j, w)
        t5 = add_product(t5, a, p5 + j, w)
    finish(t0, c, c0, start, s0, floor, columns)
    finish(t1, c, c0 + c_step, start, s0 + s_step, floor, columns)
    finish(t2, c, c0 + 2 * c_step, start, s0 + 2 * s_step, floor, columns)
    finish(t3, c, c0 + 3 * c_step, start, s0 + 3 * s_step, floor, columns)
    finish(t4, c, c0 + 4 * c_step, start, s0 + 4 * s_step, floor, columns)
    finish(t5, c, c0 + 5 * c_step, start, s0 + 5 * s_step, floor, columns)


@compiled(*_TILE)
def tile_5(a, a0, row, r, tap, strip, length, b, b0, c, c0, c_step, start, s0, s_step, floor, columns):  # type: ignore[no-untyped-def]
    p0, p1, p2, p3, p4 = (
        a0 + at(row, r),
        a0 + at(row, r + 1),
        a0 + at(row, r + 2),
        a0 + at(row, r + 3),
        a0 + at(row, r + 4),
    )
    t0 = t1 = t2 = t3 = t4 = zeros()
    for k in range(length):
        j, w = at(tap, k), load(b, b0 + at(strip, k))
        t0 = add_product(t0, a, p0 + j, w)
        t1 = add_product(t1, a, p1 + j, w)
        t2 = add_product(t2, a, p2 + j, w)
        t3 = add_product(t3, a, p3 + j, w)
        t4 = add_product(t4, a, p4 + j, w)
    finish(t0, c, c0, start, s0, floor, columns)
    finish(t1, c, c0 + c_step, start, s0 + s_step, floor, columns)
    finish(t2, c, c0 + 2 * c_step, start, s0 + 2 * s_step, floor, columns)
    finish(t3, c, c0 + 3 * c_step, start, s0 + 3 * s_step, floor, columns)
    finish(t4, c, c0 + 4 * c_step, start, s0 + 4 * s_step, floor, columns)


@compiled(*_TILE)
def tile_4(a, a0, row, r, tap, strip, length, b, b0, c, c0, c_step, start, s0, s_step, floor, columns):  # type: ignore[no-untyped-def]
    p0, p1, p2, p3 = a0 + at(row, r), a0 + at(row, r + 1), a0 + at(row, r + 2), a0 + at(row, r + 3)
    t0 = t1 = t2 = t3 = zeros()
    for k in range(length):
        j, w = at(tap, k), load(b, b0 + at(strip, k))
        t0 = add_product(t0, a, p0 + j, w)
        t1 = add_product(t1, a, p1 + j, w)
        t2 = add_product(t2, a, p2 + j, w)
        t3 = add_product(t3, a, p3 + j, w)
    finish(t0, c, c0, start, s0, floor, columns)
    finish(t1, c, c0 + c_step, start, s0 + s_step, floor, columns)
    finish(t2, c, c0 + 2 * c_step, start, s0 + 2 * s_step, floor, columns)
    finish(t3, c, c0 + 3 * c_step, start, s0 + 3 * s_step, floor, columns)


@compiled(*_TILE)
def tile_3(a, a0, row, r, tap, strip, length, b, b0, c, c0, c_step, start, s0, s_step, floor, columns):  # type: ignore[no-untyped-def]
    p0, p1, p2 = a0 + at(row, r), a0 + at(row, r + 1), a0 + at(row, r + 2)
    t0 = t1 = t2 = zeros()
    for k in range(length):
        j, w = at(tap, k), load(b, b0 + at(strip, k))
        t0 = add_product(t0, a, p0 + j, w)
        t1 = add_product(t1, a, p1 + j, w)
        t2 = add_product(t2, a, p2 + j, w)
    finish(t0, c, c0, start, s0, floor, columns)
    finish(t1, c, c0 + c_step, start, s0 + s_step, floor, columns)
    finish(t2, c, c0 + 2 * c_step, start, s0 + 2 * s_step, floor, columns)


@compiled(*_TILE)
def tile_2(a, a0, row, r, tap, strip, length, b, b0, c, c0, c_step, start, s0, s_step, floor, columns):  # type: ignore[no-untyped-def]
    p0, p1 = a0 + at(row, r), a0 + at(row, r + 1)
    t0 = t1 = zeros()
    for k in range(length):
        j, w = at(tap, k), load(b, b0 + at(strip, k))
        t0 = add_product(t0, a, p0 + j, w)
        t1 = add_product(t1, a, p1 + j, w)
    finish(t0, c, c0, start, s0, floor, columns)
    finish(t1, c, c0 + c_step, start, s0 + s_step, floor, columns)


@compiled(*_TILE)
def tile_1(a, a0, row, r, tap, strip, length, b, b0, c, c0, c_step, start, s0, s_step, floor, columns):  # type: ignore[no-untyped-def]
    p0 = a0 + at(row, r)
    t0 = zeros()
    for k in range(length):
        j, w = at(tap, k), load(b, b0 + at(strip, k))
        t0 = add_product(t0, a, p0 + j, w)
    finish(t0, c, c0, start, s0, floor, columns)


@compiled(
    *(NOTHING, FLOATS, SIZE, INDICES, SIZE, SIZE),
    *(INDICES, INDICES, SIZE, FLOATS, SIZE),
    *(FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE),
    *(NUMBER, SIZE),
)
def product(
    a: Float32,
    a0: int,
    row: Array,
    row0: int,
    rows: int,
    tap: Array,
    strip: Array,
    length: int,
    b: Float32,
    b0: int,
    c: Float32,
    c0: int,
    c_step: int,
    start: Float32,
    start0: int,
    start_step: int,
    floor: float,
    columns: int,
) -> None:
    """Compute C[r, :columns] = max(sum over k of A[row[r] + tap[k]] * B[strip[k]:] + start[r], floor) for r < rows.

    Parameters
    ----------
    a, a0
        The array of A, and where in it A begins.
    row, row0, rows
        Offsets of rows in A; the first one to use, and how many.
    tap, strip, length
        Offsets within a row of A, and of the matching sixteen values of B; how many to add up.
    b, b0
        The array of B, and where its sixteen columns begin; there must be sixteen, whatever the others hold.
    c, c0, c_step
        The array of C, where its first row begins, and how far apart its rows are.
    start, start0, start_step
        What is added at the end, likewise: a bias with step 0, or C itself. Not at the beginning: a long sum that
        starts from zero loses fewer digits.
    floor
        Smallest result: 0 rectifies, `NO_FLOOR` leaves everything.
    columns
        How many columns there are; above sixteen means sixteen.
    """
    tiles = (rows + MOST_ROWS - 1) // MOST_ROWS
    for t in range(tiles):  # as even as can be: the smaller a tile, the less it gains from each value loaded
        r = rows * t // tiles
        n = rows * (t + 1) // tiles - r
        c1, s1, r1 = c0 + r * c_step, start0 + r * start_step, row0 + r
        if n == 6:
            tile_6(a, a0, row, r1, tap, strip, length, b, b0, c, c1, c_step, start, s1, start_step, floor, columns)
        elif n == 5:
            tile_5(a, a0, row, r1, tap, strip, length, b, b0, c, c1, c_step, start, s1, start_step, floor, columns)
        elif n == 4:
            tile_4(a, a0, row, r1, tap, strip, length, b, b0, c, c1, c_step, start, s1, start_step, floor, columns)
        elif n == 3:
            tile_3(a, a0, row, r1, tap, strip, length, b, b0, c, c1, c_step, start, s1, start_step, floor, columns)
        elif n == 2:
            tile_2(a, a0, row, r1, tap, strip, length, b, b0, c, c1, c_step, start, s1, start_step, floor, columns)
        else:
            tile_1(a, a0, row, r1, tap, strip, length, b, b0, c, c1, c_step, start, s1, start_step, floor, columns)
