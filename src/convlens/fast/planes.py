"""The steps around a convolution's products: padding, pooling, and spreading derivatives out to its outputs."""

from __future__ import annotations

from ..typing import Array, Float32
from .native import helper
from .vector import (
    WIDTH,
    at,
    at_least,
    load,
    load_some,
    plus,
    spread,
    store,
    store_some,
    where_beats,
    where_equal,
    where_greater,
    zeros,
)  # fmt: skip

NOBODY = -1.0  # in place of a phase: ReLU is inactive, so none takes the derivative


@helper
def pad(x: Float32, x0: int, count: int, row: int, lines: Array, mirrored: Array, size: int, padded: Float32) -> None:
    """Copy images, in rows of `row` values, into padded ones of `size` values whose border is zero.

    `lines` says where each row goes; `mirrored` has pairs (index of a value, of its origin) for padding that reflects.
    """
    for i in range(count):
        to = i * size
        for h in range(len(lines)):
            of = x0 + (i * len(lines) + h) * row
            for k in range(0, row, WIDTH):
                store_some(load_some(x, of + k, row - k), padded, to + at(lines, h) + k, row - k)
        for p in range(0, len(mirrored), 2):
            padded[to + at(mirrored, p)] = padded[to + at(mirrored, p + 1)]


@helper
def unpad(
    dpadded: Float32, x0: int, count: int, row: int, lines: Array, mirrored: Array, size: int, dx: Float32
) -> None:
    """Write the derivatives of images from those of padded images; the adjoint of `pad`."""
    for i in range(count):
        of = i * size
        for p in range(0, len(mirrored), 2):
            dpadded[of + at(mirrored, p + 1)] += dpadded[of + at(mirrored, p)]
        for h in range(len(lines)):
            to = x0 + (i * len(lines) + h) * row
            for k in range(0, row, WIDTH):
                store_some(load_some(dpadded, of + at(lines, h) + k, row - k), dx, to + k, row - k)


@helper
def pool_planes(
    planes: Float32,
    column: int,
    step: int,
    rows: int,
    phases: int,
    width: int,
    y: Float32,
    y0: int,
    filters: int,
    columns: int,
    relu: bool,
    winners: Float32,
) -> None:
    """Reduce rows of pooling windows (rows, phases, width, step) to their maxima, in sixteen columns from `column` on.

    Write the winning phase, the first of equals, to `winners`, unless that is empty.
    """
    to = y0
    for row in range(rows):
        for x in range(width):
            of = (row * phases * width + x) * step + column
            best, phase = load(planes, of), zeros()
            for q in range(1, phases):
                value = load(planes, of + q * width * step)
                phase = where_beats(value, best, spread(q), phase)
                best = where_beats(value, best, value, best)
            if relu:
                phase = where_greater(best, zeros(), phase, spread(NOBODY))
                best = at_least(best, 0)
            store_some(best, y, to, columns)
            if len(winners):
                store_some(phase, winners, to, columns)
            to += filters


@helper
def spread_out(
    dy: Float32,
    y0: int,
    outputs: int,
    y: Float32,
    winners: Float32,
    relu: bool,
    filters: int,
    phases: int,
    width: int,
    places: Array,
    s: int,
    s0: int,
    out: Float32,
    db: Float32,
) -> None:
    """Write the derivatives of one strip of results to the places of the convolution's outputs: `places` from s0 on.

    They are zero for outputs that lost in pooling or where ReLU was inactive. The sum of the others is added to the
    biases' gradient.
    """
    columns = filters - s
    total = zeros()
    for row in range(0, outputs, phases * width):
        for j in range(width):
            of = y0 + (row // phases + j) * filters + s
            given = load_some(dy, of, columns)
            if phases == 1:
                if relu:
                    given = where_greater(load_some(y, of, columns), zeros(), given, zeros())
                store(given, out, s0 + at(places, row + j))
                total = plus(total, given)
                continue
            phase = load_some(winners, of, columns)
            for q in range(phases):
                passed = where_equal(phase, spread(q), given)
                store(passed, out, s0 + at(places, row + q * width + j))
                total = plus(total, passed)
    store_some(plus(load_some(db, s, columns), total), db, s, columns)
