"""The matrices of minimal filtering, with exact fractions: they give the results of a convolution."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens.fast.toom import TWO, Form, Matrix

whole = st.integers(-9, 9).map(Fraction)
POINTS = tuple(Fraction(point) for point in (0, 1, -1, 2, Fraction(-1, 2), 3))


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Draw any form of at most seven positions."""
    results, taps = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)).filter(lambda pair: sum(pair) > 3))
    return Form(results, taps, POINTS[: results + taps - 2])


def times(matrix: Matrix, values: list[Fraction]) -> list[Fraction]:
    return [sum((a * b for a, b in zip(row, values, strict=True)), Fraction(0)) for row in matrix]


@given(forms() | st.just(TWO), st.data())
def test_products_of_sums_give_the_results(form: Form, data: st.DataObject) -> None:
    d = data.draw(st.lists(whole, min_size=form.size, max_size=form.size))
    g = data.draw(st.lists(whole, min_size=form.taps, max_size=form.taps))
    products = [one * other for one, other in zip(times(form.g, g), times(form.b, d), strict=True)]
    wanted = [sum(d[i + k] * g[k] for k in range(form.taps)) for i in range(form.results)]
    assert times(form.a, products) == wanted


@given(st.data(), st.integers(3, 9))
def test_sections_share_the_image(data: st.DataObject, taps: int) -> None:
    """A section's values are those of a later square of results."""
    sections, size = TWO.sections(taps), TWO.results * (TWO.sections(taps) - 1) + TWO.size
    d = data.draw(st.lists(whole, min_size=size, max_size=size))
    g = data.draw(st.lists(whole, min_size=taps, max_size=taps))
    lifted = [times(TWO.b, d[TWO.results * s :][: TWO.size]) for s in range(sections)]
    sums = [Fraction(0)] * TWO.size
    for row in TWO.kernel_rows(taps):
        sums[row.position] += times([row.coefficients], g)[0] * lifted[row.section][row.position]
    assert times(TWO.a, sums) == [sum(d[i + k] * g[k] for k in range(taps)) for i in range(TWO.results)]


@pytest.mark.parametrize(("taps", "products"), [(3, 4), (5, 7), (7, 10)])
def test_products_with_zeros_are_left_out(taps: int, products: int) -> None:
    assert len(TWO.kernel_rows(taps)) == products
