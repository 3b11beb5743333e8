"""Tiles: sums of products for some rows and columns at once, in as many registers as they take.

A tile of each height is written out in LLVM instructions: no compiler reliably unrolls loops over registers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .signatures import FLOATS, INDICES, NOTHING, SIZE
from .writer import Writer

# number of rows; A and where it begins; table and first row; table and first tap; length; B and C with their steps
TILE = (NOTHING, SIZE, FLOATS, SIZE, INDICES, SIZE, INDICES, SIZE, SIZE, FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE)
_A, _ROW, _TAP, _B = 1, 3, 5, 8  # positions of the arrays among them
C = 11


class Tiles(ABC):
    """Writes tiles of `strips` vectors, one for each height up to `most` rows; `values` are those of `TILE`."""

    def __init__(self, w: Writer, strips: int, most: int, values: tuple[Any, ...]) -> None:
        self.w, self.strips, self.most = w, strips, most
        (self.n, self.a, self.a0, self.row, self.r, self.tap, self.k0, self.length, *rest) = values
        (self.b, self.b0, self.b_step, self.c, self.c0, self.c_step) = rest

    @abstractmethod
    def factor(self, k: Any) -> Any:
        """Return where in B the values are that tap `k` multiplies."""

    @abstractmethod
    def finish(self, totals: list[Any], column: int) -> None:
        """Write the result's columns from `column` on; `totals` has the address of each row's sums."""

    def write(self) -> None:
        """Write all tiles, and the switch between them."""
        builder = self.w.builder
        end = builder.append_basic_block("end")
        choice = builder.switch(self.n, end)
        for rows in range(1, self.most + 1):
            block = builder.append_basic_block(f"rows{rows}")
            choice.add_case(self.w.size(rows), block)
            builder.position_at_end(block)
            totals = self._sums(rows)
            for s in range(self.strips):
                self.finish([sums[s] for sums in totals], s * self.w.width)
            builder.branch(end)
        builder.position_at_end(end)

    def _sums(self, rows: int) -> list[list[Any]]:
        """Write the sums of a tile of `rows` rows; return their addresses, by row and strip."""
        w, builder, add = self.w, self.w.builder, self.w.builder.add
        begin = [add(self.a0, w.offset(_ROW, self.row, add(self.r, w.size(i)))) for i in range(rows)]
        origins = [w.place(_A, self.a, index) for index in begin]
        totals = [[w.variable() for _ in range(self.strips)] for _ in range(rows)]
        with w.loop(self.length) as number:
            k, factors = add(self.k0, number), list[Any]()
            j, of = w.offset(_TAP, self.tap, k), add(self.b0, self.factor(k))
            for _ in range(self.strips):
                factors.append(w.load(_B, self.b, of))
                of = add(of, self.b_step)
            for origin, sums in zip(origins, totals, strict=True):
                value = w.spread(builder.load(builder.gep(origin, [j])))
                for total, factor in zip(sums, factors, strict=True):
                    builder.store(w.add_product(builder.load(total), value, factor), total)
        return totals
