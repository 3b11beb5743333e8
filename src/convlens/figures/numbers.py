"""Format intervals and claimed regions: accuracies in per cent, differences in points, bounds in brackets."""

from __future__ import annotations

import math

from ..studies.metric import Metric
from ..studies.stats import Interval
from ..studies.verdict import Region
from ..wording import NONE, hundredths, percent, points

FRACTIONS = ("fraction", "difference of fractions")
_MEANS = {"count": (",.0f", 1.0), "FLOP": (",.2f", 1e-6), "s": (",.1f", 1.0), "images/s": (",.0f", 1.0)}
"""Format and scale, by unit, of metrics shown by their mean only; FLOPs are shown in millions."""


def is_difference(interval: Interval) -> bool:
    """Return whether the interval is of differences, paired by seed."""
    return interval.method.startswith("paired")


def brackets(interval: Interval, *, signed: bool) -> str:
    """Return the bounds in hundredths: ``[98.60, 98.92]``; empty if there is no interval (one seed)."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    low, high = (hundredths(b) if signed else f"{100 * b:.2f}" for b in (interval.low, interval.high))
    return f"[{low}, {high}]"


def measured(interval: Interval | None, *, signed: bool | None = None) -> str:
    """Return mean and interval: ``98.76 % [98.60, 98.92]``, ``+1.23 points [+1.10, +1.36]``.

    Parameters
    ----------
    interval
        Of accuracies or of their differences, as fractions; None if nothing was measured.
    signed
        Whether it is of differences; by default whether it is paired.
    """
    if interval is None:
        return NONE
    difference = is_difference(interval) if signed is None else signed
    mean = points(interval.mean) if difference else percent(interval.mean)
    return f"{mean} {brackets(interval, signed=difference)}".strip()


def in_unit(interval: Interval | None, metric: Metric) -> str:
    """Return the mean in the metric's unit, with its interval for fractions and unknown units.

    Counts and FLOPs vary too little over seeds, and times too much with the machine, for an interval to be useful.
    """
    if interval is None:
        return NONE
    if metric.unit in FRACTIONS:
        return measured(interval, signed=metric.unit != "fraction")
    if metric.unit in _MEANS:
        form, scale = _MEANS[metric.unit]
        return format(interval.mean * scale, form)
    bounds = f" [{interval.low:.4g}, {interval.high:.4g}]" if interval.n > 1 else ""
    return f"{interval.mean:.4g}{bounds}"


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
