"""Intervals as bars on an axis that fits the seeds: of two seeds the interval may be a hundred times as wide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes

from ..studies.statistics.stats import Interval
from .style import Series

CLIPPED = "An arrow marks an interval that goes on beyond the axis. "
_REACH = 2.0  # ranges of the seeds, to each side of them: what goes further is cut off
_MARGIN = 0.05  # of the axis, so that no mark is cut in half

Limits = tuple[float, float]


def limits(values: Sequence[float], intervals: Iterable[Interval], scale: float, unit: str) -> Limits:
    """Return from where to where the bars are drawn: all the seeds, and of the intervals what is near and possible.

    Accuracies are 0 to 100 %, whatever an interval says; but a fraction may be more than one, if a value is.
    """
    low, high = min(values), max(values)
    reach = _REACH * (high - low) or math.inf
    least, most = (min(0.0, low), max(scale, high)) if unit == "fraction" else (-math.inf, math.inf)
    ends = [(scale * one.low, scale * one.high) for one in intervals if math.isfinite(one.high)]
    near = max(low - reach, least), min(high + reach, most)
    lowest, highest = min([low, *(end for end, _ in ends)]), max([high, *(end for _, end in ends)])
    return max(near[0], lowest), min(near[1], highest)


def clipped(intervals: Iterable[Interval], within: Limits, scale: float) -> bool:
    """Return whether one of the intervals goes on beyond what is drawn."""
    return any(
        math.isfinite(one.high) and (scale * one.low < within[0] or scale * one.high > within[1]) for one in intervals
    )


def bar(
    axes: Axes, place: float, interval: Interval, within: Limits, scale: float, series: Series, *, upright: bool = False
) -> None:
    """Draw mean and interval at a place of the other axis; an end that is cut off is an arrow."""
    mean, low, high = (scale * value for value in (interval.mean, interval.low, interval.high))
    if not math.isfinite(high):  # equal values: there is no interval
        low = high = mean
    ends = max(low, within[0]), min(high, within[1])
    error = [[max(0.0, mean - ends[0])], [max(0.0, ends[1] - mean)]]
    x, y = (place, mean) if upright else (mean, place)
    errors = {"yerr": error} if upright else {"xerr": error}
    axes.errorbar(x, y, **errors, color=series.colour, marker=series.marker, capsize=4)  # type: ignore[arg-type]
    for cut, end, arrow in ((low < ends[0], ends[0], "v<"), (high > ends[1], ends[1], "^>")):
        if cut:
            at = (place, end) if upright else (end, place)
            axes.plot(*at, linestyle="none", color=series.colour, marker=arrow[0 if upright else 1])


def spread(within: Limits) -> Limits:
    """Return the axis for these limits: with a margin, and never of width zero."""
    margin = _MARGIN * (within[1] - within[0]) or 0.5
    return within[0] - margin, within[1] + margin
