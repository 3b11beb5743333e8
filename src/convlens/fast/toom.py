"""Minimal filtering: the matrices of convolutions that need fewer multiplications, from exact fractions.

A kernel g of r values gives m results from n = m + r - 1 values d of a row. Winograd's minimal filtering, written
F(m, r), needs n multiplications instead of m r::

    y = A [(G g) * (B d)]          A: (m, n)    G: (n, r)    B: (n, n)

Why: d is the vector that a product of two polynomials would read transposed. G and A evaluate polynomials of r and m
coefficients at n - 1 points and at infinity, where a product of values is the value of the product; B is the transpose
of the interpolation that finds the coefficients again (Toom and Cook's multiplication of numbers). In two dimensions
each matrix is applied to rows and then to columns: (m x m) results need n n multiplications.

A kernel of more than r values is cut into *sections* of at most r, which begin m values apart. They share B d, since a
section's d is that of a later square of results.

Sources: Winograd, "Arithmetic complexity of computations", 1980; Lavin & Gray, "Fast algorithms for convolutional
neural networks", 2016.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, TypeAlias

Matrix: TypeAlias = list[list[Fraction]]


class Row(NamedTuple):
    """One of the sums of a kernel's values that are multiplied: for a position, of a section; its coefficients."""

    position: int
    section: int
    coefficients: list[Fraction]


class Form(NamedTuple):
    """Minimal filtering F(m, r), from n - 1 points.

    Attributes
    ----------
    results, taps
        m and r.
    points
        n - 1 different numbers.
    """

    results: int
    taps: int
    points: tuple[Fraction, ...]

    @property
    def size(self) -> int:
        """The number of positions, n."""
        return self.results + self.taps - 1

    @property
    def a(self) -> Matrix:
        """The matrix that makes results of products, (m, n)."""
        last = self.results - 1
        return [[*(p**i for p in self.points), Fraction(i == last)] for i in range(self.results)]

    @property
    def b(self) -> Matrix:
        """The matrix for the image, (n, n): coefficients of the polynomials that are zero at all other points."""
        rows = []
        for p in self.points:
            sign = 1 if _value(_others(self.points, p), p) > 0 else -1  # so that G begins with positive numbers
            rows.append([*(sign * value for value in _with_zeros_at(_others(self.points, p))), Fraction(0)])
        return [*rows, _with_zeros_at(self.points)]

    @property
    def g(self) -> Matrix:
        """The matrix for kernels, (n, r)."""
        rows = [[p**k / abs(_value(_others(self.points, p), p)) for k in range(self.taps)] for p in self.points]
        return [*rows, [Fraction(k == self.taps - 1) for k in range(self.taps)]]

    def sections(self, taps: int) -> int:
        """Return into how many sections a kernel of this many values is cut."""
        return 1 + -(-(taps - self.taps) // self.results)

    def kernel_rows(self, taps: int) -> list[Row]:
        """Return G for a kernel of `taps` values, without rows of zeros; ordered by position, then by section.

        A value belongs to the first section that reaches it.
        """
        rows = []
        for position, coefficients in enumerate(self.g):
            for section in range(self.sections(taps)):
                own = [Fraction(0)] * taps
                for k, value in enumerate(coefficients):
                    tap = section * self.results + k
                    if tap < taps and (section == 0 or k >= self.taps - self.results):
                        own[tap] = value
                if any(own):
                    rows.append(Row(position, section, own))
        return rows


def _others(points: tuple[Fraction, ...], point: Fraction) -> tuple[Fraction, ...]:
    return tuple(other for other in points if other != point)


def _value(zeros: tuple[Fraction, ...], at: Fraction) -> Fraction:
    """Return the value of the polynomial with these zeros."""
    value = Fraction(1)
    for zero in zeros:
        value *= at - zero
    return value


def _with_zeros_at(zeros: tuple[Fraction, ...]) -> list[Fraction]:
    """Return the coefficients of the polynomial with these zeros, the constant first."""
    coefficients = [Fraction(1)]
    for zero in zeros:
        shifted = [Fraction(0), *coefficients]
        coefficients = [one - zero * other for one, other in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    return coefficients


def transpose(matrix: Matrix) -> Matrix:
    """Return the transpose."""
    return [list(column) for column in zip(*matrix, strict=True)]


def _form(results: int, taps: int, *points: str) -> Form:
    return Form(results, taps, tuple(Fraction(point) for point in points))


# of all points, these lose the fewest digits; a pair like 2 and -1/2 loses fewer than 2 and -2
TWO, FOUR = _form(2, 3, "0", "1", "-1"), _form(4, 3, "0", "1", "-1", "2", "-1/2")
