"""Dense layers, forward and backward: matrix products without packing.

The weights w (D_in, D_out) are read in place; only the small output derivatives are copied.
"""

from __future__ import annotations

from typing import Any

from ..typing import Float32
from .native import helper, instruction
from .product import DEPTH, HALF, NO_FLOOR, WIDE, columns_at_once, product
from .script import entry
from .signatures import FLOATS, NOTHING, SIZE, Indices
from .vector import WIDTH, load_some, plus, store_some, transposed, zeros
from .writer import Writer

_TALL = 12 if WIDE > WIDTH else 8  # rows of the tile for few images; with AVX2 there are only sixteen registers
_RUN, _APART = 4, 4  # products in a round of its loop; rows that are addressed from the same pointer


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


@instruction(NOTHING, FLOATS, SIZE, SIZE, SIZE, FLOATS, SIZE, FLOATS, SIZE)
def _tall_tile(w: Writer, a: Any, a0: Any, a_step: Any, depth: Any, b: Any, b_step: Any, c: Any, c0: Any) -> None:
    """Write C = A B, where A has `_TALL` rows and B eight columns; rows of B and of C are `b_step` apart.

    What `product` does for eight columns takes more time to find the factors than to multiply: here rows are a fixed
    step apart, and products come in runs.
    """
    w, builder, add = w.of_width(HALF), w.builder, w.builder.add
    totals = [w.variable() for _ in range(_TALL)]

    def steps(first: Any, count: int) -> None:
        rows = [w.place(0, a, add(add(a0, builder.mul(a_step, w.size(r))), first)) for r in range(0, _TALL, _APART)]
        for k in range(count):
            factor = w.load(4, b, builder.mul(add(first, w.size(k)), b_step))
            for r, total in enumerate(totals):
                offset = add(builder.mul(a_step, w.size(r % _APART)), w.size(k))
                number = w.spread(builder.load(builder.gep(rows[r // _APART], [offset])))
                builder.store(w.add_product(builder.load(total), number, factor), total)

    runs = builder.sdiv(depth, w.size(_RUN))
    whole = builder.mul(runs, w.size(_RUN))
    with builder.if_then(builder.icmp_signed(">", runs, w.size(0))), w.loop(runs) as number_of_run:
        steps(builder.mul(number_of_run, w.size(_RUN)), _RUN)
    rest = builder.sub(depth, whole)
    with builder.if_then(builder.icmp_signed(">", rest, w.size(0))), w.loop(rest) as number_of_rest:
        steps(add(whole, number_of_rest), 1)
    for total in totals:
        w.store(builder.load(total), 6, c, c0)
        c0 = add(c0, b_step)


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
    # a longer sum is cut in two by `product`, and the same is to be computed for few images as for many
    tall = d_in // _TALL * _TALL if n <= HALF and d_out <= DEPTH else 0
    for r in range(0, tall, _TALL):
        _tall_tile(w, r * d_out, d_out, d_out, turned_dy, step, turned_dx, r * step)
    for s in range(0, n, WIDE):
        product(
            *(w, 0, row, tall, d_in - tall, tap, strip, d_out, turned_dy, s, WIDTH),
            *(turned_dx, tall * step + s, step, no_bias, 0, 0, NO_FLOOR, columns_at_once(n - s)),
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
