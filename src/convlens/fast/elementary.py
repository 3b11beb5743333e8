"""exp, log and tanh of sixteen float32 numbers, from basic IEEE operations and bit manipulation alone.

A C library's functions differ between systems, and NumPy's between processors. These do not: each step is one IEEE
operation, rounded separately, in the order in which it is written.

==============  ==================================  =================
function        range                               largest error
==============  ==================================  =================
`exponential`   all; below 1.2e-38 it is zero       1.1 ulp
`logarithm`     from 1.2e-38 on                     0.9 ulp
`tangent`       all                                 1.6 ulp
==============  ==================================  =================

An ulp is the distance between neighbouring float32 numbers at the result; `tests/fast/test_elementary.py` measures
the errors against NumPy's long double. NaN gives NaN.

Source: the ranges and polynomials are those of Moshier's Cephes library, 1989 (``expf``, ``logf``, ``tanhf``).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from .native import instruction
from .signatures import VECTOR as V
from .writer import INT, VECTOR, WIDTH, Writer

_INTS = ir.VectorType(INT, WIDTH)
_LOG2E = 1.44269504088896341
_LN2 = 0.693359375, -2.12194440e-4  # the first has few digits, so its product with a small integer is exact
_MAGIC = 12582912.0  # 1.5 * 2**23: added to a number below 2**22, it leaves the nearest integer in the last bits
_SMALLEST, _LARGEST = -87.3365447506, 88.7228391117  # exp of these is the smallest and the largest normal number
_ROOT_HALF = 0.707106781186547524
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
_LOG = (
    *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
    *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
)
_TANH = -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1


class _Formula:
    """Writes arithmetic on vectors; numbers stand for vectors of equal values."""

    def __init__(self, w: Writer) -> None:
        self.w, self.builder = w, w.builder

    def vector(self, value: Any) -> Any:
        return ir.Constant(VECTOR, [value] * WIDTH) if isinstance(value, float) else value

    def ints(self, value: int) -> Any:
        return ir.Constant(_INTS, [value] * WIDTH)

    def add(self, one: Any, other: Any) -> Any:
        return self.builder.fadd(self.vector(one), self.vector(other))

    def subtract(self, one: Any, other: Any) -> Any:
        return self.builder.fsub(self.vector(one), self.vector(other))

    def multiply(self, one: Any, other: Any) -> Any:
        return self.builder.fmul(self.vector(one), self.vector(other))

    def polynomial(self, x: Any, coefficients: tuple[float, ...]) -> Any:
        """Return the polynomial with these coefficients, the highest power first."""
        total: Any = coefficients[0]
        for coefficient in coefficients[1:]:
            total = self.add(self.multiply(total, x), coefficient)
        return total

    def where(self, relation: str, one: Any, other: Any, then: Any, otherwise: Any) -> Any:
        """Return `then` where a relation holds (it never does for NaN), `otherwise` elsewhere."""
        holds = self.builder.fcmp_ordered(relation, self.vector(one), self.vector(other))
        return self.builder.select(holds, self.vector(then), self.vector(otherwise))

    def bits(self, x: Any) -> Any:
        return self.builder.bitcast(x, _INTS)

    def number(self, bits: Any) -> Any:
        return self.builder.bitcast(bits, VECTOR)

    def power_of_two(self, exponent: Any) -> Any:
        """Return 2**n for integers n from -126 to 127."""
        return self.number(self.builder.shl(self.builder.add(exponent, self.ints(127)), self.ints(23)))

    def exponential(self, x: Any) -> Any:
        """Return exp(x) = 2**n * exp(r) with an integer n and |r| at most log(2) / 2."""
        b = self.builder
        inside = self.where(">", x, _LARGEST, _LARGEST, self.where("<", x, _SMALLEST, _SMALLEST, x))
        shifted = self.add(self.multiply(inside, _LOG2E), _MAGIC)
        n, exponent = self.subtract(shifted, _MAGIC), b.sub(self.bits(shifted), self.bits(self.vector(_MAGIC)))
        r = self.subtract(self.subtract(inside, self.multiply(n, _LN2[0])), self.multiply(n, _LN2[1]))
        square = self.multiply(r, r)
        small = self.add(self.add(self.multiply(self.polynomial(r, _EXP), square), r), 1.0)
        half = b.ashr(exponent, self.ints(1))  # 2**128 is not finite
        value = self.multiply(self.multiply(small, self.power_of_two(half)), self.power_of_two(b.sub(exponent, half)))
        value = self.where(">", x, _LARGEST, float("inf"), value)
        return self.where("<", x, _SMALLEST, 0.0, value)


@instruction(V, V)
def exponential(w: Writer, x: Any) -> Any:
    """Return exp(x)."""
    return _Formula(w).exponential(x)


@instruction(V, V)
def logarithm(w: Writer, x: Any) -> Any:
    """Return log(x) for finite numbers from 1.2e-38 on, or NaN for NaN.

    x = 2**n * m with m from sqrt(1/2) to sqrt(2), so log(x) = n log(2) + log(m).
    """
    f, b = _Formula(w), w.builder
    bits = f.bits(x)
    n = b.sub(b.lshr(bits, f.ints(23)), f.ints(126))
    m = f.number(b.or_(b.and_(bits, f.ints(0x007FFFFF)), f.ints(0x3F000000)))  # from 1/2 to 1
    small = b.fcmp_ordered("<", m, f.vector(_ROOT_HALF))
    n = b.sitofp(b.select(small, b.sub(n, f.ints(1)), n), VECTOR)
    m = f.subtract(b.select(small, f.add(m, m), m), 1.0)
    square = f.multiply(m, m)
    y = f.multiply(f.multiply(m, square), f.polynomial(m, _LOG))
    y = f.add(y, f.multiply(n, _LN2[1]))
    y = f.subtract(y, f.multiply(square, 0.5))
    value = f.add(f.add(m, y), f.multiply(n, _LN2[0]))
    return b.select(b.fcmp_ordered("ord", x, x), value, x)


@instruction(V, V)
def tangent(w: Writer, x: Any) -> Any:
    """Return tanh(x): a polynomial below 0.625, and 1 - 2 / (exp(2|x|) + 1) with the sign of x above."""
    f, b = _Formula(w), w.builder
    sign = b.and_(f.bits(x), f.ints(-(1 << 31)))
    size = f.number(b.and_(f.bits(x), f.ints(0x7FFFFFFF)))
    square = f.multiply(x, x)
    near = f.add(f.multiply(f.multiply(f.polynomial(square, _TANH), square), x), x)
    far = f.subtract(1.0, b.fdiv(f.vector(2.0), f.add(f.exponential(f.add(size, size)), 1.0)))
    return f.number(b.or_(f.bits(f.where("<", size, 0.625, near, far)), sign))  # also that of a zero
