"""How numbers are written for people: shares in per cent, differences in points, times with their units."""

from __future__ import annotations

import math

NONE = "–"
MINUS = "−"  # the sign, as wide as a plus; a hyphen would be read as a dash


def percent(share: float, digits: int = 2) -> str:
    """Return a share in per cent, with two decimals by default.

    >>> percent(0.98765), percent(0.98765, digits=0)
    ('98.77 %', '99 %')
    """
    return f"{100 * share:.{digits}f} %"


def hundredths(fraction: float, digits: int = 2) -> str:
    """Return a fraction in hundredths with its sign, without a unit; zero has no sign.

    >>> hundredths(0.0123), hundredths(0.0)
    ('+1.23', '0.00')
    """
    if math.isinf(fraction):
        return "+∞" if fraction > 0 else f"{MINUS}∞"
    text = f"{100 * fraction:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else f"{0:.{digits}f}"


def points(difference: float, digits: int = 2) -> str:
    """Return a difference of shares in percentage points.

    >>> points(0.0123)
    '+1.23 points'
    """
    return f"{hundredths(difference, digits)} points"


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
