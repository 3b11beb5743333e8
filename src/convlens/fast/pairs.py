"""Winograd's minimal filtering: two rows of a convolution at a time, from fewer multiplications.

Let d be rows of the padded image, and g rows of a kernel of three. Two rows of results need six products of rows::

    y0 = d0 g0 + d1 g1 + d2 g2
    y1 = d1 g0 + d2 g1 + d3 g2

or four, of sums and differences of rows::

    m0 = (d0 - d2) g0       m1 = (d1 + d2) (g0 + g1 + g2) / 2     y0 = m0 + m1 + m2
    m3 = (d3 - d1) g2       m2 = (d2 - d1) (g0 - g1 + g2) / 2     y1 = m1 - m2 + m3

A kernel of 5, 7 or more rows is split into one of three rows and pairs of rows below it. A pair (g1, g2) is a kernel of
three rows with g0 = 0, so m0 is zero; all start at an even row, and share the sums and differences of the image. With k
kernels of two or three rows, 2k + 1 rows in all, there are 3k + 1 products instead of 4k + 2.

The four *parts* m0 to m3 are separate convolutions between the *lifted* image (`lift`) and paired kernels
(`pair_kernels`), whose results `part_rows` combines. Gradients take the same way back: `fold` lifts the derivatives of
the results, `unpair_gradient` is the adjoint of `pair_kernels`.

The geometry is a table of numbers, `lifting`; the constants below are the indices into it.

Source: Lavin & Gray, "Fast algorithms for convolutional neural networks", 2016, who name it F(2, 3).
"""

from __future__ import annotations

from ..typing import Array, Float32
from .native import helper, linked
from .planes import pool_planes
from .product import NO_FLOOR, WIDE, columns_at_once, product
from .script import entry
from .signatures import Indices
from .vector import WIDTH, at, at_least, load, load_some, minus, plus, spread, store, store_some, times

PARTS = 4
SIZE_OF, ROW = 0, 1  # of a padded image: values, and values of a row
AREA, STRIPS_OF = 2, 3  # the images' strips: values of one, and how many
PITCH = 4  # values of a lifted line: a row, filled up to whole strips with the values after it
TRIPLES = 5  # kernels of two or three rows
COLUMNS, PAIRS, HEIGHT = 6, 7, 8  # results in a row; pairs of rows in an image; rows (if odd, the last pair lacks one)
SPAN = 5  # numbers in a span
BLOCK, BLOCK_PAIRS = 9, 10  # images at a time, and pairs of rows in each


@entry
def pair_kernels(strips: Float32, height: int, width: int, paired: Float32) -> None:
    """Make paired kernels from kernels in strips, (strips, height, width, 16); height is odd.

    They become (strips, parts, kernels of two or three rows, width, 16), where the first part has one kernel only.
    """
    row, half = width * WIDTH, spread(0.5)
    triples = height // 2
    to = 0
    for of in range(0, len(strips), height * row):
        for k in range(0, row, WIDTH):
            store(load(strips, of + k), paired, to + k)
        for t in range(triples):
            for k in range(0, row, WIDTH):
                g = of + 2 * t * row + k
                middle, last = load(strips, g + row), load(strips, g + 2 * row)
                outer = plus(load(strips, g), last) if t == 0 else last
                p = to + (1 + t) * row + k
                store(times(plus(outer, middle), half), paired, p)
                store(times(minus(outer, middle), half), paired, p + triples * row)
                store(last, paired, p + 2 * triples * row)
        to += (1 + 3 * triples) * row


@helper
def unpair_gradient(paired: Float32, row: int, dw: Float32) -> None:
    """Add the gradients of paired kernels to those of kernels (rows, ...), whose rows are `row` long."""
    triples, half = len(dw) // row // 2, spread(0.5)
    for t in range(triples):
        for k in range(0, row, WIDTH):
            left, p, g = row - k, (1 + t) * row + k, 2 * t * row + k
            one = times(load_some(paired, p, left), half)
            other = times(load_some(paired, p + triples * row, left), half)
            last = load_some(paired, p + 2 * triples * row, left)
            outer = plus(one, other)
            if t == 0:
                first = plus(load_some(paired, k, left), outer)
                store_some(plus(load_some(dw, k, left), first), dw, k, left)
            middle = minus(one, other)
            store_some(plus(load_some(dw, g + row, left), middle), dw, g + row, left)
            last = plus(last, outer)
            store_some(plus(load_some(dw, g + 2 * row, left), last), dw, g + 2 * row, left)


@helper
def lift(
    a: Float32, a0: int, lifting: Array, images: int, first: int, lines: int, part: int, lifted: Float32, to: int
) -> None:
    """Write one part of lifted images: d0 - d2, d1 + d2, d2 - d1 or d3 - d1; `lines` of each, from `first` on."""
    size, row, pitch = at(lifting, SIZE_OF), at(lifting, ROW), at(lifting, PITCH)
    sign = spread(1.0 if part == 1 else -1.0)
    for i in range(images):
        for line in range(first, first + lines):
            of = a0 + i * size + 2 * line * row
            one, other = of + part * row, of + (2 if part < 2 else 1) * row
            for k in range(0, pitch, WIDTH):
                store(plus(load(a, one + k), times(sign, load(a, other + k))), lifted, to + k)
            to += pitch


@helper
def fold(dy: Float32, dy0: int, factors: Array, count: int) -> None:
    """Write dy0 + dy1 and dy0 - dy1, for `count` pairs of results: the derivatives of the parts m1 and m2.

    `factors` says for each part where its derivatives are; those of m0 and m3 are dy0 and dy1 themselves.
    """
    each = len(factors) // PARTS
    for r in range(count):
        one, other = load(dy, dy0 + at(factors, r)), load(dy, dy0 + at(factors, 3 * each + r))
        store(plus(one, other), dy, dy0 + at(factors, each + r))
        store(minus(one, other), dy, dy0 + at(factors, 2 * each + r))


@helper
def part_rows(
    sums: Float32,
    part: int,
    step: int,
    pairs: int,
    width: int,
    rows: int,
    y: Float32,
    y0: int,
    y_step: int,
    floor: float,
    columns: int,
) -> None:
    """Combine the parts in `sums` into `rows` rows of results, in `pairs` pairs."""
    for pair in range(pairs):
        both = 2 * pair + 1 < rows
        for column in range(0, columns, WIDTH):
            for x in range(width):
                m, to = (pair * width + x) * step + column, y0 + (2 * pair * width + x) * y_step + column
                m1, m2 = load(sums, m + part), load(sums, m + 2 * part)
                value = plus(load(sums, m), plus(m1, m2))
                store_some(at_least(value, floor), y, to, columns - column)
                if both:
                    value = plus(minus(m1, m2), load(sums, m + 3 * part))
                    store_some(at_least(value, floor), y, to + width * y_step, columns - column)


@helper
def _results(
    sums: Float32,
    part: int,
    step: int,
    image: int,
    pair: int,
    pairs: int,
    lifting: Array,
    filters: int,
    s: int,
    phases: int,
    relu: bool,
    y: Float32,
    y0: int,
    planes: Float32,
    winners: Float32,
) -> None:
    """Write the results of one image, pooled or not: `pairs` pairs of rows from `pair` on, `step` filters from s on."""
    width, height, left = at(lifting, COLUMNS), at(lifting, HEIGHT), filters - s
    rows, floor = min(2 * pairs, height - 2 * pair), 0.0 if relu else NO_FLOOR
    if phases == 1:
        to = y0 + (image * height + 2 * pair) * width * filters + s
        part_rows(sums, part, step, pairs, width, rows, y, to, filters, floor, left)
        return
    part_rows(sums, part, step, pairs, width, rows, planes, 0, step, NO_FLOOR, step)
    pooled = width * 2 // phases
    to = y0 + (image * at(lifting, PAIRS) + pair) * pooled * filters + s
    for column in range(0, min(step, left), WIDTH):
        pool_planes(
            *(planes, column, step, pairs, phases, pooled),
            *(y, to + column, filters, left - column, relu, winners),
        )


@linked
def convolve_in_pairs(
    a: Float32,
    a0: int,
    images: int,
    outputs: Indices,
    spans: Indices,
    taps: Indices,
    strip: Indices,
    strips: Float32,
    bias: Float32,
    lifting: Indices,
    lifted: Float32,
    sums: Float32,
    filters: int,
    phases: int,
    relu: bool,
    y: Float32,
    y0: int,
    planes: Float32,
    winners: Float32,
) -> None:
    """Convolve a group of padded images, and pool, one block at a time: some pairs of rows, or whole images.

    Parameters
    ----------
    a, a0, images
        The images, in strips where there are several.
    outputs, spans, taps, strip
        For each part, where in the lifted block the patches of its outputs begin, by image, pair and column; which
        pairs need which positions (five numbers each: part, pairs from and to, positions from and to); positions in a
        patch, and the matching rows of `strips`.
    strips, bias
        Kernels as `pair_kernels` left them; the bias of each part, in whole strips.
    lifting, lifted, sums
        Geometry, and memory for a lifted block and for its parts.
    filters, phases, relu
        As in `convlens.fast.conv`; a pooling window is two rows high.
    y, y0, planes, winners
        The result, and where in it that of these images begins; memory for a block's results where they are pooled; the
        winning phase of each window.
    """
    width, all_pairs, triples = at(lifting, COLUMNS), at(lifting, PAIRS), at(lifting, TRIPLES)
    images_at_once, pairs_at_once, deep = at(lifting, BLOCK), at(lifting, BLOCK_PAIRS), at(lifting, STRIPS_OF)
    each, part = len(outputs) // PARTS, images_at_once * (pairs_at_once + triples - 1) * at(lifting, PITCH)
    for image in range(0, images, images_at_once):
        count = min(images_at_once, images - image)
        for pair in range(0, all_pairs, pairs_at_once):
            pairs = min(pairs_at_once, all_pairs - pair)
            for d in range(deep):
                origin = a0 + d * at(lifting, AREA) + image * at(lifting, SIZE_OF)
                for p in range(PARTS):
                    lift(a, origin, lifting, count, pair, pairs + triples - 1, p, lifted, (d * PARTS + p) * part)
            for s in range(0, filters, WIDE):
                step = columns_at_once(filters - s)
                for span in range(0, len(spans), SPAN):
                    p, begin, end = at(spans, span), at(spans, span + 3), at(spans, span + 4)
                    first, last = max(at(spans, span + 1), pair), min(at(spans, span + 2), pair + pairs)
                    if first < last:
                        row = p * each + (first - pair) * width
                        product(
                            *(lifted, 0, outputs, row, count * (last - first) * width),
                            *(taps[begin:end], strip[begin:end], end - begin),
                            *(strips, s * len(taps), len(taps) * WIDTH),
                            *(sums, row * step, step, bias, p * (len(bias) // PARTS) + s, 0, NO_FLOOR, step),
                        )
                for i in range(count):
                    _results(
                        *(sums[i * pairs * width * step :], each * step, step, image + i, pair, pairs, lifting),
                        *(filters, s, phases, relu, y, y0, planes, winners),
                    )


@linked
def weights_in_pairs(
    a: Float32,
    a0: int,
    images: int,
    outputs: Indices,
    parts: Indices,
    taps: Indices,
    dy: Float32,
    area: int,
    factors: Indices,
    lifting: Indices,
    lifted: Float32,
    filters: int,
    paired_dw: Float32,
) -> None:
    """Add the contribution of a group of padded images to the gradients of paired kernels; a part at a time.

    `outputs` says where in one part of the lifted images the patches of all outputs begin, `factors` where in `dy` the
    derivatives of each part are. `dy` is spread out, in strips of `area` values.
    """
    pairs, each = at(lifting, PAIRS), len(factors) // PARTS
    rows = images * pairs * at(lifting, COLUMNS)
    for s in range(0, filters, WIDTH):
        fold(dy, s // WIDTH * area, factors, rows)
    for p in range(PARTS):
        lift(a, a0, lifting, images, 0, pairs + at(lifting, TRIPLES) - 1, p, lifted, 0)
        begin, end = at(parts, p), at(parts, p + 1)
        for s in range(0, filters, WIDE):
            to = begin * filters + s
            product(
                *(lifted, 0, taps, begin, end - begin, outputs, factors[p * each : (p + 1) * each], rows),
                *(dy, s // WIDTH * area, area, paired_dw, to, filters, paired_dw, to, filters, NO_FLOOR, filters - s),
            )
