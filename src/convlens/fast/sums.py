"""The inner loop of minimal filtering: the product of a lifted block with lifted kernels, at one position.

::

    C[r, :] = sum over k of  A[row[r] + tap[k]] * B[16 k + :]

It is `convlens.fast.product` with whole strips and nothing to add. Sums are short here, so what is done once a tile or
once a call counts.
"""

from __future__ import annotations

from typing import Any

from .native import helper, instruction
from .product import STRIPS
from .signatures import FLOATS, INDICES, NOTHING, SIZE
from .writer import WIDTH, Writer

_ROWS, _ROWS_WIDE = (12, 8) if STRIPS == 2 else (6, 6)  # of the tallest tile, of one strip and of `STRIPS`
_TILE = (NOTHING, SIZE, FLOATS, SIZE, INDICES, SIZE, INDICES, SIZE, SIZE, FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE)
_A, _ROW, _TAP, _B, _C = 1, 3, 5, 8, 11  # positions of the arrays among them


class _Tiles:
    """Writes tiles of `strips` strips, one for each height up to `most` rows."""

    def __init__(self, w: Writer, strips: int, most: int, values: tuple[Any, ...]) -> None:
        self.w, self.strips, self.most = w, strips, most
        (self.n, self.a, self.a0, self.row, self.r, self.tap, self.t, self.length, *rest) = values
        self.b, self.b0, self.b_step, self.c, self.c0, self.c_step = rest

    def write(self) -> None:
        """Write all of them, and the switch between them."""
        builder = self.w.builder
        end = builder.append_basic_block("end")
        choice = builder.switch(self.n, end)
        for rows in range(1, self.most + 1):
            block = builder.append_basic_block(f"rows{rows}")
            choice.add_case(self.w.size(rows), block)
            builder.position_at_end(block)
            self._tile(rows)
            builder.branch(end)
        builder.position_at_end(end)

    def _tile(self, rows: int) -> None:
        w, builder, add = self.w, self.w.builder, self.w.builder.add
        begin = [add(self.a0, w.offset(_ROW, self.row, add(self.r, w.size(i)))) for i in range(rows)]
        origins = [w.place(_A, self.a, index) for index in begin]
        totals = [[w.variable() for _ in range(self.strips)] for _ in range(rows)]
        with w.loop(self.length) as k:
            j, of, factors = w.offset(_TAP, self.tap, add(self.t, k)), add(self.b0, builder.mul(k, w.size(WIDTH))), []
            for _ in range(self.strips):
                factors.append(w.load(_B, self.b, of))
                of = add(of, self.b_step)
            for origin, sums in zip(origins, totals, strict=True):
                number = w.spread(builder.load(builder.gep(origin, [j])))
                for total, factor in zip(sums, factors, strict=True):
                    builder.store(w.add_product(builder.load(total), number, factor), total)
        c = self.c0
        for sums in totals:
            for s, total in enumerate(sums):
                w.store(builder.load(total), _C, self.c, add(c, w.size(s * WIDTH)))
            c = add(c, self.c_step)


@instruction(*_TILE)
def _tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows of one strip; the other arguments are those of `sum_up`, `r` is the row and `t` the tap."""
    _Tiles(w, 1, _ROWS, values).write()


@instruction(*_TILE)
def _wide_tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows of `STRIPS` strips."""
    _Tiles(w, STRIPS, _ROWS_WIDE, values).write()


@helper
def sum_up(a, a0, row, rows, tap, t, length, b, b0, b_step, c, c0, c_step):  # type: ignore[no-untyped-def]
    """Compute `rows` rows of C, `c_step` values apart: one strip or, where that is more than 16, `STRIPS` of them.

    `row` and `tap`, from `t` on, are offsets in A, of which `length`, at least one, are summed; the strips of B are
    `b_step` values apart.
    """
    most = _ROWS if c_step == WIDTH else _ROWS_WIDE
    tiles = (rows + most - 1) // most
    short, longer = rows // tiles, rows % tiles  # as even as possible: a small tile uses each loaded value less often
    r = 0
    for i in range(tiles):
        n = short + 1 if i < longer else short
        if c_step == WIDTH:
            _tile(n, a, a0, row, r, tap, t, length, b, b0, b_step, c, c0 + r * c_step, c_step)
        else:
            _wide_tile(n, a, a0, row, r, tap, t, length, b, b0, b_step, c, c0 + r * c_step, c_step)
        r += n
