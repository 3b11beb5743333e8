"""A confusion matrix of any number of classes, which emphasises the errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..typing import IntArray
from .style import GLYPH, Look, shortened

_MANY = 0.55  # share of the colour map's range above which text needs the other colour
_SMALLEST = 4.0  # points: smaller counts are not written
_MARGIN = 0.9  # share of a cell that its text may fill


def draw_matrix(matrix: IntArray, names: Sequence[str], look: Look, what: str) -> Figure:
    """Draw counts (K, K) of true (row) by predicted (column).

    Counts are written into the cells if there is room; otherwise there are only colours, with a colour bar. `what`
    names the classes in the axis labels: ``"digit"``.
    """
    height = 3.75 if look.narrow else 7.6
    figure = look.figure(height)
    axes = figure.add_subplot()
    errors = np.ma.masked_where(np.eye(len(matrix), dtype=bool) | (matrix == 0), matrix)
    norm = Normalize(0, max(1, int(errors.max() if errors.count() else 1)))
    axes.imshow(errors, cmap=_colours(look), norm=norm, aspect="equal")
    labels = [shortened(name, 10 if look.narrow else 18) for name in names]
    cell = _cell_size(labels, look, min(height, look.width))
    scale = _scale(matrix, cell, look)
    if scale * look.type_size * 0.8 >= _SMALLEST:
        _counts(axes, matrix, norm, look, scale)
    else:
        _without_counts(figure, axes, matrix, norm, look)
    axes.set_xlabel(f"predicted {what}")
    axes.set_ylabel(f"true {what}")
    _name_cells(axes, labels, cell, look)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    _cells(axes, len(matrix), look, 0.8 if cell > 8 else 0.2)
    return figure


def _cell_size(labels: Sequence[str], look: Look, inches: float) -> float:
    """Return the approximate side of a cell in points: the space that names leave, divided by the number of classes."""
    inside, longest = 72 * inches - 3.5 * look.type_size, max(map(len, labels))
    size = _name_size(inside / len(labels), look)
    return (inside - GLYPH * size * longest) / len(labels)


def _name_size(cell: float, look: Look) -> float:
    """Return the type size of the classes' names."""
    return min(look.type_size * 0.95, max(_SMALLEST, 0.85 * cell))


def _scale(matrix: IntArray, cell: float, look: Look) -> float:
    """Return the factor by which the counts must shrink to fit into their cells; 1 if they fit."""
    right = max(len(_count(int(count), look)) for count in matrix.diagonal())
    wrong = len(str(int((matrix - np.diag(matrix.diagonal())).max(initial=0))))
    widest = GLYPH * look.type_size * max(0.8 * right, 0.95 * wrong)
    return min(1.0, _MARGIN * cell / widest, _MARGIN * cell / look.type_size)


def _count(count: int, look: Look) -> str:
    return str(count) if look.narrow else f"{count:,}"


def _colours(look: Look) -> ListedColormap:
    """Return cividis, faded into the background at small counts, so that single errors do not stand out."""
    colours = colormaps["cividis" if look.dark else "cividis_r"](np.linspace(0, 1, 256))[:, :3]
    strength = np.linspace(0.25, 1.6, 256).clip(max=1)[:, None]
    return ListedColormap(strength * colours + (1 - strength) * np.array(to_rgb(look.ground)))


def _counts(axes: Axes, matrix: IntArray, norm: Normalize, look: Look, scale: float) -> None:
    small = (
        look.type_size * 0.8 * scale
    )  # four digits must fit into a cell: a seed has about 1,000 images of each digit
    for (true, called), count in np.ndenumerate(matrix):
        if true == called:
            text, colour, size = _count(int(count), look), look.muted, small
        elif count:
            strong = count >= _MANY * (norm.vmax or 1)
            colour = "#101418" if strong == look.dark else "#ffffff"
            text, size = str(count), look.type_size * 0.95 * scale
        else:
            continue
        axes.text(called, true, text, ha="center", va="center", color=colour, fontsize=size)


def _without_counts(figure: Figure, axes: Axes, matrix: IntArray, norm: Normalize, look: Look) -> None:
    """Use only colours where counts do not fit: grey for correct images, and a colour bar for the errors."""
    right = np.ma.masked_where(~np.eye(len(matrix), dtype=bool) | (matrix == 0), np.ones(matrix.shape))
    axes.imshow(right, cmap=ListedColormap([look.grid]), aspect="equal")
    bar = figure.colorbar(ScalarMappable(norm, _colours(look)), ax=axes, shrink=0.6, aspect=30, label="wrong images")
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(nbins=6, integer=True)
    bar.update_ticks()


def _name_cells(axes: Axes, labels: Sequence[str], cell: float, look: Look) -> None:
    """Write the classes' names beside rows and columns; smaller, or only some, if there are many."""
    size = _name_size(cell, look)
    every = max(1, int(np.ceil(size / cell)))
    places = range(0, len(labels), every)
    lying = max(map(len, labels)) * GLYPH * size <= _MARGIN * cell
    # parse_math: a class may be called "$5"
    axes.set_xticks(places, [labels[i] for i in places], rotation=0 if lying else 90, fontsize=size, parse_math=False)
    axes.set_yticks(places, [labels[i] for i in places], fontsize=size, parse_math=False)


def _cells(axes: Axes, size: int, look: Look, width: float) -> None:
    """Draw thin lines between the cells."""
    edges = np.arange(size + 1) - 0.5
    axes.hlines(edges, -0.5, size - 0.5, color=look.grid, linewidth=width)
    axes.vlines(edges, -0.5, size - 0.5, color=look.grid, linewidth=width)
    axes.spines[:].set_visible(False)
