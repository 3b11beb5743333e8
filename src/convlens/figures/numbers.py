"""Format intervals and claimed regions: accuracies in per cent, differences in points, bounds in brackets."""

from __future__ import annotations

import math

from ..studies.metric import Metric
from ..studies.statistics.stats import Interval
from ..studies.statistics.verdict import Region
from ..wording import FRACTIONS as FRACTIONS
from ..wording import NONE, bare, bound, named, number, quantity

_MEANS = {"count": (0, 1.0, ""), "FLOP": (2, 1e-6, " MFLOP"), "s": (1, 1.0, " s"), "images/s": (0, 1.0, " images/s")}
"""Unit to decimals, scale and unit as shown, of those whose mean alone is shown; FLOPs are shown in millions."""
_MOST_DIGITS, _USUAL_DIGITS = 3, 2


def shown_scale(unit: str) -> float:
    """Return the factor from a metric's values to what figures show: 100 for fractions."""
    return 100.0 if unit in FRACTIONS else 1.0


def unit_of(unit: str, *, signed: bool = False) -> str:
    """Return the unit as figures name it: ``%``, ``points``, ``pixels``."""
    return named(unit, signed=signed).strip()


def is_difference(interval: Interval) -> bool:
    """Return whether the interval is of differences, paired by seed."""
    return interval.method.startswith("paired")


def digits(metric: Metric, interval: Interval | None) -> int | None:
    """Return how many decimals a mean and its bounds are shown with: two significant digits of the half-width.

    No more than the metric's resolution has (2 for an image of 10,000, in per cent), or than fractions without one
    usually have. So many where there is no spread, or none is known. None if the metric is neither: then
    `convlens.wording.bare` has its usual digits.
    """
    scale = shown_scale(metric.unit)
    if metric.resolution is not None:
        most = min(max(0, math.ceil(-math.log10(metric.resolution * scale) - 1e-9)), _MOST_DIGITS)
    elif metric.unit in FRACTIONS:
        most = _USUAL_DIGITS
    else:
        return None
    half = 0.0 if interval is None else interval.half_width * scale
    return max(0, min(most, 1 - math.floor(math.log10(half)))) if 0 < half < math.inf else most


def brackets(interval: Interval, *, signed: bool, digits: int | None = None) -> str:
    """Return the bounds in hundredths: ``[98.60, 98.92]``; empty where there is no interval (one seed)."""
    return bounds(interval, "fraction", signed=signed, digits=digits)


def bounds(interval: Interval, unit: str, *, signed: bool = False, digits: int | None = None) -> str:
    """Return the bounds in a unit, without it; empty where there is no interval (one seed)."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    shown = (bare(bound, unit, signed=signed, digits=digits) for bound in (interval.low, interval.high))
    return f"[{', '.join(shown)}]"


def with_unit(interval: Interval, unit: str, *, signed: bool = False, digits: int | None = None) -> str:
    """Return mean, unit and bounds: ``+1.23 points [+1.10, +1.36]``, ``12 s [11, 13]``."""
    mean = quantity(interval.mean, unit, signed=signed, digits=digits)
    return f"{mean} {bounds(interval, unit, signed=signed, digits=digits)}".strip()


def measured(interval: Interval | None, *, signed: bool | None = None, digits: int | None = None) -> str:
    """Return mean and interval: ``98.76 % [98.60, 98.92]``, ``+1.23 points [+1.10, +1.36]``.

    Parameters
    ----------
    interval
        Of accuracies or of their differences, as fractions; None if nothing was measured.
    signed
        Whether it is of differences; where None, paired ones are.
    digits
        Decimals, of per cent or points; two where None.
    """
    if interval is None:
        return NONE
    difference = is_difference(interval) if signed is None else signed
    return with_unit(interval, "fraction", signed=difference, digits=digits)


def in_unit(interval: Interval | None, metric: Metric) -> str:
    """Return what was measured in the metric's unit, with its interval for fractions and unknown units, else the mean.

    Counts, FLOPs and times vary too little over seeds, or too much
    with the machine, for an interval to say much.
    """
    if interval is None:
        return NONE
    if metric.unit in _MEANS:
        usual, scale, unit = _MEANS[metric.unit]
        declared = digits(metric, None)
        decimals = usual if scale != 1 or declared is None else declared
        return f"{number(interval.mean * scale, f',.{decimals}f')}{unit}"
    return with_unit(interval, metric.unit, digits=digits(metric, interval))


def difference_in_unit(interval: Interval | None, metric: Metric) -> tuple[str, str]:
    """Return mean and bounds of a difference of two arms: in points for fractions, otherwise in the metric's unit."""
    if interval is None:
        return NONE, NONE
    shown = digits(metric, interval)
    mean = quantity(interval.mean, metric.unit, signed=True, digits=shown)
    return mean, bounds(interval, metric.unit, signed=True, digits=shown) or NONE


def parts(
    interval: Interval, unit: str = "fraction", *, signed: bool | None = None, digits: int | None = None
) -> tuple[str, str]:
    """Return mean and bounds separately, so that a line may break between them; `signed` as for `measured`."""
    difference = is_difference(interval) if signed is None else signed
    mean = quantity(interval.mean, unit, signed=difference, digits=digits)
    return mean, bounds(interval, unit, signed=difference, digits=digits)


def region(wanted: Region, unit: str, *, signed: bool = False) -> str:
    """Return a claimed region in a unit: ``> +0.50 points``, ``96.00 to 98.00 %``."""
    low, high = (bound(end, unit, signed=signed) for end in (wanted.low, wanted.high))
    behind = named(unit, signed=signed)
    if math.isinf(wanted.high):
        return f"{'≥' if wanted.closed else '>'} {low}{behind}"
    if math.isinf(wanted.low):
        return f"{'≤' if wanted.closed else '<'} {high}{behind}"
    return f"{low} to {high}{behind}"
