"""The sums that minimal filtering multiplies, of images, kernels and derivatives, and those of its products.

Each is a product with small constant matrices from both sides (`convlens.fast.toom`), of sixteen channels at a time. It
is written out in instructions from the matrix: zeros are skipped, and nothing is multiplied by one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from llvmlite import ir

from ..typing import Float32
from .native import helper, instruction
from .script import entry
from .signatures import FLOATS, NOTHING, SIZE
from .toom import TWO, Matrix, transpose
from .writer import VECTOR, WIDTH, Writer

FORM = TWO
RESULTS, SIZE_OF_SQUARE = FORM.results, FORM.size
POSITIONS = SIZE_OF_SQUARE**2
ONES = SIZE_OF_SQUARE + 1  # the position whose sums are added to every result
KERNELS = (3, 5, 7)  # heights, and widths, of kernels


def _constant(value: Fraction) -> Any:
    return ir.Constant(VECTOR, [float(value)] * WIDTH)


def _sums(w: Writer, matrix: Matrix, vectors: list[Any]) -> list[Any]:
    """Write the products of a matrix of constants with a list of vectors: zeros are skipped, ones not multiplied."""
    sums = []
    for row in matrix:
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
        sums.append(total)
    return sums


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


@instruction(NOTHING, FLOATS, SIZE, SIZE, SIZE, SIZE, FLOATS, SIZE, SIZE, SIZE)
def lift_row(
    w: Writer, a: Any, a0: Any, line: Any, pixel: Any, squares: Any, out: Any, to: Any, pitch: Any, step: Any
) -> None:
    """Write B d B^T for a row of squares, `pitch` apart; positions are `step` apart.

    Columns of pixels that two squares have in common are read once.
    """
    n, m, add, times = SIZE_OF_SQUARE, RESULTS, w.builder.add, w.builder.mul
    kept = [[w.variable() for _ in range(n)] for _ in range(n - m)]

    def column(number: Any) -> list[Any]:
        place, values = add(a0, times(number, pixel)), []
        for _ in range(n):
            values.append(w.load(0, a, place))
            place = add(place, line)
        return _sums(w, FORM.b, values)

    for c, variables in enumerate(kept):
        for value, variable in zip(column(w.size(c)), variables, strict=True):
            w.builder.store(value, variable)
    with w.loop(squares) as square:
        first = add(times(square, w.size(m)), w.size(n - m))
        columns = [[w.builder.load(variable) for variable in variables] for variables in kept]
        columns += [column(add(first, w.size(c))) for c in range(m)]
        place = add(to, times(square, pitch))
        for row in range(n):
            for value in _sums(w, FORM.b, [values[row] for values in columns]):
                w.store(value, 5, out, place)
                place = add(place, step)
        for variables, values in zip(kept, columns[m:], strict=True):
            for variable, value in zip(variables, values, strict=True):
                w.builder.store(value, variable)


@instruction(NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE)
def lower(w: Writer, sums: Any, index: Any, step: Any, out: Any, to: Any) -> None:
    """Write A M A^T, (m, m, 16), of one square; positions are `step` apart."""
    down = w.builder.mul(step, w.size(SIZE_OF_SQUARE))
    columns = _loaded(w, sums, index, (down, step), SIZE_OF_SQUARE)
    for row in _both_ways(w, FORM.a, columns):
        for value in row:
            w.store(value, 3, out, to)
            to = w.builder.add(to, w.size(WIDTH))


@instruction(NOTHING, FLOATS, SIZE, SIZE, SIZE, FLOATS, SIZE, SIZE)
def lift_square(w: Writer, dy: Any, index: Any, line: Any, pixel: Any, out: Any, to: Any, step: Any) -> None:
    """Write A^T dY A of one square of derivatives; positions are `step` apart."""
    for row in _both_ways(w, transpose(FORM.a), _loaded(w, dy, index, (line, pixel), RESULTS)):
        for value in row:
            w.store(value, 4, out, to)
            to = w.builder.add(to, step)


def _write_lifted_kernel(w: Writer, taps: int, g: Any, index: Any, step: Any, out: Any, to: Any) -> None:
    rows = FORM.kernel_rows(taps)
    columns = _loaded(w, g, index, (w.builder.mul(step, w.size(taps)), step), taps)
    lifted = _both_ways(w, [row.coefficients for row in rows], columns)
    for i, j in kernel_order(taps):
        w.store(lifted[i][j], 3, out, to)
        to = w.builder.add(to, step)


def _write_lowered_gradient(
    w: Writer, taps: int, lifted: Any, index: Any, step: Any, dw: Any, to: Any, count: Any
) -> None:
    rows, add = FORM.kernel_rows(taps), w.builder.add
    values: dict[tuple[int, int], Any] = {}
    for pair in kernel_order(taps):
        values[pair] = w.load(0, lifted, index, count)
        index = add(index, step)
    columns = [[values[i, j] for i in range(len(rows))] for j in range(len(rows))]
    for row in _both_ways(w, transpose([row.coefficients for row in rows]), columns):
        for value in row:
            w.store(w.builder.fadd(w.load(3, dw, to, count), value), 3, dw, to, count)
            to = add(to, step)


def kernel_order(taps: int) -> list[tuple[int, int]]:
    """Return the order of lifted kernels, as rows of G for the height and the width: by position, then by section."""
    rows = FORM.kernel_rows(taps)
    pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows))]
    return sorted(pairs, key=lambda pair: (rows[pair[0]].position, rows[pair[1]].position))


_KERNEL = (NOTHING, FLOATS, SIZE, SIZE, FLOATS, SIZE)


@instruction(*_KERNEL)
def _lift_3(w: Writer, *values: Any) -> None:
    _write_lifted_kernel(w, 3, *values)


@instruction(*_KERNEL)
def _lift_5(w: Writer, *values: Any) -> None:
    _write_lifted_kernel(w, 5, *values)


@instruction(*_KERNEL)
def _lift_7(w: Writer, *values: Any) -> None:
    _write_lifted_kernel(w, 7, *values)


@instruction(*_KERNEL, SIZE)
def _lower_3(w: Writer, *values: Any) -> None:
    _write_lowered_gradient(w, 3, *values)


@instruction(*_KERNEL, SIZE)
def _lower_5(w: Writer, *values: Any) -> None:
    _write_lowered_gradient(w, 5, *values)


@instruction(*_KERNEL, SIZE)
def _lower_7(w: Writer, *values: Any) -> None:
    _write_lowered_gradient(w, 7, *values)


@entry
def lift_kernels(strips: Float32, size: int, channels: int, products: int, lifted: Float32) -> None:
    """Write G g G^T for kernels in strips, (strips, size, size, channels, 16).

    They become (strips, `products`, channels, 16): by position, then by section.
    """
    of, to, step = size * size * channels * WIDTH, products * channels * WIDTH, channels * WIDTH
    for s in range(len(strips) // of):
        for c in range(channels):
            g, u = s * of + c * WIDTH, s * to + c * WIDTH
            if size == 3:
                _lift_3(strips, g, step, lifted, u)
            elif size == 5:
                _lift_5(strips, g, step, lifted, u)
            else:
                _lift_7(strips, g, step, lifted, u)


@helper
def lower_gradient(lifted: Float32, size: int, dw: Float32) -> None:
    """Add the gradient of kernels, (size, size, channels, filters), whose lifted form's gradient this is."""
    step = len(dw) // (size * size)
    for k in range(0, step, WIDTH):
        count = min(WIDTH, step - k)
        if size == 3:
            _lower_3(lifted, k, step, dw, k, count)
        elif size == 5:
            _lower_5(lifted, k, step, dw, k, count)
        else:
            _lower_7(lifted, k, step, dw, k, count)
