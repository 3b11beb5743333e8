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
from .lifting import SCRATCH, lift_row, lift_square, lower, lower_and_pool
from .native import helper, linked
from .planes import NOBODY
from .product import NO_FLOOR, WIDE, product
from .signatures import Indices
from .sums import sum_up
from .vector import WIDTH, at, at_least, load, spread, store_some, where_greater, zeros

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
def _write_window(square: Float32, of: int, relu: bool, y: Float32, to: int, left: int, winners: Float32) -> None:
    """Write the maximum of a window, and which result it is."""
    best, phase = load(square, of), load(square, of + WIDTH)
    if relu:
        phase = where_greater(best, zeros(), phase, spread(NOBODY))
        best = at_least(best, 0)
    store_some(best, y, to, left)
    if len(winners):
        store_some(phase, winners, to, left)


@helper
def _write(
    square: Float32, rows: int, columns: int, m: int, y: Float32, to: int, line: int, filters: int, left: int
) -> None:
    """Write those results of a square, `rows` x `columns` and `left` channels, that belong to the image."""
    for i in range(rows):
        for j in range(columns):
            store_some(load(square, (i * m + j) * WIDTH), y, to + i * line + j * filters, left)


@helper
def _write_results(
    sums: Float32,
    apart: int,
    wide: int,
    bias: Float32,
    s: int,
    square: Float32,
    geometry: Array,
    first: int,
    rows: int,
    phases: int,
    relu: bool,
    y: Float32,
    y0: int,
    filters: int,
    winners: Float32,
) -> None:
    """Write the results of `rows` rows of an image's squares, pooled or not, from their sums."""
    m, of, floor = at(geometry, RESULTS), 0, 0.0 if relu else NO_FLOOR
    each, line = (
        (m, at(geometry, WIDTH_OF) * filters) if phases == 1 else (m // 2, at(geometry, WIDTH_OF) // 2 * filters)
    )
    for row in range(first, first + rows):
        high, to = min(m, at(geometry, HEIGHT) - row * m), y0 + row * each * line
        for column in range(at(geometry, SQUARES)):
            broad = min(m, at(geometry, WIDTH_OF) - column * m)
            for k in range(s, min(s + wide, filters), WIDTH):
                place, index = to + k, of + k - s
                if phases > 1:
                    lower_and_pool(m, sums, index, apart, bias, k, square, 0)
                    _write_window(square, 0, relu, y, place, filters - k, winners)
                    if m == 4:
                        if broad == m:
                            _write_window(square, 2 * WIDTH, relu, y, place + filters, filters - k, winners)
                        if high == m:
                            _write_window(square, 4 * WIDTH, relu, y, place + line, filters - k, winners)
                            if broad == m:
                                _write_window(square, 6 * WIDTH, relu, y, place + line + filters, filters - k, winners)
                elif high == m and broad == m and filters - k >= WIDTH:
                    lower(m, sums, index, apart, bias, k, y, place, line, filters, floor)
                else:
                    lower(m, sums, index, apart, bias, k, square, 0, m * WIDTH, WIDTH, floor)
                    _write(square, high, broad, m, y, place, line, filters, filters - k)
            of, to = of + wide, to + each * filters


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
    outputs, parts, taps
        Where in a position of the lifted block each square is; where in `taps` those of each position begin; the places
        of a square's taps.
    strips, bias
        Kernels as `lift_kernels` left them; the bias, in whole strips.
    geometry, lifted, sums
        Geometry, and memory for a lifted block, for its sums and for a square of results.
    filters, phases, relu
        As in `convlens.fast.conv`; a pooling window has 2 x 2 results.
    y, y0, winners
        The result, and where in it that of these images begins; the winning phase of each window.
    """
    across, more, pitch = at(geometry, SQUARES), at(geometry, MORE), at(geometry, STRIPS_OF) * WIDTH
    positions, square = at(geometry, SIDE) * at(geometry, SIDE), sums[len(sums) - SCRATCH * WIDTH :]
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
                    sum_up(
                        *(lifted, p * step, outputs, squares, taps, t, length),
                        *(strips, s * len(taps), len(taps) * WIDTH, sums, p * apart, wide, filters - s),
                    )
                for i in range(count):
                    _write_results(
                        *(sums[i * rows * across * wide :], apart, wide, bias, s, square, geometry, first, rows),
                        *(phases, relu, y, y0 + (image + i) * each, filters, winners),
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
