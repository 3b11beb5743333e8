"""`convlens.ops.local`, compiled: convolution without weight sharing.

Its weights are many times as large as its images, so they should be read once for all images of a micro-batch: the
outer loop is over positions, the inner one over images. With w[p] the weights of a position, (taps, filters), and
patch[n] what it sees of image n, the three products at a position are::

    y[n, o] = sum over k of patch[n, k] * w[p, k, o]             row: image     tap: k
    dw[p, k, o] = sum over n of patch[n, k] * dy[n, o]           row: k         tap: image
    dpatch[k, n] = sum over o of w[p, k, o] * dy[n, o]           row: k         tap: filter

The last has the images side by side, so that w is read in place; its rows are added to the transposed dx, (values of an
image, images), which is transposed at the end.

Two tables say which values a position sees, position after position: `sources`, where in an image, and `kernels`, where
in w[p]; position p has entries ``starts[p]`` to ``starts[p + 1] - 1``. Zero padding is in no table.
"""

from __future__ import annotations

from ..typing import Float32
from .native import helper
from .product import NO_FLOOR, WIDE, product
from .script import entry
from .signatures import Indices
from .vector import WIDTH, at, clear, load_some, plus, store, store_some, where_greater, zeros


@entry
def forward(
    x: Float32,
    filters: int,
    starts: Indices,
    sources: Indices,
    kernels: Indices,
    images: Indices,
    w: Float32,
    taps: int,
    b: Float32,
    relu: bool,
    y: Float32,
) -> None:
    """Write y (images, positions, filters).

    Parameters
    ----------
    x, filters
        The images; filters at each position.
    starts, sources, kernels, images
        What each position sees, and where each image begins in x.
    w, taps, b
        Weights (positions, taps, filters) and biases (positions, filters). Up to fifteen numbers past the end of w are
        read, but not used.
    relu
        Whether negative results become zero.
    """
    positions, floor = len(starts) - 1, 0.0 if relu else NO_FLOOR
    for p in range(positions):
        begin, end = at(starts, p), at(starts, p + 1)
        for s in range(0, filters, WIDE):
            o = p * filters + s
            product(
                *(x, 0, images, 0, len(images), sources[begin:end], kernels[begin:end], end - begin),
                *(w, p * taps * filters + s, WIDTH, y, o, positions * filters, b, o, 0, floor, filters - s),
            )


@helper
def _collect(dy, p, y, relu, filters, positions, accumulate, rows, db):  # type: ignore[no-untyped-def]
    """Copy the derivatives of one position to `rows`, in whole strips; where ReLU was inactive they become zero."""
    wide = (filters + WIDTH - 1) // WIDTH * WIDTH
    for s in range(0, filters, WIDTH):
        left, o = filters - s, p * filters + s
        total = load_some(db, o, left) if accumulate else zeros()
        for n in range(len(rows) // wide):
            i = n * positions * filters + o
            given = load_some(dy, i, left)
            if relu:
                given = where_greater(load_some(y, i, left), zeros(), given, zeros())
            store(given, rows, n * wide + s)
            total = plus(total, given)
        store_some(total, db, o, left)


@helper
def _run(table, begin, end, step):  # type: ignore[no-untyped-def]
    """Return the length of the run from `begin` on in which each entry is `step` larger than the one before."""
    count = 1
    while begin + count < end and at(table, begin + count) - at(table, begin + count - 1) == step:
        count += 1
    return count


@helper
def _turn(rows, wide, images, columns):  # type: ignore[no-untyped-def]
    """Write rows (images, wide) as columns (wide, at least as many images)."""
    side = len(columns) // wide
    for i in range(images):
        for j in range(wide):
            columns[j * side + i] = rows[i * wide + j]


@helper
def _turn_back(columns, side, rows):  # type: ignore[no-untyped-def]
    """Write columns (wide, side) as rows (fewer than `side`, wide)."""
    wide = len(columns) // side
    for i in range(len(rows) // wide):
        for j in range(wide):
            rows[i * wide + j] = columns[j * side + i]


@entry
def backward(
    x: Float32,
    filters: int,
    starts: Indices,
    sources: Indices,
    kernels: Indices,
    images: Indices,
    w: Float32,
    taps: int,
    dy: Float32,
    y: Float32,
    relu: bool,
    rows: Float32,
    row_places: Indices,
    columns: Float32,
    column_places: Indices,
    numbers: Indices,
    dw: Float32,
    db: Float32,
    accumulate: bool,
    turned_dx: Float32,
    dx: Float32,
) -> None:
    """Compute the gradients of weights and biases, and that of the images where it is needed.

    Parameters
    ----------
    x, filters, starts, sources, kernels, images, w, taps, y, relu
        As in `forward`.
    rows, row_places, columns, column_places
        Memory for the derivatives at one position, (images, filters) and transposed, both padded to whole strips; and
        where in them each image, and each filter, begins.
    numbers
        The indices of the filters, from 0.
    dw, db, accumulate
        The gradients, and whether to add to their contents.
    turned_dx, dx
        Memory for (values of an image, images), padded to whole strips; the derivative of the images. Empty if not
        needed.
    """
    positions, side = len(starts) - 1, len(columns) // (len(rows) // len(images))
    clear(columns)
    clear(turned_dx)
    for p in range(positions):
        end, w0 = at(starts, p + 1), p * taps * filters
        _collect(dy, p, y, relu, filters, positions, accumulate, rows, db)
        if not accumulate:
            clear(dw[w0 : w0 + taps * filters])
        k = at(starts, p)
        while k < end:
            count = _run(kernels, k, end, filters)
            for s in range(0, filters, WIDE):
                to = w0 + at(kernels, k) + s
                product(
                    *(x, 0, sources, k, count, images, row_places, len(images), rows, s, WIDTH),
                    *(dw, to, filters, dw, to, filters, NO_FLOOR, filters - s),
                )
            k += count
        if len(dx) == 0:
            continue
        _turn(rows, len(rows) // len(images), len(images), columns)
        k = at(starts, p)
        while k < end:
            count = _run(sources, k, end, 1)
            for s in range(0, side, WIDE):
                to = at(sources, k) * side + s
                product(
                    *(w, w0, kernels, k, count, numbers, column_places, filters, columns, s, WIDTH),
                    *(turned_dx, to, side, turned_dx, to, side, NO_FLOOR, side - s),
                )
            k += count
    if len(dx):
        _turn_back(turned_dx, side, dx)
