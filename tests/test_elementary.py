"""Elementary functions from additions and multiplications, against NumPy's long double."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convlens import elementary

LONG = np.longdouble
precise = pytest.mark.skipif(np.finfo(LONG).nmant < 63, reason="this system's long double is no longer than a double")


def draws(low: float, high: float) -> Any:
    inside = np.random.default_rng(0).uniform(low, high, 20_000)
    return np.concatenate([inside, [low, high, (low + high) / 2], np.linspace(-4, 4, 33).clip(low, high)])


@precise
@pytest.mark.parametrize(
    ("mine", "theirs", "x"),
    [
        (elementary.exp, np.exp, draws(-700, 700)),
        (elementary.exp, np.exp, draws(-1, 1)),
        (elementary.log, np.log, np.exp(draws(-300, 300))),
        (elementary.log, np.log, draws(0.5, 2)),
    ],
    ids=["exp", "exp near 0", "log", "log near 1"],
)
def test_relative_error(mine: Callable[[Any], Any], theirs: Callable[[Any], Any], x: Any) -> None:
    exact = theirs(x.astype(LONG))
    error = np.abs(mine(x) - exact)
    assert (error <= 4e-16 * np.abs(exact)).all(), float((error / np.abs(exact)).max())


@precise
@pytest.mark.parametrize(("mine", "theirs"), [(elementary.sin, np.sin), (elementary.cos, np.cos)])
@pytest.mark.parametrize("reach", [3.2, 1000.0])
def test_waves(mine: Callable[[Any], Any], theirs: Callable[[Any], Any], reach: float) -> None:
    x = draws(-reach, reach)
    assert float(np.abs(mine(x) - theirs(x.astype(LONG))).max()) <= 4e-16


@pytest.mark.parametrize("function", [elementary.exp, elementary.log, elementary.sin, elementary.cos])
def test_a_number_gives_the_bits_of_an_array(function: Callable[[Any], Any]) -> None:
    x = draws(0.1, 9)[:200]
    assert [function(float(value)) for value in x] == function(x).tolist()
    assert type(function(0.5)) is float


def test_values_that_are_exact() -> None:
    assert elementary.exp(0.0) == elementary.cos(0.0) == 1
    assert elementary.log(1.0) == elementary.sin(0.0) == 0
    assert elementary.cos(np.pi) == -1


@pytest.mark.parametrize("base", [0.9, 0.999, 2.0, 0.0])
def test_whole_powers(base: float) -> None:
    for exponent in (0, 1, 2, 7, 64, 1000):
        assert elementary.power(base, exponent) == pytest.approx(base**exponent, rel=1e-12)
