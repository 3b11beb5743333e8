"""How a number is written: accuracies in per cent, differences in points, intervals in brackets, with n."""

from __future__ import annotations

import math

from ..studies.stats import Interval
from ..studies.verdict import Region

NONE = "–"
MINUS = "−"  # the sign, as wide as a plus; a hyphen would be read as a dash


def percent(fraction: float) -> str:
    """Return an accuracy: ``98.76 %``."""
    return f"{100 * fraction:.2f} %"


def points(difference: float) -> str:
    """Return a difference of accuracies: ``+1.23 points``."""
    return f"{_signed(difference)} points"


def is_difference(interval: Interval) -> bool:
    """Return whether the interval is of differences, paired by seed."""
    return interval.method.startswith("paired")


def brackets(interval: Interval, *, signed: bool) -> str:
    """Return the bounds in hundredths: ``[98.60, 98.92]``; empty where there is no interval (one seed)."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    low, high = (_signed(b) if signed else f"{100 * b:.2f}" for b in (interval.low, interval.high))
    return f"[{low}, {high}]"


def measured(interval: Interval | None, *, signed: bool | None = None) -> str:
    """Return mean and interval: ``98.76 % [98.60, 98.92]``, ``+1.23 points [+1.10, +1.36]``.

    Parameters
    ----------
    interval
        Of accuracies or of differences of them, as fractions; None where nothing was measured.
    signed
        Whether it is of differences; where None, paired ones are.
    """
    if interval is None:
        return NONE
    difference = is_difference(interval) if signed is None else signed
    mean = points(interval.mean) if difference else percent(interval.mean)
    return f"{mean} {brackets(interval, signed=difference)}".strip()


def parts(interval: Interval) -> tuple[str, str]:
    """Return mean and bounds apart, for where a line may break between them."""
    signed = is_difference(interval)
    mean = points(interval.mean) if signed else percent(interval.mean)
    return mean, brackets(interval, signed=signed)


def seeds(n: int) -> str:
    """Return a number of seeds: ``1 seed``, ``3 seeds``."""
    return f"{n} seed{'' if n == 1 else 's'}"


def region(wanted: Region, *, signed: bool) -> str:
    """Return a claimed region in the same unit: ``> +0.50 points``, ``96.00 to 98.00 %``."""
    low, high = (_signed(b) if signed else f"{100 * b:.2f}" for b in (wanted.low, wanted.high))
    unit = "points" if signed else "%"
    if math.isinf(wanted.high):
        return f"{'≥' if wanted.closed else '>'} {low} {unit}"
    if math.isinf(wanted.low):
        return f"{'≤' if wanted.closed else '<'} {high} {unit}"
    return f"{low} to {high} {unit}"


def p_value(p: float | None) -> str:
    """Return a p-value with two significant digits; very small ones as a bound."""
    if p is None:
        return NONE
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.2g}" if p < 0.995 else "1"


def duration(seconds: float) -> str:
    """Return a time: ``8.1 s``, ``4 min 5 s``, ``2 h 3 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def _signed(fraction: float) -> str:
    if math.isinf(fraction):
        return "+∞" if fraction > 0 else f"{MINUS}∞"
    text = f"{100 * fraction:+.2f}"
    return text.replace("-", MINUS) if float(text) else "0.00"
