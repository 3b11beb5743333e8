"""The confusion matrix: which digits the CNN takes for which, with the errors and not the successes in view."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure

from ...typing import IntArray
from ..numbers import seeds
from ..reproduction import BEST_CNN, NETWORKS, Confusion, Reproduction
from .picture import Picture
from .style import Look

_NAME, _HEADING = "confusion", f"Which digits are taken for which: “{BEST_CNN}”"
_MANY = 0.55  # of the colour map's range: from here on its colours need the other ink


def picture(reproduction: Reproduction) -> Picture:
    """Return the confusion matrix of the CNN under the better recipe, summed over its seeds."""
    arm = reproduction.best_cnn()
    confusion = Confusion.of(arm)
    if arm is None or confusion is None:
        return Picture(_NAME, _HEADING, f"No trial of “{BEST_CNN}” with predictions has been stored yet.")
    total, wrong = int(confusion.matrix.sum()), sum(count for _, _, count in confusion.errors)
    n = len(confusion.seeds)
    often = ", ".join(f"{true} called {called} ({count})" for true, called, count in confusion.errors[:5])
    caption = (
        f"Test images by true digit (row) and predicted digit (column), summed over {seeds(n)} of “{BEST_CNN}”: "
        f"{wrong:,} errors in {total:,} predictions. Only errors are coloured; the correct ones, on the diagonal, are "
        f"left grey so that they do not drown them. Most frequent: {often or 'none'}. "
        + reproduction.setting(NETWORKS, [arm])
    )
    alt = f"Confusion matrix: {wrong:,} errors in {total:,} predictions. Most frequent: {often or 'none'}."
    return Picture(_NAME, _HEADING, caption, alt, partial(_draw, confusion))


def _draw(confusion: Confusion, look: Look) -> Figure:
    matrix = confusion.matrix
    figure = look.figure(3.75 if look.narrow else 7.6)
    axes = figure.add_subplot()
    errors = np.ma.masked_where(np.eye(len(matrix), dtype=bool) | (matrix == 0), matrix)
    norm = Normalize(0, max(1, int(errors.max() if errors.count() else 1)))
    colours = _colours(look)
    axes.imshow(errors, cmap=colours, norm=norm, aspect="equal")
    _counts(axes, matrix, norm, look)
    axes.set_xlabel("predicted digit")
    axes.set_ylabel("true digit")
    axes.set_xticks(range(len(matrix)))
    axes.set_yticks(range(len(matrix)))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    _cells(axes, len(matrix), look)
    return figure


def _colours(look: Look) -> ListedColormap:
    """Return cividis, fading into the ground where counts are small, so that single errors do not shout."""
    colours = colormaps["cividis" if look.dark else "cividis_r"](np.linspace(0, 1, 256))[:, :3]
    strength = np.linspace(0.25, 1.6, 256).clip(max=1)[:, None]
    return ListedColormap(strength * colours + (1 - strength) * np.array(to_rgb(look.ground)))


def _counts(axes: Axes, matrix: IntArray, norm: Normalize, look: Look) -> None:
    small = look.type_size * 0.8  # four figures must fit into a cell: a seed has about 1,000 images of a digit
    for (true, called), count in np.ndenumerate(matrix):
        if true == called:
            axes.text(
                called,
                true,
                str(count) if look.narrow else f"{count:,}",
                ha="center",
                va="center",
                color=look.muted,
                fontsize=small,
            )
        elif count:
            strong = count >= _MANY * (norm.vmax or 1)
            colour = "#101418" if strong == look.dark else "#ffffff"
            axes.text(called, true, str(count), ha="center", va="center", color=colour, fontsize=look.type_size * 0.95)


def _cells(axes: Axes, size: int, look: Look) -> None:
    """Draw thin lines between the cells."""
    edges = np.arange(size + 1) - 0.5
    axes.hlines(edges, -0.5, size - 0.5, color=look.grid, linewidth=0.8)
    axes.vlines(edges, -0.5, size - 0.5, color=look.grid, linewidth=0.8)
    axes.spines[:].set_visible(False)
