"""Rows of dots: a value a seed, the mean with its interval, and what is shaded; the name stands above each row.

Names above their rows, rather than beside the axis, leave the whole width to the numbers, on a phone as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..studies.statistics.stats import Interval
from . import bars
from .style import GLYPH, Look, shortened

_LINE = 1.25  # height of a line of text; this and the next in type sizes
_GAP, _BAR, _DOTS, _GENERAL, _FOOT = 0.3, 0.55, 1.15, 1.7, 0.5  # below the name; of a row, from its name down
_AROUND = 5.0  # a panel's title and axis


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes
    ----------
    name
        Written above it.
    values
        One a seed, in the metric's unit.
    interval
        Drawn as a bar; None, or infinite, for none.
    general
        The two-way interval, drawn below the dots; None for none.
    shaded
        From where to where the background is shaded, in the metric's unit; may be infinite.
    note
        A few words at its right end.
    strong
        Whether it is emphasised.
    """

    name: str
    values: tuple[float, ...]
    interval: Interval | None = None
    general: Interval | None = None
    shaded: tuple[float, float] | None = None
    note: str = ""
    strong: bool = False

    @property
    def intervals(self) -> list[Interval]:
        """Its intervals, of those that have bounds."""
        found = (self.interval, self.general)
        return [one for one in found if one is not None and one.n > 1 and math.isfinite(one.high)]

    @property
    def bounds(self) -> list[float]:
        """The finite ends of what is shaded."""
        return [end for end in self.shaded or () if math.isfinite(end)]


@dataclass(frozen=True)
class Panel:
    """Rows with one axis: its title, the metric's unit, the factor from there to what is shown, and a line at zero."""

    title: str
    unit: str
    rows: tuple[Row, ...]
    scale: float = 1.0
    zero: bool = False

    @property
    def limits(self) -> bars.Limits:
        """From where to where bars are drawn, as shown."""
        intervals = [one for row in self.rows for one in row.intervals]
        values = [self.scale * value for row in self.rows for value in row.values]
        ends = [self.scale * end for row in self.rows for end in row.bounds]
        low, high = bars.limits(values, intervals, self.scale, "" if self.zero else self.unit)
        return min([low, *ends, *([0.0] if self.zero else [])]), max([high, *ends, *([0.0] if self.zero else [])])

    @property
    def clipped(self) -> bool:
        """Whether an interval goes on beyond the axis."""
        return bars.clipped((one for row in self.rows for one in row.intervals), self.limits, self.scale)


def draw_rows(panels: Sequence[Panel], look: Look) -> Figure:
    """Draw panels below one another, each with its own axis."""
    forms = [_Form.of(panel, look) for panel in panels]
    size = look.type_size / 72
    figure = look.figure(size * sum(form.height + _AROUND for form in forms))
    grid = figure.add_gridspec(len(panels), 1, height_ratios=[form.height for form in forms])
    for place, (panel, form) in enumerate(zip(panels, forms, strict=True)):
        _panel(figure.add_subplot(grid[place]), panel, form, look)
    return figure


@dataclass(frozen=True)
class _Form:
    """Names of a panel's rows, broken into lines, and from where a row begins to where it ends, in type sizes."""

    names: tuple[str, ...]
    lines: int
    row: float

    @property
    def height(self) -> float:
        return self.row * len(self.names)

    @classmethod
    def of(cls, panel: Panel, look: Look) -> _Form:
        names = [_broken(row.name, _characters(look, 1.08) - len(row.note) - 3) for row in panel.rows]
        lines = max(name.count("\n") + 1 for name in names)
        last = _GENERAL if any(row.general for row in panel.rows) else _DOTS
        return cls(tuple(names), lines, lines * _LINE + _GAP + last + _FOOT)


def _characters(look: Look, larger: float = 1.0) -> int:
    """Return how many characters have room beside one another."""
    return int(72 * look.width / (GLYPH * look.type_size * larger))


def _broken(text: str, width: int, lines: int = 2) -> str:
    """Return a text in lines of at most this number of characters; what is longer than all lines is shortened."""
    found = wrap(shortened(text, lines * width), width)
    return "\n".join([*found[: lines - 1], shortened(" ".join(found[lines - 1 :]), width)] if found[lines:] else found)


def _panel(axes: Axes, panel: Panel, form: _Form, look: Look) -> None:
    axes.set_title(_broken(panel.title, _characters(look, 1.25)))
    within = panel.limits
    axes.set_xlim(bars.spread(within))
    axes.set_ylim(form.height, 0)  # the first row on top
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    axes.ticklabel_format(axis="x", useOffset=False)
    if panel.zero:
        axes.axvline(0, color=look.muted, linewidth=1.4)
    for place, row in enumerate(panel.rows):
        top = place * form.row
        if place:
            axes.axhline(top, color=look.grid, linewidth=0.8)
        below = top + form.lines * _LINE + _GAP
        _shade(axes, (below, top + form.row), row, panel.scale, look)
        _marks(axes, below, row, panel, within, look)
        _words(axes, top + form.lines * _LINE / 2 + _GAP / 2, form.names[place], row, look)


def _shade(axes: Axes, within: tuple[float, float], row: Row, scale: float, look: Look) -> None:
    if row.shaded is None:
        return
    low, high = (min(max(scale * end, axes.get_xlim()[0]), axes.get_xlim()[1]) for end in row.shaded)
    axes.fill_betweenx(within, low, high, color=look.grid, linewidth=0, zorder=0.5)
    for end in row.bounds:  # edges, because grey on white is faint on a projector
        axes.plot([scale * end] * 2, within, color=look.muted, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0.6)


def _marks(axes: Axes, top: float, row: Row, panel: Panel, within: bars.Limits, look: Look) -> None:
    own, other = look.series[:2]
    many = row.interval is not None and row.interval.n > 1
    if row.interval is not None and many:
        bars.bar(axes, top + _BAR, row.interval, within, panel.scale, own)
    values = [panel.scale * value for value in row.values]
    style: dict[str, Any] = {"linestyle": "none", "marker": own.marker, "markeredgecolor": own.colour}
    size = look.type_size * (0.42 if many else 0.75)
    beside = np.full(len(values), top + (_DOTS if many else _BAR))
    axes.plot(values, beside, markersize=size, markerfacecolor=look.ground, **style)
    if row.general is not None and row.general in row.intervals:
        ends = [min(max(panel.scale * end, within[0]), within[1]) for end in (row.general.low, row.general.high)]
        style = {"color": other.colour, "linestyle": other.line, "marker": "|", "markersize": look.type_size * 0.6}
        axes.plot(ends, [top + _GENERAL] * 2, linewidth=1.6, **style)


def _words(axes: Axes, place: float, name: str, row: Row, look: Look) -> None:
    style: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(),
        "va": "center",
        "bbox": {"facecolor": look.ground, "edgecolor": "none", "pad": 0.5},  # no grid line through a letter
    }
    axes.text(0, place, name, ha="left", weight="bold" if row.strong else "normal", **style)
    axes.text(1, place, row.note, ha="right", color=look.muted, **style)
