"""How numbers are written for people: shares in per cent, differences in points, times with their units."""

from __future__ import annotations

import math
from collections.abc import Sequence

NONE = "–"
MINUS = "−"  # the sign, as wide as a plus; a hyphen would be read as a dash
FRACTIONS = ("fraction", "difference of fractions")
"""Units of values that are shown in hundredths: accuracies in per cent, differences of them in points."""
BARE = ("index",)
"""Units that are not written: of a number from 0 to 1 that has no other name."""


def percent(share: float, digits: int = 2) -> str:
    """Return a share in per cent, with two decimals by default.

    >>> percent(0.98765), percent(0.98765, digits=0)
    ('98.77 %', '99 %')
    """
    return f"{number(100 * share, f'.{digits}f')} %"


def number(value: float, form: str = ".4g") -> str:
    """Return a number in a format, with our minus and our infinity; one that rounds to zero has no sign.

    >>> number(-2.5), number(206922), number(-0.001, "+.2f")
    ('−2.5', '206,922', '0.00')
    """
    if math.isinf(value):
        return f"{MINUS}∞" if value < 0 else "+∞" if form.startswith("+") else "∞"
    if form.endswith("g") and abs(value) >= 1000:
        form = form[: form.index(".")] + ",.0f"
    text = format(value, form)
    if not float(text.replace(",", "")):
        return text.lstrip("+-")
    return text.replace("-", MINUS)


def bare(value: float, unit: str = "", *, signed: bool = False, digits: int | None = None) -> str:
    """Return a value as a study writes it in its metric's unit, without the unit.

    Without `digits`, fractions have two decimals, and other values four significant digits.

    >>> bare(0.9876, "fraction"), bare(-0.0076, "fraction", signed=True), bare(-2.5, "s")
    ('98.76', '−0.76', '−2.5')
    >>> bare(0.9876, "fraction", digits=1), bare(1234.5, "s", digits=2)
    ('98.8', '1,234.50')
    """
    if unit in FRACTIONS:
        sign = "+" if signed or unit != "fraction" else ""
        return number(100 * value, f"{sign}.{2 if digits is None else digits}f")
    sign = "+" if signed else ""
    return number(value, f"{sign}.4g" if digits is None else f"{sign},.{digits}f")


def bound(value: float, unit: str = "", *, signed: bool = False) -> str:
    """Return the bound of a claim as `bare` does, with as many decimals as it takes to tell it from zero.

    >>> bound(0.002, "fraction"), bound(1e-5, "fraction"), bound(0.0, "fraction")
    ('0.20', '0.001', '0.00')
    """
    hundredth = 100 * abs(value) if unit in FRACTIONS and math.isfinite(value) else 0.0
    digits = math.ceil(-math.log10(hundredth) - 1e-9) if 0 < hundredth < 0.005 else None
    return bare(value, unit, signed=signed, digits=digits)


def named(unit: str, *, signed: bool = False) -> str:
    """Return what stands behind such a value, with a space before it: `` %``, `` points``, `` s``."""
    if unit in FRACTIONS:
        return " points" if signed or unit != "fraction" else " %"
    return f" {unit}" if unit and unit not in BARE else ""


def quantity(value: float, unit: str = "", *, signed: bool = False, digits: int | None = None) -> str:
    """Return a value with its unit; `signed` for a difference, `digits` as for `bare`.

    >>> quantity(0.9876, "fraction"), quantity(-0.0076, "fraction", signed=True), quantity(12, "s")
    ('98.76 %', '−0.76 points', '12 s')
    """
    return bare(value, unit, signed=signed, digits=digits) + named(unit, signed=signed)


def hundredths(fraction: float, digits: int = 2) -> str:
    """Return a fraction in hundredths with its sign, without a unit; zero has no sign.

    >>> hundredths(0.0123), hundredths(0.0)
    ('+1.23', '0.00')
    """
    return number(100 * fraction, f"+.{digits}f")


def points(difference: float, digits: int = 2) -> str:
    """Return a difference of shares in percentage points.

    >>> points(0.0123)
    '+1.23 points'
    """
    return f"{hundredths(difference, digits)} points"


def fitting(forms: Sequence[str], width: int | None) -> str:
    """Return the first of several forms of a line that has room in a width; the last, the shortest, if none has.

    >>> fitting(["accuracy 98.77 %, loss 0.04", "accuracy 98.77 %", "98.77 %"], 20)
    'accuracy 98.77 %'
    """
    return next((form for form in forms if width is None or len(form) <= width), forms[-1])


def count(n: int, what: str) -> str:
    """Return a number of things.

    >>> count(1, "epoch"), count(3, "epoch")
    ('1 epoch', '3 epochs')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def seeds(n: int) -> str:
    """Return a number of seeds.

    >>> seeds(1), seeds(3)
    ('1 seed', '3 seeds')
    """
    return count(n, "seed")


def p_value(p: float | None) -> str:
    """Return a p-value with two significant digits; very small ones as a bound.

    >>> p_value(0.0123), p_value(1e-7), p_value(None)
    ('0.012', '< 0.0001', '–')
    """
    if p is None:
        return NONE
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.2g}" if p < 0.995 else "1"


def duration(seconds: float) -> str:
    """Return a time with its units: one decimal below ten seconds, two units from a minute on.

    >>> duration(8.13), duration(42.4), duration(200), duration(3900)
    ('8.1 s', '42 s', '3 min 20 s', '1 h 5 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
