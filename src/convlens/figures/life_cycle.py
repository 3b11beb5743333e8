"""The life cycle of a deployment: what exists, from when to when, and the states of the endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .style import GLYPH, Look, shortened

EXISTS = "exists"
_ROW, _BAR, _AROUND = 2.3, 0.95, 6.2  # heights in type sizes: of a row, of its bar, and of title, axis and legend
_HATCHES = {"Creating": "///", "Updating": "\\\\\\", "RollingBack": "xxx", "Deleting": "...", "Failed": "xx"}


@dataclass(frozen=True)
class Span:
    """From when to when something is in a state, in minutes; no thing but an endpoint has another than `EXISTS`."""

    start: float
    end: float
    state: str = EXISTS


@dataclass(frozen=True)
class Lifeline:
    """One thing that was made: its name, and its states in order."""

    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Mark:
    """A moment, in minutes, and a few words about it."""

    at: float
    words: str


def draw_life_cycle(title: str, lines: Sequence[Lifeline], marks: Sequence[Mark], look: Look) -> Figure:
    """Draw a row for each thing, first made on top, with the marks below the last row."""
    size = look.type_size / 72
    figure = look.figure(size * (_ROW * (len(lines) + bool(marks)) + _AROUND))
    axes = figure.add_subplot()
    width = int(72 * look.width / (GLYPH * look.type_size * 1.1))
    axes.set_title(shortened(title, width))
    axes.set_ylim(_ROW * (len(lines) + bool(marks)), 0)
    last = max(span.end for line in lines for span in line.spans)
    axes.set_xlim(0, 1.02 * last or 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("minutes of emulated time")
    for place, line in enumerate(lines):
        _row(axes, _ROW * place, line, width, look)
    for mark in marks:
        axes.axvline(mark.at, color=look.muted, linewidth=1, linestyle=(0, (2, 2)), zorder=0.6)
    _words(axes, _ROW * len(lines), marks, look)
    _legend(figure, [span.state for line in lines for span in line.spans], look)
    return figure


def _row(axes: Axes, top: float, line: Lifeline, width: int, look: Look) -> None:
    start, middle = line.spans[0].start, sum(axes.get_xlim()) / 2
    left = start < middle  # else the name would have no room to the right of where the bar begins
    axes.text(
        start if left else line.spans[-1].end,
        top + 0.55,
        shortened(line.name, width if left else width // 2),
        ha="left" if left else "right",
        va="center",
        fontsize=look.type_size * 0.92,
        bbox={"facecolor": look.ground, "edgecolor": "none", "pad": 0.5},  # no line through a letter
    )
    for span in line.spans:
        axes.barh(
            top + 1.1 + _BAR / 2,
            span.end - span.start,
            left=span.start,
            height=_BAR,
            color=_colour(span.state, look),
            edgecolor=look.ground,
            hatch=_HATCHES.get(span.state),
            linewidth=0.8,
        )


def _words(axes: Axes, top: float, marks: Sequence[Mark], look: Look) -> None:
    for mark in marks:
        left = mark.at > sum(axes.get_xlim()) / 2
        axes.annotate(
            mark.words,
            (mark.at, top + 1.1),
            xytext=(-5 if left else 5, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            color=look.muted,
        )


def _legend(figure: Figure, states: Sequence[str], look: Look) -> None:
    handles = [
        Patch(facecolor=_colour(one, look), edgecolor=look.ground, hatch=_HATCHES.get(one), label=one)
        for one in dict.fromkeys(states)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3 if look.narrow else 6)


def _colour(state: str, look: Look) -> str:
    blue, orange, green, pink, _, ochre = (one.colour for one in look.series)
    known = {EXISTS: blue, "InService": green, "Failed": orange, "RollingBack": pink, "Deleting": look.muted}
    return known.get(state, ochre)
