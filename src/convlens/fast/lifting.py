"""The sums that minimal filtering multiplies, of images, kernels and derivatives, and those of its products.

Each is a product with small constant matrices from both sides (`convlens.fast.toom`), of sixteen channels at a time. It
is written out in instructions from the matrix: zeros are skipped, and nothing is multiplied by one.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any

from llvmlite import ir

from ..typing import Float32
from .native import helper, instruction
from .script import entry
from .signatures import FLOATS, NOTHING, NUMBER, SIZE
from .toom import FOUR, TWO, Form, Matrix, transpose
from .vector import load, load_some, plus, store, store_some, zeros
from .writer import VECTOR, WIDTH, ZEROS, Writer

KERNELS = {TWO: (3, 5, 7), FOUR: (3,)}  # heights, and widths, of kernels
SCRATCH = 49  # vectors of memory for the results of a square, or for part of a kernel's gradient


def _constant(value: Fraction) -> Any:
    return ir.Constant(VECTOR, [float(value)] * WIDTH)


def _sums(w: Writer, matrix: Matrix, vectors: list[Any]) -> list[Any]:
    """Write the products of a matrix of constants with a list of vectors: zeros are skipped, ones not multiplied.

    Two columns that are equal in some rows and opposite in the others are replaced by the vectors' sum and difference;
    two such rows are the sum and the difference of what they share.
    """
    if len(matrix) > 2:
        for j, k in combinations(range(len(vectors)), 2):
            if _opposite([row[j] for row in matrix], [row[k] for row in matrix]):
                one, other = w.builder.fadd(vectors[j], vectors[k]), w.builder.fsub(vectors[j], vectors[k])
                vectors = [one if i == j else other if i == k else vector for i, vector in enumerate(vectors)]
                halves = [((row[j] + row[k]) / 2, (row[j] - row[k]) / 2) for row in matrix]
                matrix = [
                    [half[0] if i == j else half[1] if i == k else value for i, value in enumerate(row)]
                    for row, half in zip(matrix, halves, strict=True)
                ]
    sums: dict[int, Any] = {}
    for j, k in combinations(range(len(matrix)), 2):
        one, other = matrix[j], matrix[k]
        if _opposite(one, other) and len(one) - one.count(Fraction(0)) > 2:
            same = _sum(w, [(a + b) / 2 for a, b in zip(one, other, strict=True)], vectors)
            rest = _sum(w, [(a - b) / 2 for a, b in zip(one, other, strict=True)], vectors)
            sums[j], sums[k] = w.builder.fadd(same, rest), w.builder.fsub(same, rest)
    return [sums[j] if j in sums else _sum(w, row, vectors) for j, row in enumerate(matrix)]


def _opposite(one: list[Fraction], other: list[Fraction]) -> bool:
    """Return whether two rows, or columns, differ in the signs of some numbers alone."""
    signs = {a == b for a, b in zip(one, other, strict=True) if a or b}
    return len(signs) == 2 and all(abs(a) == abs(b) for a, b in zip(one, other, strict=True))


def _sum(w: Writer, row: list[Fraction], vectors: list[Any]) -> Any:
    total = None
    for coefficient, vector in sorted(zip(row, vectors, strict=True), key=lambda pair: pair[0] <= 0):
        if coefficient == 0:
            continue
        if total is None:
            total = vector if coefficient == 1 else w.builder.fmul(vector, _constant(coefficient))
        elif abs(coefficient) == 1:
            total = (w.builder.fadd if coefficient > 0 else w.builder.fsub)(total, vector)
        else:
            total = w.add_product(total, vector, _constant(coefficient))
    assert total is not None, "a row of zeros"
    return total


def _both_ways(w: Writer, matrix: Matrix, columns: list[list[Any]]) -> list[list[Any]]:
    """Write matrix X matrix^T; X is given as columns, the result as rows."""
    across = [_sums(w, matrix, column) for column in columns]
    return [_sums(w, matrix, [column[row] for column in across]) for row in range(len(matrix))]


def _loaded(w: Writer, array: Any, index: Any, steps: tuple[Any, Any], size: int, count: Any = None) -> list[list[Any]]:
    """Load size x size vectors, as columns; `steps` are the distances down and across."""
    return [[w.load(0, array, place, count) for place in column] for column in _places(w, index, steps, size)]


def _places(w: Writer, index: Any, steps: tuple[Any, Any], size: int) -> list[list[Any]]:
    """Return the indices of size x size vectors, as columns."""
    add, times = w.builder.add, w.builder.mul
    return [
        [add(index, add(times(steps[0], w.size(r)), times(steps[1], w.size(c)))) for r in range(size)]
        for c in range(size)
    ]


def _write_lifted_row(
    w: Writer,
    form: Form,
    a: Any,
    a0: Any,
    line: Any,
    pixel: Any,
    squares: Any,
    out: Any,
    to: Any,
    pitch: Any,
    step: Any,
) -> None:
    """Columns of pixels that two squares have in common are read once."""
    n, m, b, add, times = form.size, form.results, form.b, w.builder.add, w.builder.mul
    kept = [[w.variable() for _ in range(n)] for _ in range(n - m)]

    def column(number: Any) -> list[Any]:
        place, values = add(a0, times(number, pixel)), []
        for _ in range(n):
            values.append(w.load(0, a, place))
            place = add(place, line)
        return _sums(w, b, values)

    for c, variables in enumerate(kept):
        for value, variable in zip(column(w.size(c)), variables, strict=True):
            w.builder.store(value, variable)
    with w.loop(squares) as square:
        first = add(times(square, w.size(m)), w.size(n - m))
        columns = [[w.builder.load(variable) for variable in variables] for variables in kept]
        columns += [column(add(first, w.size(c))) for c in range(m)]
        place = add(to, times(square, pitch))
        for row in range(n):
            for value in _sums(w, b, [values[row] for values in columns]):
                w.store(value, 5, out, place)
                place = add(place, step)
        for variables, values in zip(kept, columns[m:], strict=True):
            for variable, value in zip(variables, values, strict=True):
                w.builder.store(value, variable)


def _results(w: Writer, form: Form, sums: Any, index: Any, step: Any, bias: Any, s: Any) -> list[list[Any]]:
    """Write A M A^T + bias, as rows; positions are `step` apart."""
    columns = _loaded(w, sums, index, (w.builder.mul(step, w.size(form.size)), step), form.size)
    more = w.load(3, bias, s)
    return [[w.builder.fadd(value, more) for value in row] for row in _both_ways(w, form.a, columns)]


def _write_results(w: Writer, form: Form, *values: Any) -> None:
    *of, y, to, line, pixel, floor = values
    for row in _results(w, form, *of):
        place = to
        for value in row:
            w.store(w.at_least(value, floor), 5, y, place)
            place = w.builder.add(place, pixel)
        to = w.builder.add(to, line)


def _write_pooled(w: Writer, form: Form, *values: Any) -> None:
    *of, out, to = values
    rows, builder = _results(w, form, *of), w.builder
    for i in range(0, form.results, 2):
        for j in range(0, form.results, 2):
            best, phase = rows[i][j], ZEROS
            for q in range(1, 4):
                value = rows[i + q // 2][j + q % 2]
                greater, known = builder.fcmp_unordered(">", value, best), builder.fcmp_ordered("ord", best, best)
                beats = builder.and_(greater, known)
                best = builder.select(beats, value, best)
                phase = builder.select(beats, _constant(Fraction(q)), phase)
            w.store(best, 5, out, to)
            w.store(phase, 5, out, builder.add(to, w.size(WIDTH)))
            to = builder.add(to, w.size(2 * WIDTH))


def _write_lifted_square(
    w: Writer, form: Form, dy: Any, index: Any, line: Any, pixel: Any, out: Any, to: Any, step: Any
) -> None:
    for row in _both_ways(w, transpose(form.a), _loaded(w, dy, index, (line, pixel), form.results)):
        for value in row:
            w.store(value, 4, out, to)
            to = w.builder.add(to, step)


def _write_lifted_kernel(w: Writer, form: Form, taps: int, g: Any, index: Any, step: Any, out: Any, to: Any) -> None:
    rows = form.kernel_rows(taps)
    columns = _loaded(w, g, index, (w.builder.mul(step, w.size(taps)), step), taps)
    lifted = _both_ways(w, [row.coefficients for row in rows], columns)
    for i, j in kernel_order(form, taps):
        w.store(lifted[i][j], 3, out, to)
        to = w.builder.add(to, step)


def _write_lowered_gradient(
    w: Writer, form: Form, taps: int, lifted: Any, index: Any, step: Any, dw: Any, to: Any, step_of_dw: Any
) -> None:
    rows, add = form.kernel_rows(taps), w.builder.add
    values: dict[tuple[int, int], Any] = {}
    for pair in kernel_order(form, taps):
        values[pair] = w.load(0, lifted, index)
        index = add(index, step)
    columns = [[values[i, j] for i in range(len(rows))] for j in range(len(rows))]
    for row in _both_ways(w, transpose([row.coefficients for row in rows]), columns):
        for value in row:
            w.store(w.builder.fadd(w.load(3, dw, to), value), 3, dw, to)
            to = add(to, step_of_dw)


def kernel_order(form: Form, taps: int) -> list[tuple[int, int]]:
    """Return the order of lifted kernels, as rows of G for the height and the width: by position, then by section."""
    rows = form.kernel_rows(taps)
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    return sorted(pairs, key=lambda pair: (rows[pair[0]].position, rows[pair[1]].position))


_KERNEL = (NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE)
_ROW = (NOTHING, FLOATS, SIZE, SIZE, SIZE, SIZE, FLOATS, SIZE, SIZE, SIZE)
_POOL = (NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE, FLOATS, SIZE)
_LOWER = (*_POOL, SIZE, SIZE, NUMBER)
_SQUARE = (NOTHING, FLOATS, SIZE, SIZE, SIZE, FLOATS, SIZE, SIZE)


def _made(kinds: tuple[Any, ...], write: Callable[..., None], *of: Any) -> Any:
    """Return an instruction for a form, and a kernel's taps."""

    def instruct(w: Writer, *values: Any) -> None:
        write(w, *of, *values)

    return instruction(*kinds)(instruct)


_lift_row_2, _lift_row_4 = (_made(_ROW, _write_lifted_row, form) for form in (TWO, FOUR))
_lower_2, _lower_4 = (_made(_LOWER, _write_results, form) for form in (TWO, FOUR))
_pool_2, _pool_4 = (_made(_POOL, _write_pooled, form) for form in (TWO, FOUR))
_lift_square_2, _lift_square_4 = (_made(_SQUARE, _write_lifted_square, form) for form in (TWO, FOUR))
_lift_3, _lift_5, _lift_7 = (_made(_KERNEL, _write_lifted_kernel, TWO, taps) for taps in KERNELS[TWO])
_lift_3_by_4 = _made(_KERNEL, _write_lifted_kernel, FOUR, 3)
_lower_3, _lower_5, _lower_7 = (_made((*_KERNEL, SIZE), _write_lowered_gradient, TWO, taps) for taps in KERNELS[TWO])
_lower_3_by_4 = _made((*_KERNEL, SIZE), _write_lowered_gradient, FOUR, 3)


@helper
def lift_row(results, a, a0, line, pixel, squares, out, to, pitch, step):  # type: ignore[no-untyped-def]
    """Write B d B^T for a row of squares of results, `pitch` apart; positions are `step` apart."""
    if results == 2:
        _lift_row_2(a, a0, line, pixel, squares, out, to, pitch, step)
    else:
        _lift_row_4(a, a0, line, pixel, squares, out, to, pitch, step)


@helper
def lower(results, sums, index, step, bias, s, y, to, line, pixel, floor):  # type: ignore[no-untyped-def]
    """Write A M A^T + bias, at least `floor`: the results of one square, whose positions are `step` apart."""
    if results == 2:
        _lower_2(sums, index, step, bias, s, y, to, line, pixel, floor)
    else:
        _lower_4(sums, index, step, bias, s, y, to, line, pixel, floor)


@helper
def lower_and_pool(results, sums, index, step, bias, s, out, to):  # type: ignore[no-untyped-def]
    """Write the maximum of each window of 2 x 2 results, and which of them it is, the first of equals."""
    if results == 2:
        _pool_2(sums, index, step, bias, s, out, to)
    else:
        _pool_4(sums, index, step, bias, s, out, to)


@helper
def lift_square(results, dy, index, line, pixel, out, to, step):  # type: ignore[no-untyped-def]
    """Write A^T dY A of one square of derivatives; positions are `step` apart."""
    if results == 2:
        _lift_square_2(dy, index, line, pixel, out, to, step)
    else:
        _lift_square_4(dy, index, line, pixel, out, to, step)


@entry
def lift_kernels(strips: Float32, size: int, channels: int, results: int, products: int, lifted: Float32) -> None:
    """Write G g G^T for kernels in strips, (strips, size, size, channels, 16).

    They become (strips, `products`, channels, 16): by position, then by section.
    """
    of, to, step = size * size * channels * WIDTH, products * channels * WIDTH, channels * WIDTH
    for s in range(len(strips) // of):
        for c in range(channels):
            g, u = s * of + c * WIDTH, s * to + c * WIDTH
            if results == 4:
                _lift_3_by_4(strips, g, step, lifted, u)
            elif size == 3:
                _lift_3(strips, g, step, lifted, u)
            elif size == 5:
                _lift_5(strips, g, step, lifted, u)
            else:
                _lift_7(strips, g, step, lifted, u)


@helper
def _lower_gradient(lifted, k, step, size, results, dw, to, step_of_dw):  # type: ignore[no-untyped-def]
    """Add sixteen values of each kernel position's gradient, `step_of_dw` apart."""
    if results == 4:
        _lower_3_by_4(lifted, k, step, dw, to, step_of_dw)
    elif size == 3:
        _lower_3(lifted, k, step, dw, to, step_of_dw)
    elif size == 5:
        _lower_5(lifted, k, step, dw, to, step_of_dw)
    else:
        _lower_7(lifted, k, step, dw, to, step_of_dw)


@helper
def lower_gradient(lifted: Float32, size: int, results: int, scratch: Float32, dw: Float32) -> None:
    """Add the gradient of kernels, (size, size, channels, filters), whose lifted form's gradient this is.

    What a position's values leave over after whole vectors goes through `scratch`.
    """
    step = len(dw) // (size * size)
    whole = step // WIDTH * WIDTH
    for k in range(0, step, WIDTH):
        if k == whole:
            for p in range(size * size):
                store(zeros(), scratch, p * WIDTH)
            _lower_gradient(lifted, k, step, size, results, scratch, 0, WIDTH)
            for p in range(size * size):
                value = plus(load_some(dw, p * step + k, step - k), load(scratch, p * WIDTH))
                store_some(value, dw, p * step + k, step - k)
        else:
            _lower_gradient(lifted, k, step, size, results, dw, k, step)
