"""Dense layers, forward and backward: matrix products without packing.

The weights w (D_in, D_out) are read in place; only the small output derivatives are copied.
"""

from __future__ import annotations

from ..typing import Float32
from .native import helper
from .product import NO_FLOOR, WIDE, columns_at_once, product
from .script import entry
from .signatures import Indices
from .vector import WIDTH, load_some, plus, store_some, transposed, zeros


@entry
def forward(
    x: Float32,
    w: Float32,
    b: Float32,
    row: Indices,
    tap: Indices,
    strip: Indices,
    n: int,
    d_out: int,
    begin: int,
    end: int,
    relu: bool,
    y: Float32,
) -> None:
    """Compute y = x w + b for n images, rectified or not: the columns from `begin` to `end`, in whole strips.

    Tables: where the rows of x begin, the offsets within a row, and where the rows of w begin.
    """
    floor = 0.0 if relu else NO_FLOOR
    for s in range(begin, end, WIDE):
        product(
            *(x, 0, row, 0, n, tap, strip, len(tap), w, s, WIDTH),
            *(y, s, d_out, b, s, 0, floor, end - s),
        )


@helper
def transpose(a: Float32, rows: int, columns: int, step: int, b: Float32, b_step: int) -> None:
    """Write A (rows, columns), whose rows are `step` apart, to B (columns, rows), whose rows are `b_step` apart."""
    for r in range(0, rows, WIDTH):
        for c in range(0, columns, WIDTH):
            transposed(a, r * step + c, step, b, c * b_step + r, b_step, min(WIDTH, rows - r), min(WIDTH, columns - c))


@entry
def backward(
    dy: Float32,
    w: Float32,
    row: Indices,
    tap: Indices,
    strip: Indices,
    no_bias: Float32,
    n: int,
    d_in: int,
    d_out: int,
    turned_dy: Float32,
    turned_dx: Float32,
    dx: Float32,
) -> None:
    """Compute dx = dy w^T for n images, as dx^T = w dy^T: so the large matrix is read in place, and once.

    Tables: where the rows of w begin, the offsets within a row, and where the rows of dy^T begin. `turned_dy`
    (D_out, n) and `turned_dx` (D_in, n) are memory; their rows are whole strips.
    """
    step = len(turned_dy) // d_out
    transpose(dy, n, d_out, d_out, turned_dy, step)
    for s in range(0, n, WIDE):
        product(
            *(w, 0, row, 0, d_in, tap, strip, d_out, turned_dy, s, WIDTH),
            *(turned_dx, s, step, no_bias, 0, 0, NO_FLOOR, columns_at_once(n - s)),
        )
    transpose(turned_dx, d_in, n, step, dx, d_in)


@entry
def weights(
    x: Float32,
    dy: Float32,
    row: Indices,
    tap: Indices,
    strip: Indices,
    no_bias: Float32,
    n: int,
    d_out: int,
    dw: Float32,
) -> None:
    """Compute some rows of x^T dy, the sum over n images.

    Tables: where the columns of x for these rows begin, the offsets within a column, and where the rows of dy begin.
    """
    for s in range(0, d_out, WIDE):
        product(
            *(x, 0, row, 0, len(row), tap, strip, n, dy, s, WIDTH),
            *(dw, s, d_out, no_bias, 0, 0, NO_FLOOR, d_out - s),
        )


@entry
def biases(dy: Float32, n: int, d_out: int, db: Float32) -> None:
    """Compute the sum of dy over n images."""
    for s in range(0, d_out, WIDTH):
        total = zeros()
        for i in range(n):
            total = plus(total, load_some(dy, i * d_out + s, d_out - s))
        store_some(total, db, s, d_out - s)
