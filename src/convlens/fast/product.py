"""The one inner loop: sums of products whose factors are found through tables.

::

    C[r, :] = max(sum over k of  A[row[r] + tap[k]] * B[strip[k] + :]  +  start[r, :],  floor)

`row`, `tap` and `strip` are tables of offsets, so A need not be a matrix in memory. For a convolution, `row` says where
an output's patch begins in the image and `tap` where a kernel position is within a patch: no patch is ever copied.

A *tile* has as many rows and columns as the processor's registers can accumulate at once, so that each loaded value is
used often: with AVX-512 (32 registers of sixteen numbers) 8 x 32, or 9 x 16 where there are only sixteen columns; with
AVX2 (sixteen registers of eight), 6 x 16. At most eight columns have tiles of their own, 9 x 8 or 8 x 8, because
multiplying vectors of eight takes half the time of sixteen. The order of a sum is the same in all of them.

Sources: Dukhan, "The indirect convolution algorithm", 2019; for tiles, Goto & van de Geijn, "Anatomy of
high-performance matrix multiplication", 2008.
"""

from __future__ import annotations

from typing import Any

from ..typing import Float32
from .linker import processor
from .native import helper, instruction, linked
from .signatures import FLOATS, INDICES, NUMBER, SIZE, Indices
from .tiles import TILE, C, Tiles
from .writer import WIDTH, Writer

_ROOMY = "+avx512f" in processor()[1]
STRIPS = 2 if _ROOMY else 1  # strips of sixteen columns in the widest tile
WIDE, WIDEST = STRIPS * WIDTH, 2 * WIDTH  # columns of the widest tile, here and on any processor
HALF = WIDTH // 2  # columns of the narrowest tile
_ROWS_HALF, _ROWS, _ROWS_WIDE = (9, 9, 8) if _ROOMY else (8, 6, 6)  # of the tallest tiles, by their width
DEPTH = 224  # products at a time: the part of B that the widest tile reads for them stays in a cache of 32 KiB
NO_FLOOR = -3.4e38  # below every sum: the product is not rectified

_TILE = (*TILE, INDICES, FLOATS, SIZE, SIZE, NUMBER, SIZE)
_STRIP, _START = 14, 15  # positions of the arrays that the product has besides


class _Products(Tiles):
    def __init__(self, w: Writer, strips: int, most: int, values: tuple[Any, ...]) -> None:
        super().__init__(w, strips, most, values[: len(TILE) - 1])
        self.strip, self.start, self.s0, self.s_step, self.floor, self.columns = values[len(TILE) - 1 :]

    def factor(self, k: Any) -> Any:
        return self.w.offset(_STRIP, self.strip, k)

    def finish(self, totals: list[Any], column: int) -> None:
        """Write a vector's columns: all of them, or as many as there are."""
        w, builder = self.w, self.w.builder
        left = builder.sub(self.columns, w.size(column))
        with builder.if_else(builder.icmp_signed(">=", left, w.size(w.width))) as (whole, part):
            for branch, count in ((whole, None), (part, left)):
                with branch:
                    c, start = (builder.add(index, w.size(column)) for index in (self.c0, self.s0))
                    for total in totals:
                        value = builder.fadd(builder.load(total), w.load(_START, self.start, start, count))
                        w.store(w.at_least(value, self.floor), C, self.c, c, count)
                        c, start = builder.add(c, self.c_step), builder.add(start, self.s_step)


@instruction(*_TILE)
def _half_tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows and at most `HALF` columns of C; the arguments are those of `product`, `r` is the row."""
    _Products(w.of_width(HALF), 1, _ROWS_HALF, values).write()


@instruction(*_TILE)
def _tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows and at most sixteen columns."""
    _Products(w, 1, _ROWS, values).write()


@instruction(*_TILE)
def _wide_tile(w: Writer, *values: Any) -> None:
    """Compute `n` rows and at most `WIDE` columns."""
    _Products(w, STRIPS, _ROWS_WIDE, values).write()


@helper
def columns_at_once(left: int) -> int:
    """Return how many columns to compute at a time if `left` are left: those of the narrowest tile that has them."""
    return HALF if left <= HALF else WIDTH if left <= WIDTH else WIDE


@linked
def product(
    a: Float32,
    a0: int,
    row: Indices,
    row0: int,
    rows: int,
    tap: Indices,
    strip: Indices,
    length: int,
    b: Float32,
    b0: int,
    b_step: int,
    c: Float32,
    c0: int,
    c_step: int,
    start: Float32,
    start0: int,
    start_step: int,
    floor: float,
    columns: int,
) -> None:
    """Compute C[r, :columns] = max(sum over k of A[row[r] + tap[k]] * B[strip[k]:] + start[r], floor) for r < rows.

    Parameters
    ----------
    a, a0
        The array of A, and where in it A begins.
    row, row0, rows
        Offsets of rows in A; the first one to use, and how many.
    tap, strip, length
        Offsets within a row of A, and of the matching sixteen values of B; how many to sum, at least one.
    b, b0, b_step
        The array of B, where its first sixteen columns begin, and the distance to the next sixteen. Strips are whole:
        columns beyond `columns` are read, but may hold anything.
    c, c0, c_step
        The array of C, where its first row begins, and the distance between rows.
    start, start0, start_step
        Likewise for what is added: a bias with step 0, or C itself. It is added at the end, because a long sum that
        starts from zero loses fewer digits.
    floor
        Smallest result: 0 rectifies, `NO_FLOOR` leaves everything.
    columns
        Number of columns; at most `WIDE` are computed.
    """
    columns = min(columns, WIDE)
    most = _ROWS_HALF if columns <= HALF else _ROWS if columns <= WIDTH else _ROWS_WIDE
    tiles, steps = (rows + most - 1) // most, (length + DEPTH - 1) // DEPTH
    low, higher = rows // tiles, rows % tiles  # as even as possible: a small tile uses each loaded value less often
    for step in range(steps):
        k = length * step // steps
        depth = length * (step + 1) // steps - k
        least = floor if step == steps - 1 else NO_FLOOR
        c1, s1, r1 = c0, start0, row0
        for t in range(tiles):
            n = low + 1 if t < higher else low
            if columns <= HALF:
                _half_tile(
                    *(n, a, a0, row, r1, tap, k, depth, b, b0, b_step, c, c1, c_step),
                    *(strip, start, s1, start_step, least, columns),
                )
            elif columns <= WIDTH:
                _tile(
                    *(n, a, a0, row, r1, tap, k, depth, b, b0, b_step, c, c1, c_step),
                    *(strip, start, s1, start_step, least, columns),
                )
            else:
                _wide_tile(
                    *(n, a, a0, row, r1, tap, k, depth, b, b0, b_step, c, c1, c_step),
                    *(strip, start, s1, start_step, least, columns),
                )
            c1, s1, r1 = c1 + n * c_step, s1 + n * start_step, r1 + n
        start, start0, start_step = c, c0, c_step
