"""Format intervals and claimed regions: accuracies in per cent, differences in points, bounds in brackets."""

from __future__ import annotations

import math

from ..studies.metric import Metric
from ..studies.stats import Interval
from ..studies.verdict import Region
from ..wording import NONE, hundredths, percent, points

FRACTIONS = ("fraction", "difference of fractions")
_MEANS = {"count": (0, 1.0, ""), "FLOP": (2, 1e-6, " MFLOP"), "s": (1, 1.0, " s"), "images/s": (0, 1.0, " images/s")}
"""Unit to decimals, scale and unit as shown, of those whose mean alone is shown; FLOPs are shown in millions."""
_MOST_DIGITS = 6


def is_difference(interval: Interval) -> bool:
    """Return whether the interval is of differences, paired by seed."""
    return interval.method.startswith("paired")


def digits(metric: Metric, default: int = 2) -> int:
    """Return how many decimals the metric's resolution has, as it is shown: 2 for an image of 10,000, in per cent."""
    if metric.resolution is None:
        return default
    shown = metric.resolution * (100 if metric.unit in FRACTIONS else 1)
    return min(max(0, math.ceil(-math.log10(shown) - 1e-9)), _MOST_DIGITS)


def brackets(interval: Interval, *, signed: bool, digits: int = 2) -> str:
    """Return the bounds in hundredths: ``[98.60, 98.92]``; empty where there is no interval (one seed)."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    low, high = (hundredths(b, digits) if signed else f"{100 * b:.{digits}f}" for b in (interval.low, interval.high))
    return f"[{low}, {high}]"


def measured(interval: Interval | None, *, signed: bool | None = None, digits: int = 2) -> str:
    """Return mean and interval: ``98.76 % [98.60, 98.92]``, ``+1.23 points [+1.10, +1.36]``.

    Parameters
    ----------
    interval
        Of accuracies or of their differences, as fractions; None if nothing was measured.
    signed
        Whether it is of differences; where None, paired ones are.
    digits
        Decimals, of per cent or points.
    """
    if interval is None:
        return NONE
    difference = is_difference(interval) if signed is None else signed
    mean = points(interval.mean, digits) if difference else percent(interval.mean, digits)
    return f"{mean} {brackets(interval, signed=difference, digits=digits)}".strip()


def in_unit(interval: Interval | None, metric: Metric) -> str:
    """Return what was measured in the metric's unit, with its interval for fractions and unknown units, else the mean.

    It has as many decimals as the metric's resolution. Counts, FLOPs and times vary too little over seeds, or too much
    with the machine, for an interval to say much.
    """
    if interval is None:
        return NONE
    if metric.unit in FRACTIONS:
        return measured(interval, signed=metric.unit != "fraction", digits=digits(metric))
    if metric.unit in _MEANS:
        usual, scale, unit = _MEANS[metric.unit]
        decimals = digits(metric, usual) if scale == 1 else usual
        return f"{interval.mean * scale:,.{decimals}f}{unit}"
    low, mean, high = (number(value, metric) for value in (interval.low, interval.mean, interval.high))
    return f"{mean} {metric.unit}" + (f" [{low}, {high}]" if interval.n > 1 else "")


def difference_in_unit(interval: Interval | None, metric: Metric) -> tuple[str, str]:
    """Return mean and bounds of a difference of two arms: in points for fractions, otherwise in the metric's unit."""
    if interval is None:
        return NONE, NONE
    if metric.unit in FRACTIONS:
        shown = digits(metric)
        return points(interval.mean, shown), brackets(interval, signed=True, digits=shown) or NONE
    low, high = number(interval.low, metric), number(interval.high, metric)
    return f"{number(interval.mean, metric, '+')} {metric.unit}", f"[{low}, {high}]" if interval.n > 1 else NONE


def number(value: float, metric: Metric, sign: str = "") -> str:
    """Return a number with the decimals of the metric's resolution; with four significant digits where it has none."""
    return format(value, f"{sign}.4g" if metric.resolution is None else f"{sign}.{digits(metric)}f")


def parts(interval: Interval) -> tuple[str, str]:
    """Return mean and bounds separately, so that a line may break between them."""
    signed = is_difference(interval)
    mean = points(interval.mean) if signed else percent(interval.mean)
    return mean, brackets(interval, signed=signed)


def region(wanted: Region, *, signed: bool) -> str:
    """Return a claimed region in the same unit: ``> +0.50 points``, ``96.00 to 98.00 %``."""
    low, high = (hundredths(b) if signed else f"{100 * b:.2f}" for b in (wanted.low, wanted.high))
    unit = "points" if signed else "%"
    if math.isinf(wanted.high):
        return f"{'≥' if wanted.closed else '>'} {low} {unit}"
    if math.isinf(wanted.low):
        return f"{'≤' if wanted.closed else '<'} {high} {unit}"
    return f"{low} to {high} {unit}"
