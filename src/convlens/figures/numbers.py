"""How an interval and a claimed region are written: accuracies in per cent, differences in points, bounds bracketed."""

from __future__ import annotations

import math

from ..studies.metric import Metric
from ..studies.stats import Interval
from ..studies.verdict import Region
from ..wording import FRACTIONS as FRACTIONS
from ..wording import NONE, bare, named, number, percent, points, quantity

_MEANS = {"count": (",.0f", 1.0), "FLOP": (",.2f", 1e-6), "s": (",.1f", 1.0), "images/s": (",.0f", 1.0)}
"""Unit to format and scale of those whose mean alone is shown; FLOPs are shown in millions."""


def is_difference(interval: Interval) -> bool:
    """Return whether the interval is of differences, paired by seed."""
    return interval.method.startswith("paired")


def brackets(interval: Interval, *, signed: bool) -> str:
    """Return the bounds in hundredths: ``[98.60, 98.92]``; empty where there is no interval (one seed)."""
    return bounds(interval, "fraction", signed=signed)


def bounds(interval: Interval, unit: str, *, signed: bool = False) -> str:
    """Return the bounds in a unit, without it; empty where there is no interval (one seed)."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    return f"[{', '.join(bare(bound, unit, signed=signed) for bound in (interval.low, interval.high))}]"


def with_unit(interval: Interval, unit: str, *, signed: bool = False) -> str:
    """Return mean, unit and bounds: ``+1.23 points [+1.10, +1.36]``, ``12 s [11, 13]``."""
    return f"{quantity(interval.mean, unit, signed=signed)} {bounds(interval, unit, signed=signed)}".strip()


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


def in_unit(interval: Interval | None, metric: Metric) -> str:
    """Return what was measured in the metric's unit: with its interval for fractions and unknown units, else the mean.

    Counts, FLOPs and times vary too little over seeds, or too much with the machine, for an interval to say much.
    """
    if interval is None:
        return NONE
    if metric.unit in FRACTIONS:
        return measured(interval, signed=metric.unit != "fraction")
    if metric.unit in _MEANS:
        form, scale = _MEANS[metric.unit]
        return number(interval.mean * scale, form)
    return f"{number(interval.mean)} {bounds(interval, metric.unit)}".strip()


def parts(interval: Interval) -> tuple[str, str]:
    """Return mean and bounds apart, for where a line may break between them."""
    signed = is_difference(interval)
    mean = points(interval.mean) if signed else percent(interval.mean)
    return mean, brackets(interval, signed=signed)


def region(wanted: Region, unit: str, *, signed: bool = False) -> str:
    """Return a claimed region in a unit: ``> +0.50 points``, ``96.00 to 98.00 %``."""
    low, high = (bare(bound, unit, signed=signed) for bound in (wanted.low, wanted.high))
    behind = named(unit, signed=signed)
    if math.isinf(wanted.high):
        return f"{'≥' if wanted.closed else '>'} {low}{behind}"
    if math.isinf(wanted.low):
        return f"{'≤' if wanted.closed else '<'} {high}{behind}"
    return f"{low} to {high}{behind}"
