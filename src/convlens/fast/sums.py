"""The inner loop of minimal filtering: the product of a lifted block with lifted kernels, at one position.

::

    C[r, :] = sum over k of  A[row[r] + tap[k]] * B[16 k + :]

It is `convlens.fast.product` with nothing to add. Sums are short here, so what is done once a tile or once a call
counts.
"""

from __future__ import annotations

from typing import Any

from .native import helper, instruction
from .product import HALF, STRIPS
from .tiles import TILE, C, Tiles
from .writer import WIDTH, Writer

# rows of the tallest tiles, by their width
_ROWS_HALF, _ROWS, _ROWS_WIDE = (12, 12, 8) if STRIPS == 2 else (12, 6, 6)


class _Sums(Tiles):
    def factor(self, k: Any) -> Any:
        return self.w.builder.mul(k, self.w.size(WIDTH))

    def finish(self, totals: list[Any], column: int) -> None:
        w, c = self.w, self.w.builder.add(self.c0, self.w.size(column))
        for total in totals:
            w.store(w.builder.load(total), C, self.c, c)
            c = w.builder.add(c, self.c_step)


@instruction(*TILE)
def _half_tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows of half a strip; the other arguments are those of `sum_up`, `r` is the row and `t` the tap."""
    _Sums(w.of_width(HALF), 1, _ROWS_HALF, values).write()


@instruction(*TILE)
def _tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows of one strip."""
    _Sums(w, 1, _ROWS, values).write()


@instruction(*TILE)
def _wide_tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows of `STRIPS` strips."""
    _Sums(w, STRIPS, _ROWS_WIDE, values).write()


@helper
def sum_up(a, a0, row, rows, tap, t, length, b, b0, b_step, c, c0, c_step, columns):  # type: ignore[no-untyped-def]
    """Compute `rows` rows of C, `c_step` values apart: half a strip if `columns` are no more, one, or `STRIPS` of them.

    One strip, or half of it, has room for sixteen columns, and several for as many more. `row` and `tap`, from `t` on,
    are offsets in A, of which `length`, at least one, are summed; the strips of B are `b_step` values apart.
    """
    most = _ROWS_HALF if columns <= HALF else _ROWS if columns <= WIDTH else _ROWS_WIDE
    tiles = (rows + most - 1) // most
    short, longer = rows // tiles, rows % tiles  # as even as possible: a small tile uses each loaded value less often
    r = 0
    for i in range(tiles):
        n = short + 1 if i < longer else short
        if columns <= HALF:
            _half_tile(n, a, a0, row, r, tap, t, length, b, b0, b_step, c, c0 + r * c_step, c_step)
        elif columns <= WIDTH:
            _tile(n, a, a0, row, r, tap, t, length, b, b0, b_step, c, c0 + r * c_step, c_step)
        else:
            _wide_tile(n, a, a0, row, r, tap, t, length, b, b0, b_step, c, c0 + r * c_step, c_step)
        r += n
