"""Sixteen float32 numbers at once: the one type that Numba lacks.

Numba leaves it to its compiler, LLVM, to find loops that can use vector registers, and LLVM gives up silently on
anything unusual. Here sixteen numbers are one value, a `Vector`, and LLVM has no choice. It splits the value over the
registers there are: one with AVX-512, two with AVX2, four with NEON.

Each function below is one or two LLVM instructions. None of them checks an index.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .native import helper, instruction
from .signatures import FLOATS, INDICES, NOTHING, NUMBER, SIZE
from .signatures import VECTOR as V
from .writer import INT, VECTOR, WIDTH, WORD, ZEROS, Writer

__all__ = ["WIDTH"]


@instruction(SIZE, INDICES, SIZE)
def at(w: Writer, table: Any, index: Any) -> Any:
    """Return an entry of a table of offsets."""
    return w.offset(0, table, index)


@instruction(V)
def zeros(w: Writer) -> Any:
    """Return sixteen zeros."""
    del w
    return ZEROS


@instruction(V, NUMBER)
def spread(w: Writer, value: Any) -> Any:
    """Return sixteen copies of one number."""
    return w.spread(value)


@instruction(NUMBER, V)
def first(w: Writer, value: Any) -> Any:
    """Return the first of sixteen numbers."""
    return w.builder.extract_element(value, ir.Constant(INT, 0))


@instruction(V, FLOATS, SIZE)
def load(w: Writer, array: Any, index: Any) -> Any:
    """Return the sixteen numbers from an index on."""
    return w.load(0, array, index)


@instruction(V, FLOATS, SIZE, SIZE)
def _load_first(w: Writer, array: Any, index: Any, count: Any) -> Any:
    """Return the first `count` numbers from an index on, then zeros; memory after them is not touched."""
    return w.load(0, array, index, count)


@instruction(NOTHING, V, FLOATS, SIZE)
def store(w: Writer, value: Any, array: Any, index: Any) -> None:
    """Write sixteen numbers from an index on."""
    w.store(value, 1, array, index)


@instruction(NOTHING, V, FLOATS, SIZE, SIZE)
def _store_first(w: Writer, value: Any, array: Any, index: Any, count: Any) -> None:
    """Write only the first `count`."""
    w.store(value, 1, array, index, count)


@instruction(V, V, V)
def plus(w: Writer, one: Any, other: Any) -> Any:
    """Return the sums."""
    return w.builder.fadd(one, other)


@instruction(V, V, V)
def minus(w: Writer, one: Any, other: Any) -> Any:
    """Return the differences."""
    return w.builder.fsub(one, other)


@instruction(V, V, V)
def times(w: Writer, one: Any, other: Any) -> Any:
    """Return the products."""
    return w.builder.fmul(one, other)


@instruction(V, V, V)
def over(w: Writer, one: Any, other: Any) -> Any:
    """Return the quotients."""
    return w.builder.fdiv(one, other)


@instruction(V, V)
def root(w: Writer, value: Any) -> Any:
    """Return the square roots."""
    return w.call("llvm.sqrt.v16f32", VECTOR, value)


@instruction(V, V)
def whole(w: Writer, value: Any) -> Any:
    """Return the floors."""
    return w.call("llvm.floor.v16f32", VECTOR, value)


@instruction(V, FLOATS, SIZE, V)
def gather(w: Writer, array: Any, index: Any, places: Any) -> Any:
    """Return the numbers at sixteen places, counted from an index on; places are integers below 2**24."""
    start = w.spread(w.builder.ptrtoint(w.place(0, array, index), WORD))
    words = ir.VectorType(WORD, WIDTH)
    offsets = w.builder.mul(w.builder.fptosi(places, words), ir.Constant(words, [4] * WIDTH))
    addresses = w.builder.inttoptr(w.builder.add(start, offsets), ir.VectorType(ir.FloatType().as_pointer(), WIDTH))
    everywhere = ir.Constant(ir.VectorType(ir.IntType(1), WIDTH), [1] * WIDTH)
    return w.call("llvm.masked.gather.v16f32.v16p0", VECTOR, addresses, ir.Constant(INT, 4), everywhere, ZEROS)


@instruction(V, V, NUMBER)
def at_least(w: Writer, value: Any, floor: Any) -> Any:
    """Return the larger of each number and `floor`; NaN stays NaN."""
    return w.at_least(value, floor)


@instruction(V, V, V, V, V)
def where_greater(w: Writer, one: Any, other: Any, then: Any, otherwise: Any) -> Any:
    """Return `then` where one > other, `otherwise` elsewhere."""
    return w.builder.select(w.builder.fcmp_ordered(">", one, other), then, otherwise)


@instruction(V, V, V, V, V)
def where_beats(w: Writer, one: Any, other: Any, then: Any, otherwise: Any) -> Any:
    """Return `then` where one > other, or where only `one` is NaN; `otherwise` elsewhere."""
    greater, known = w.builder.fcmp_unordered(">", one, other), w.builder.fcmp_ordered("ord", other, other)
    return w.builder.select(w.builder.and_(greater, known), then, otherwise)


@instruction(V, V, V, V)
def where_equal(w: Writer, one: Any, other: Any, then: Any) -> Any:
    """Return `then` where one = other, zero elsewhere."""
    return w.builder.select(w.builder.fcmp_ordered("==", one, other), then, ZEROS)


@instruction(NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE)
def _transposed(w: Writer, a: Any, a0: Any, a_step: Any, b: Any, b0: Any, b_step: Any) -> None:
    """Write the transpose of a block of 16 x 16 numbers, whose rows are `a_step` apart, to another one."""
    rows = []
    for _ in range(WIDTH):
        rows.append(w.load(0, a, a0))
        a0 = w.builder.add(a0, a_step)
    for row in _exchanged(w, rows):
        w.store(row, 3, b, b0)
        b0 = w.builder.add(b0, b_step)


@instruction(NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE, SIZE)
def _columns_transposed(w: Writer, *values: Any) -> None:
    """Write the transpose of sixteen rows and at most sixteen columns; no other memory is touched."""
    _write_columns(w, w.size(WIDTH), None, *values)


@instruction(NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE, SIZE, SIZE, SIZE)
def _part_transposed(w: Writer, *values: Any) -> None:
    """Write the transpose of at most sixteen rows and columns; no other memory is touched."""
    *place, rows, columns = values
    _write_columns(w, rows, rows, *place, columns)


def _write_columns(w: Writer, rows: Any, count: Any, *values: Any) -> None:
    """Write columns of a block of `rows` rows as rows: all sixteen numbers of each, or only the first `count`."""
    builder, read = w.builder, []
    a, a0, a_step, b, b0, b_step, columns = values
    for i in range(WIDTH):  # the last row stands for those that are missing
        read.append(w.load(0, a, a0, columns))
        following = builder.add(a0, a_step)
        a0 = builder.select(builder.icmp_signed("<", w.size(i + 1), rows), following, a0)
    for i, value in enumerate(_exchanged(w, read)):
        with builder.if_then(builder.icmp_signed("<", w.size(i), columns)):
            w.store(value, 3, b, b0, count)
        b0 = builder.add(b0, b_step)


def _exchanged(w: Writer, rows: list[Any]) -> list[Any]:
    """Return the columns of sixteen vectors.

    Four rounds pair rows that are 8, 4, 2 and 1 apart, and exchange halves of them.
    """
    for apart in (8, 4, 2, 1):
        for i in (i for i in range(WIDTH) if not i & apart):
            one, other = rows[i], rows[i + apart]
            low = [k if not k & apart else k - apart + WIDTH for k in range(WIDTH)]
            high = [k + apart if not k & apart else k + WIDTH for k in range(WIDTH)]
            rows[i], rows[i + apart] = w.mixed(one, other, low), w.mixed(one, other, high)
    return rows


@helper
def load_some(array, index, count):  # type: ignore[no-untyped-def]
    """Return sixteen numbers, or only `count`, then zeros; memory after them is not touched."""
    return load(array, index) if count >= WIDTH else _load_first(array, index, count)


@helper
def store_some(value, array, index, count):  # type: ignore[no-untyped-def]
    """Write sixteen numbers, or only the first `count` (which is slower)."""
    if count >= WIDTH:
        store(value, array, index)
    else:
        _store_first(value, array, index, count)


@helper
def transposed(a, a0, a_step, b, b0, b_step, rows, columns):  # type: ignore[no-untyped-def]
    """Write the transpose of a block of at most 16 x 16 numbers, whose rows are `a_step` apart, to another one."""
    if rows == WIDTH and columns == WIDTH:
        _transposed(a, a0, a_step, b, b0, b_step)
    elif rows == WIDTH:
        _columns_transposed(a, a0, a_step, b, b0, b_step, columns)
    else:
        _part_transposed(a, a0, a_step, b, b0, b_step, rows, columns)


@helper
def clear(array):  # type: ignore[no-untyped-def]
    """Set an array to zero (Numba's own way takes seconds to compile)."""
    for i in range(0, len(array), WIDTH):
        store_some(zeros(), array, i, len(array) - i)
