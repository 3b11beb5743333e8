"""Lines over an axis: the mean of the seeds, a band for its interval, and every seed's dot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from ..studies.statistics.stats import Interval, mean_interval
from .style import GLYPH, Look, Series, shortened

MOST = 6
"""Lines in a panel: as many as there are series that can be told apart."""

TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 80)  # errors in per cent
LEAST = 0.02  # per cent: an error of 0 cannot be on a logarithmic axis, and is drawn here
_WIDE_RANGE = 8.0  # of the errors, from which on their axis is logarithmic
_SEVERAL_DECADES = 20.0  # of the levels, likewise


@dataclass(frozen=True)
class Line:
    """One line: its name, places on the axis, the values of every seed at each of them, and its style."""

    name: str
    places: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]  # as shown: accuracies in per cent
    series: int

    @property
    def intervals(self) -> list[Interval]:
        """The mean at each place, with its 95 % t-interval."""
        return [mean_interval(values) for values in self.values]


@dataclass(frozen=True)
class Panel:
    """Lines that share axes, with a title."""

    title: str
    lines: tuple[Line, ...]


def draw_lines(
    panels: Sequence[Panel], across: str, up: str, names: Sequence[str], look: Look, *, percent: bool = False
) -> Figure:
    """Draw panels of lines; all share their vertical axis.

    Parameters
    ----------
    panels
        One or more.
    across, up
        Labels of the axes.
    names
        Names of the places on the horizontal axis; empty if they are numbers.
    look
        See `Look`.
    percent
        Whether the values are accuracies in per cent; then a wide range is drawn logarithmically in the error.
    """
    columns = 1 if look.narrow else min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    figure = look.figure(rows * (2.6 if look.narrow else 4.2 if columns < 3 else 3.6) + 0.6)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    every = [value for panel in panels for line in panel.lines for values in line.values for value in values]
    errors = percent and _far_apart([100 - value for value in every])
    for axes, panel in zip(grid, panels, strict=False):
        if panel.title:
            axes.set_title(shortened(panel.title, int(72 * look.width / columns / (GLYPH * look.type_size * 1.25))))
        for line in panel.lines:
            _line(axes, line, look.series[line.series], look, errors=errors)
        _across(axes, panel, names, look)
        axes.set_xlabel(across)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    if errors:
        error_axis(grid[0], [max(LEAST, 100 - value) for value in every])
    else:
        grid[0].ticklabel_format(axis="y", useOffset=False)
    room = int(0.6 * 72 * figure.get_figheight() / (GLYPH * look.type_size))  # beside the axes, not the legend
    figure.supylabel(fill(up, room), fontsize=look.type_size)
    _legend(figure, panels, look)
    return figure


def error_axis(axes: Axes, errors: Sequence[float]) -> None:
    """Make the vertical axis one of accuracies, logarithmic in the errors, given in per cent."""
    axes.set_yscale("log")
    axes.set_ylim(min(100, max(errors) * 1.25), min(errors) / 1.25)
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 - error:g} %"))


def _far_apart(errors: Sequence[float]) -> bool:
    return min(errors) >= 0 and max(errors) > _WIDE_RANGE * max(LEAST, min(errors))


def _line(axes: Axes, line: Line, series: Series, look: Look, *, errors: bool) -> None:
    def drawn(values: Sequence[float]) -> list[float]:
        return [max(LEAST, 100 - value) if errors else value for value in values]

    found = line.intervals
    means = drawn([one.mean for one in found])
    style: dict[str, Any] = {"color": series.colour, "marker": series.marker}
    axes.plot(line.places, means, linestyle=series.line, zorder=3, **style)
    known = [one if math.isfinite(one.high) else None for one in found]
    low, high = ([math.nan if one is None else getattr(one, end) for one in known] for end in ("low", "high"))
    axes.fill_between(line.places, drawn(low), drawn(high), color=series.colour, alpha=0.16, linewidth=0)
    dots = {"markersize": look.type_size * 0.26, "markerfacecolor": look.ground, "linestyle": "none"}
    for place, values in zip(line.places, line.values, strict=True):
        if len(values) > 1:
            axes.plot([place] * len(values), drawn(values), alpha=0.75, zorder=2, **style, **dots)  # type: ignore[arg-type]


def _across(axes: Axes, panel: Panel, names: Sequence[str], look: Look) -> None:
    places = sorted({place for line in panel.lines for place in line.places})
    if names:
        room = look.width * 72 / (len(names) * GLYPH * look.type_size)  # characters, if there were one panel
        lying = max(map(len, names)) <= room * 0.8
        texts = [shortened(name, 22) for name in names]
        axes.set_xticks(range(len(names)), texts, rotation=0 if lying else 30, ha="center" if lying else "right")
        axes.set_xlim(-0.3, len(names) - 0.7)
        return
    if min(places) > 0 and max(places) / min(places) >= _SEVERAL_DECADES:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator(places if len(places) <= 9 else places[:: math.ceil(len(places) / 9)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _legend(figure: Figure, panels: Sequence[Panel], look: Look) -> None:
    """Name every line once, above the panels; none for a single line."""
    named = {line.name: line.series for panel in panels for line in panel.lines}
    if len(named) < 2:
        return
    longest, first = 44 if look.narrow else 60, figure.axes[0]
    styles = [(shortened(name, longest), look.series[place]) for name, place in named.items()]
    handles = [
        first.plot([], [], color=one.colour, marker=one.marker, linestyle=one.line, label=name)[0]
        for name, one in styles
    ]
    widest = max(min(longest, len(name)) for name in named) + 7
    columns = max(1, int(72 * look.width / (GLYPH * look.type_size * widest)))
    figure.legend(handles=handles, loc="outside upper left", ncols=min(columns, len(named)), handlelength=3)


def by_place(arrays: Sequence[Any], scale: float) -> tuple[tuple[float, ...], ...]:
    """Return the values of every seed at each place, from an array a seed."""
    table = scale * np.asarray(arrays, np.float64)  # (seeds, places)
    return tuple(tuple(map(float, column)) for column in table.T)
