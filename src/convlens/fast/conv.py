"""Convolution, with or without max-pooling and ReLU behind it, forward and backward; a few images at a time.

All geometry (stride, padding, pooling, how many images) is in tables of offsets that are worked out once
(`convlens.engine.compiled.conv`). With x the padded image, all three products of a convolution are the same sum:

==================  =======================  =====================  =========
product             row of A                 tap of A               B
==================  =======================  =====================  =========
y                   outputs, in x            kernel positions       kernels
gradient of w       kernel positions, in x   outputs                dy
gradient of x       pixels of x, in dy       kernel positions       kernels, turned
==================  =======================  =====================  =========

The first two use the same pair of tables, exchanged. Arrays that are multiplied with are kept in strips of sixteen
channels, filled up with zeros.
"""

from __future__ import annotations

from ..typing import Array, Float32
from .compiler import FLAG, FLOATS, INDICES, SIZE, helper
from .product import NO_FLOOR, WIDE, product
from .script import entry
from .vector import (
    LANES,
    at,
    at_least,
    clear,
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

NOBODY = -1.0  # no phase of a pooling window takes the derivative: ReLU cut it off


@entry(FLOATS, SIZE, SIZE, FLOATS)
def pack(w: Float32, taps: int, filters: int, strips: Float32) -> None:
    """Write kernels (taps, filters) in strips of sixteen filters: (strips, taps, 16)."""
    for s in range(len(strips) // (taps * LANES)):
        for t in range(taps):
            kernels = load_some(w, t * filters + s * LANES, filters - s * LANES)
            store(kernels, strips, (s * taps + t) * LANES)


@entry(FLOATS, SIZE, SIZE, SIZE, FLOATS)
def pack_turned(w: Float32, positions: int, channels: int, filters: int, strips: Float32) -> None:
    """Write kernels (positions, channels, filters), turned by 180 degrees, in strips of sixteen channels.

    They become (strips, positions * filters, 16).
    """
    taps = positions * filters
    clear(strips)
    for channel in range(channels):
        to = channel // LANES * taps * LANES + channel % LANES
        for q in range(positions):
            of = ((positions - 1 - q) * channels + channel) * filters
            for f in range(filters):
                strips[to + (q * filters + f) * LANES] = w[of + f]


@helper
def pad(x: Float32, x0: int, count: int, row: int, lines: Array, mirrored: Array, size: int, padded: Float32) -> None:
    """Copy images, in rows of so many values, into padded ones of `size` values whose border is zero.

    `lines` says where each row goes; `mirrored` holds, for padding that reflects, pairs: of a value, and of its origin.
    """
    for i in range(count):
        to = i * size
        for h in range(len(lines)):
            of = x0 + (i * len(lines) + h) * row
            for k in range(0, row, LANES):
                store_some(load_some(x, of + k, row - k), padded, to + at(lines, h) + k, row - k)
        for p in range(0, len(mirrored), 2):
            padded[to + at(mirrored, p)] = padded[to + at(mirrored, p + 1)]


@helper
def unpad(
    dpadded: Float32, x0: int, count: int, row: int, lines: Array, mirrored: Array, size: int, dx: Float32
) -> None:
    """Give the derivatives of padded images back to the images; the adjoint of `pad`."""
    for i in range(count):
        of = i * size
        for p in range(0, len(mirrored), 2):
            dpadded[of + at(mirrored, p + 1)] += dpadded[of + at(mirrored, p)]
        for h in range(len(lines)):
            to = x0 + (i * len(lines) + h) * row
            for k in range(0, row, LANES):
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
    """Reduce rows of pooling windows (rows, phases, width, step) to their maxima, sixteen columns from one on.

    Notes in `winners` which phase won, the first of equals; it is empty where nobody asks.
    """
    for j in range(rows * width):
        of = ((j // width * phases) * width + j % width) * step + column
        best, phase = load(planes, of), zeros()
        for q in range(1, phases):
            value = load(planes, of + q * width * step)
            phase = where_beats(value, best, spread(q), phase)
            best = where_beats(value, best, value, best)
        to = y0 + j * filters
        if relu:
            phase = where_greater(best, zeros(), phase, spread(NOBODY))
            best = at_least(best, 0)
        store_some(best, y, to, columns)
        if len(winners):
            store_some(phase, winners, to, columns)


@entry(
    *(FLOATS, SIZE, FLOATS, INDICES, INDICES),
    *(FLOATS, FLOATS, INDICES, INDICES, INDICES),
    *(SIZE, SIZE, SIZE, SIZE, SIZE, FLAG),
    *(FLOATS, FLOATS, FLOATS),
)
def forward(
    x: Float32,
    size: int,
    padded: Float32,
    lines: Array,
    mirrored: Array,
    strips: Float32,
    bias: Float32,
    outputs: Array,
    taps: Array,
    strip: Array,
    images: int,
    group: int,
    filters: int,
    phases: int,
    width: int,
    relu: bool,
    y: Float32,
    planes: Float32,
    winners: Float32,
) -> None:
    """Convolve images with kernels, and pool.

    Parameters
    ----------
    x, size
        Images; values of one.
    padded, lines, mirrored
        Memory for a group of padded images, empty where nothing is padded; see `pad`.
    strips, bias
        Kernels as `pack` left them, and biases filled up to strips.
    outputs, taps, strip
        Offsets of the outputs' patches in a group of images, of the positions in a patch, and of rows of `strips`.
        Outputs are ordered by image, by row of pooling windows, by phase in the window and by column.
    images, group
        How many images there are, and how many the tables are for.
    filters, phases, width
        Kernels; positions in a pooling window (1: no pooling); outputs in a row, after pooling.
    relu
        Whether negative results become zero.
    y, planes, winners
        The result; memory for a few rows of pooling windows; which phase won each, empty in prediction.
    """
    each, row = len(outputs) // group, size // max(1, len(lines))
    clear(padded)
    floor = 0.0 if relu else NO_FLOOR
    for first in range(0, images, group):
        count = min(group, images - first)
        a, a0 = x, first * size
        if len(padded):
            pad(x, first * size, count, row, lines, mirrored, len(padded) // group, padded)
            a, a0 = padded, 0
        rows, y0 = count * each, first * each // phases * filters
        for s in range(0, filters, WIDE):
            b0, more = s * len(taps), filters - s
            if phases == 1:
                product(
                    *(a, a0, outputs, 0, rows, taps, strip, len(taps), strips, b0, len(taps) * LANES),
                    *(y, y0 + s, filters, bias, s, 0, floor, more),
                )
                continue
            step = LANES if more <= LANES else WIDE
            most = len(planes) // (phases * width * step)  # rows of pooling windows at a time
            for block in range(0, rows // (phases * width), most):
                at_once = min(most, rows // (phases * width) - block)
                product(
                    *(a, a0, outputs, block * phases * width, at_once * phases * width, taps, strip, len(taps)),
                    *(strips, b0, len(taps) * LANES, planes, 0, step, bias, s, 0, NO_FLOOR, step),
                )
                for column in range(0, min(more, step), LANES):
                    pool_planes(
                        *(planes, column, step, at_once, phases, width),
                        *(y, y0 + block * width * filters + s + column, filters, more - column, relu, winners),
                    )


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
    """Put the derivatives of one strip of results where the convolution's own outputs stand: `places` from s0 on.

    What pooling or ReLU cut off becomes zero. The sum of the others is added to the biases' gradient.
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


@entry(
    *(FLOATS, SIZE, FLOATS, INDICES, INDICES, SIZE),
    *(FLOATS, FLOATS, FLOATS, FLOATS, INDICES),
    *(INDICES, INDICES, FLOATS),
    *(SIZE, SIZE, SIZE, SIZE, SIZE, FLAG),
    *(FLOATS, FLOATS, FLAG),
    *(FLOATS, INDICES, INDICES, INDICES, FLOATS, FLOATS),
)
def backward(
    x: Float32,
    size: int,
    padded: Float32,
    lines: Array,
    mirrored: Array,
    channels: int,
    dy: Float32,
    y: Float32,
    winners: Float32,
    spread_dy: Float32,
    places: Array,
    outputs: Array,
    taps: Array,
    nought: Float32,
    images: int,
    group: int,
    filters: int,
    phases: int,
    width: int,
    relu: bool,
    dw: Float32,
    db: Float32,
    accumulate: bool,
    turned: Float32,
    pixels: Array,
    taps_back: Array,
    strip_back: Array,
    dpadded: Float32,
    dx: Float32,
) -> None:
    """Compute the gradients of kernels and biases, and that of the images where it is wanted.

    Parameters
    ----------
    x, size, padded, lines, mirrored, outputs, taps, images, group, filters, phases, width, relu
        As in `forward`.
    channels
        Of the images.
    dy, y, winners
        The derivative of the result, and what `forward` left.
    spread_dy, places
        Memory for the derivatives of a group's outputs, in strips, as the convolution that makes dx wants them: apart
        by the stride, with a border of zeros; and where in it each output stands.
    nought
        A strip of zeros.
    dw, db, accumulate
        The gradients (taps, filters) and (filters,), and whether to add to what is there.
    turned, pixels, taps_back, strip_back
        Kernels as `pack_turned` left them, and the tables of the convolution that makes dx: of the images' pixels, or,
        where padding reflects, of those of padded images.
    dpadded, dx
        Memory for a group of padded images where padding reflects; the derivative of the images, empty if unwanted.
    """
    each, back = len(outputs) // group, len(pixels) // group
    area = len(spread_dy) // ((filters + LANES - 1) // LANES)
    row = size // max(1, len(lines))
    clear(padded)
    clear(spread_dy)
    if not accumulate:
        clear(dw)
        clear(db)
    for first in range(0, images, group):
        count = min(group, images - first)
        a, a0 = x, first * size
        if len(padded):
            pad(x, first * size, count, row, lines, mirrored, len(padded) // group, padded)
            a, a0 = padded, 0
        rows, y0 = count * each, first * each // phases * filters
        for s in range(0, filters, LANES):
            s0 = s // LANES * area
            spread_out(dy, y0, rows, y, winners, relu, filters, phases, width, places, s, s0, spread_dy, db)
        for s in range(0, filters, WIDE):
            product(
                *(a, a0, taps, 0, len(taps), outputs, places, rows, spread_dy, s // LANES * area, area),
                *(dw, s, filters, dw, s, filters, NO_FLOOR, filters - s),
            )
        if len(dx) == 0:
            continue
        c, c0 = dx, first * size
        if len(dpadded):
            c, c0 = dpadded, 0
        for s in range(0, channels, WIDE):
            product(
                *(spread_dy, 0, pixels, 0, count * back, taps_back, strip_back, len(taps_back)),
                *(turned, s * len(taps_back), len(taps_back) * LANES, c, c0 + s, channels),
                *(nought, 0, 0, NO_FLOOR, channels - s),
            )
        if len(dpadded):
            unpad(dpadded, first * size, count, row, lines, mirrored, len(padded) // group, dx)
