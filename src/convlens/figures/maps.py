"""Heat maps side by side, with one scale: colours of a map that is uniform to the eye and in grey print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..studies.curve import Axis
from ..typing import Array
from ..wording import number
from .style import GLYPH, Look, shortened

COLOURS = "cividis"
_TICKS = 5  # along an axis, at most; names all have one


@dataclass(frozen=True)
class Map:
    """One map: its name, and its values (rows, columns) as shown."""

    name: str
    values: Array


def draw_maps(maps: Sequence[Map], down: Axis, across: Axis, label: str, look: Look) -> Figure:
    """Draw maps with one colour bar.

    Parameters
    ----------
    maps
        One or more, of one shape.
    down, across
        The axes of rows and columns.
    label
        What the colours mean.
    look
        See `Look`.
    """
    columns = min(len(maps), 2 if look.narrow else 4)
    rows = math.ceil(len(maps) / columns)
    shape = len(down.values) / len(across.values)
    side = look.width / (columns + 0.7) * min(1.6, max(0.5, shape))
    figure = look.figure(rows * (side + look.type_size / 72 * 2.2) + 1.1)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    norm = Normalize(min(float(one.values.min()) for one in maps), max(float(one.values.max()) for one in maps))
    for place, (axes, one) in enumerate(zip(panels, maps, strict=False)):
        axes.imshow(one.values, cmap=COLOURS, norm=norm, aspect="auto" if min(one.values.shape) < 4 else "equal")
        characters = int(72 * look.width / (columns + 0.5) / (GLYPH * look.type_size * 1.25))
        axes.set_title("\n".join(shortened(part, characters) for part in one.name.split(", ", 1)))
        _ticks(axes, down, across, left=place % columns == 0, low=place >= len(maps) - columns)
    for axes in panels[len(maps) :]:
        axes.set_visible(False)
    figure.supxlabel(across.label, fontsize=look.type_size)
    figure.supylabel(down.label, fontsize=look.type_size)
    _bar(figure, norm, label, look)
    return figure


def _ticks(axes: Axes, down: Axis, across: Axis, *, left: bool, low: bool) -> None:
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    places, names = _named(across)
    axes.set_xticks(places, names if low else [""] * len(names))
    places, names = _named(down)
    axes.set_yticks(places, names if left else [""] * len(names))


def _named(axis: Axis) -> tuple[list[int], list[str]]:
    """Return places and names of the ticks: of names all, of numbers the ends and what is evenly between."""
    size = len(axis.values)
    if isinstance(axis.values[0], str):
        return list(range(size)), [shortened(str(value), 22) for value in axis.values]
    places = sorted({round(place) for place in np.linspace(0, size - 1, min(size, _TICKS))})
    return places, [number(float(axis.values[place])) for place in places]


def _bar(figure: Figure, norm: Normalize, label: str, look: Look) -> None:
    where = "bottom" if look.narrow else "right"
    bar = figure.colorbar(ScalarMappable(norm, COLOURS), ax=figure.axes, location=where, shrink=0.8, aspect=30)
    bar.set_label(fill(label, 40))
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(nbins=5)
    bar.update_ticks()
