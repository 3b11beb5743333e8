"""Convolutions from fewer multiplications, in two dimensions: see `convlens.fast.toom` for the mathematics.

The results of an image are cut into *squares* of m x m, each of which depends on n x n pixels. For every *position* of
the n x n there is a matrix product between the *lifted* image, B d B^T, and lifted kernels, G g G^T:

==================  ====================  ==========================  =====================
product             rows of A             taps of A                   B
==================  ====================  ==========================  =====================
sums of y           squares               channels, in each section   lifted kernels
gradient of those   channels, in each     squares                     lifted derivatives
                    section
==================  ====================  ==========================  =====================

and the results of a square are A M A^T, where M are its sums. All sums run over squares of several rows, or of several
images, which stay in the cache.

Gradients take the same way back: `lifting.lift_square` is the adjoint of `lifting.lower`, `lower_gradient` that of
`lift_kernels`. The gradient of the images is a convolution like any other.

The geometry is a table of numbers; the constants below are the indices into it.
"""

from __future__ import annotations

from ..typing import Array, Float32
from .lifting import LARGEST, lift_row, lift_square, lower
from .native import helper, linked
from .planes import NOBODY
from .product import NO_FLOOR, WIDE, product
from .signatures import Indices
from .vector import WIDTH, at, at_least, load, spread, store_some, where_beats, where_greater, zeros

IMAGE, LINE, PIXEL = 0, 1, 2  # distances from one image, line and pixel to the next
STRIP, STRIPS_OF = 3, 4  # distance from one strip of channels to the next, and how many there are
SQUARES, SQUARE_ROWS, MORE = 5, 6, 7  # in a row; in a column; further ones in each, for sections
WIDTH_OF, HEIGHT = 8, 9  # results in a row, and in a column
BLOCK, BLOCK_ROWS = 10, 11  # images at a time, and rows of squares of each
RESULTS, SIDE = 12, 13  # m and n
NUMBERS = 14


@helper
def _odd(values: int) -> int:
    """Return a distance between positions, at least this number of values: an odd number of vectors.

    A cache keeps few values whose places differ by a multiple of a large power of two.
    """
    return (values // WIDTH // 2 * 2 + 1) * WIDTH


@helper
def _lift(
    a: Float32, a0: int, geometry: Array, images: int, first: int, rows: int, lifted: Float32, pitch: int, step: int
) -> None:
    """Lift `rows` rows of squares of images, from the row `first` on; squares are `pitch` apart, positions `step`."""
    m, squares, to = at(geometry, RESULTS), at(geometry, SQUARES) + at(geometry, MORE), 0
    line, pixel = at(geometry, LINE), at(geometry, PIXEL)
    for i in range(images):
        for row in range(first, first + rows):
            of = a0 + i * at(geometry, IMAGE) + row * m * line
            for d in range(at(geometry, STRIPS_OF)):
                place = of + d * at(geometry, STRIP)
                lift_row(m, a, place, line, pixel, squares, lifted, to + d * WIDTH, pitch, step)
            to += squares * pitch


@helper
def _pool(
    square: Float32,
    m: int,
    geometry: Array,
    row: int,
    column: int,
    relu: bool,
    y: Float32,
    to: int,
    filters: int,
    left: int,
    winners: Float32,
) -> None:
    """Write the maxima of a square's windows of 2 x 2 results, and which result each is, the first of equals."""
    wide = at(geometry, WIDTH_OF) // 2
    for i in range(0, min(m, at(geometry, HEIGHT) - row), 2):
        for j in range(0, min(m, at(geometry, WIDTH_OF) - column), 2):
            of = (i * m + j) * WIDTH
            best, phase = load(square, of), zeros()
            for q in range(1, 4):
                value = load(square, of + (q // 2 * m + q % 2) * WIDTH)
                phase = where_beats(value, best, spread(q), phase)
                best = where_beats(value, best, value, best)
            if relu:
                phase = where_greater(best, zeros(), phase, spread(NOBODY))
                best = at_least(best, 0)
            place = to + ((row + i) // 2 * wide + (column + j) // 2) * filters
            store_some(best, y, place, left)
            if len(winners):
                store_some(phase, winners, place, left)


@helper
def _write(
    square: Float32,
    m: int,
    geometry: Array,
    row: int,
    column: int,
    floor: float,
    y: Float32,
    to: int,
    filters: int,
    left: int,
) -> None:
    """Write those results of a square that belong to the image, whose results begin at `to`."""
    for i in range(min(m, at(geometry, HEIGHT) - row)):
        for j in range(min(m, at(geometry, WIDTH_OF) - column)):
            value = at_least(load(square, (i * m + j) * WIDTH), floor)
            place = to + ((row + i) * at(geometry, WIDTH_OF) + column + j) * filters
            store_some(value, y, place, left)


@helper
def _results(
    sums: Float32,
    apart: int,
    wide: int,
    square: Float32,
    geometry: Array,
    first: int,
    rows: int,
    phases: int,
    relu: bool,
    y: Float32,
    to: int,
    filters: int,
    left: int,
    winners: Float32,
) -> None:
    """Write the results of `rows` rows of an image's squares, pooled or not, from their sums."""
    m, of, floor = at(geometry, RESULTS), 0, 0.0 if relu else NO_FLOOR
    for row in range(first * m, (first + rows) * m, m):
        for column in range(0, at(geometry, SQUARES) * m, m):
            for k in range(0, min(wide, left), WIDTH):
                lower(m, sums, of + k, apart, square, 0)
                if phases == 1:
                    _write(square, m, geometry, row, column, floor, y, to + k, filters, left - k)
                else:
                    _pool(square, m, geometry, row, column, relu, y, to + k, filters, left - k, winners)
            of += wide


@linked
def convolve(
    a: Float32,
    a0: int,
    images: int,
    share: int,
    shares: int,
    outputs: Indices,
    parts: Indices,
    taps: Indices,
    strip: Indices,
    strips: Float32,
    bias: Float32,
    geometry: Indices,
    lifted: Float32,
    sums: Float32,
    filters: int,
    phases: int,
    relu: bool,
    y: Float32,
    y0: int,
    winners: Float32,
) -> None:
    """Convolve a group of padded images, and pool, one block at a time: some rows of squares, or whole images.

    Parameters
    ----------
    a, a0, images
        The images, in strips where there are several.
    share, shares
        Which part of each image's rows to compute, and in how many they are divided; several only for one image.
    outputs, parts, taps, strip
        Where in a position of the lifted block each square is; where in `taps` those of each position begin; the places
        of a square's taps, and the matching rows of `strips`.
    strips, bias
        Kernels as `lift_kernels` left them; the bias of each position, in whole strips.
    geometry, lifted, sums
        Geometry, and memory for a lifted block, for its sums and for a square of results.
    filters, phases, relu
        As in `convlens.fast.conv`; a pooling window has 2 x 2 results.
    y, y0, winners
        The result, and where in it that of these images begins; the winning phase of each window.
    """
    across, more, pitch = at(geometry, SQUARES), at(geometry, MORE), at(geometry, STRIPS_OF) * WIDTH
    positions, square = at(geometry, SIDE) * at(geometry, SIDE), sums[len(sums) - LARGEST * WIDTH :]
    begin, end = at(geometry, SQUARE_ROWS) * share // shares, at(geometry, SQUARE_ROWS) * (share + 1) // shares
    each = at(geometry, HEIGHT) * at(geometry, WIDTH_OF) // phases * filters  # results of an image
    for image in range(0, images, at(geometry, BLOCK)):
        count = min(at(geometry, BLOCK), images - image)
        for first in range(begin, end, at(geometry, BLOCK_ROWS)):
            rows = min(at(geometry, BLOCK_ROWS), end - first)
            squares = count * rows * across
            step = _odd(count * (rows + more) * (across + more) * pitch)
            _lift(a, a0 + image * at(geometry, IMAGE), geometry, count, first, rows + more, lifted, pitch, step)
            for s in range(0, filters, WIDE):
                wide = WIDTH if filters - s <= WIDTH else WIDE
                apart = _odd(squares * wide)
                for p in range(positions):
                    t, length = at(parts, p), at(parts, p + 1) - at(parts, p)
                    product(
                        *(lifted, p * step, outputs, 0, squares, taps[t : t + length], strip[t : t + length], length),
                        *(strips, s * len(taps), len(taps) * WIDTH, sums, p * apart, wide),
                        *(bias, p * (len(bias) // positions) + s, 0, NO_FLOOR, wide),
                    )
                for i in range(count):
                    _results(
                        *(sums[i * rows * across * wide :], apart, wide, square, geometry, first, rows),
                        *(phases, relu, y, y0 + (image + i) * each + s, filters, filters - s, winners),
                    )


@linked
def add_gradient(
    a: Float32,
    a0: int,
    images: int,
    outputs: Indices,
    parts: Indices,
    taps: Indices,
    strip: Indices,
    dy: Float32,
    dy0: int,
    derivatives: Indices,
    geometry: Indices,
    lifted: Float32,
    lifted_dy: Float32,
    filters: int,
    dw: Float32,
) -> None:
    """Add the contribution of a group of padded images to the gradients of lifted kernels.

    `derivatives` is the geometry of `dy`, which is spread out in strips; where images have no row or column of results
    to complete a square, it has zeros. `strip` counts squares; other parameters are those of `convolve`.
    """
    across, rows, more = at(geometry, SQUARES), at(geometry, SQUARE_ROWS), at(geometry, MORE)
    pitch, squares = at(geometry, STRIPS_OF) * WIDTH, images * rows * across
    step, apart = _odd(images * (rows + more) * (across + more) * pitch), _odd(squares * WIDTH)
    m, line, positions = at(geometry, RESULTS), at(derivatives, LINE), at(geometry, SIDE) * at(geometry, SIDE)
    _lift(a, a0, geometry, images, 0, rows + more, lifted, pitch, step)
    wide = positions * apart
    for d in range(at(derivatives, STRIPS_OF)):
        to = d * wide
        for i in range(images):
            for row in range(rows):
                of = dy0 + d * at(derivatives, STRIP) + i * at(derivatives, IMAGE) + row * m * line
                for _ in range(across):
                    lift_square(m, dy, of, line, WIDTH, lifted_dy, to, apart)
                    of, to = of + m * WIDTH, to + WIDTH
    for p in range(positions):
        t, length = at(parts, p), at(parts, p + 1) - at(parts, p)
        for s in range(0, filters, WIDE):
            place = t * filters + s
            product(
                *(lifted, p * step, taps, t, length, outputs, strip, squares),
                *(lifted_dy, s // WIDTH * wide + p * apart, wide),
                *(dw, place, filters, dw, place, filters, NO_FLOOR, filters - s),
            )
