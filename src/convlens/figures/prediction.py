"""One prediction: the picture, what the network saw of it, and the classes that it thinks of."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..predictor import Prediction
from ..typing import Array, UInt8
from ..wording import percent
from .style import Look, shortened

TOP = 3  # classes that are named
_DPI = 100
_SIZE = (9.6, 3.9)  # inches; with this resolution a page of 960 pixels
_ROOM = 40  # characters beside the two images


def draw_prediction(original: UInt8 | None, prediction: Prediction, name: str, look: Look) -> Figure:
    """Draw a picture beside the image that the network was given, with the most probable classes and every doubt.

    Parameters
    ----------
    original
        (H, W, 3): the picture, upright; None if there is none.
    prediction
        What the model made of it.
    name
        The picture's name, for the title.
    look
        Its colours are used; the size is always the same.
    """
    figure = Figure(figsize=_SIZE, dpi=_DPI)
    figure.suptitle(shortened(name, 90), x=0.01, ha="left", fontsize=look.type_size, parse_math=False)
    left, middle, right = (figure.add_axes(box) for box in ((0.01, 0.03, 0.32, 0.78), (0.34, 0.03, 0.32, 0.78),
                                                             (0.68, 0.03, 0.31, 0.78)))  # fmt: skip
    if original is not None:
        _show(left, original, "the picture", look)
    else:
        left.set_axis_off()
    height, width, _ = prediction.seen.shape
    _show(middle, _displayable(prediction.seen), f"what the network saw, {width} x {height}", look)
    _write(right, prediction, look)
    return figure


def _show(axes: Axes, image: Array, title: str, look: Look) -> None:
    grey = image.ndim == 2
    axes.imshow(image, cmap="gray" if grey else None, vmin=0, vmax=255, interpolation="nearest", aspect="equal")
    axes.set_title(title, fontsize=look.type_size * 0.9, fontweight="normal", loc="center")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color=look.muted, linewidth=0.8)


def _displayable(seen: Array) -> Array:
    """Return uint8 (H, W, 3) or (H, W): floats are stretched from their least to their largest value."""
    if seen.dtype != np.uint8:
        least, span = float(seen.min()), float(np.ptp(seen))
        seen = np.rint((seen - least) * (255 / span if span else 0)).astype(np.uint8)
    if seen.shape[2] == 3:
        return seen
    return seen[..., 0] if seen.shape[2] == 1 else seen.mean(axis=2)


def _write(axes: Axes, prediction: Prediction, look: Look) -> None:
    """Write the classes with a bar for each probability, and below them what was done and the doubts."""
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    y = 0.97
    for place, (name, probability) in enumerate(prediction.most_probable(TOP)):
        size = look.type_size * (1.1 if place == 0 else 0.9)
        axes.text(0, y, shortened(name, 22), va="top", fontsize=size, parse_math=False,
                  fontweight="bold" if place == 0 else "normal")  # fmt: skip
        axes.text(1, y, percent(probability), va="top", ha="right", fontsize=size)
        axes.barh(y - 0.105, probability, 0.025, color=look.series[0].colour, align="center")
        axes.barh(y - 0.105, 1 - probability, 0.025, left=probability, color=look.grid, align="center")
        y -= 0.17
    doubts = "; ".join(prediction.doubts)
    parts = [(str(prediction.account), look.muted)] + ([(f"unsure: {doubts}", look.ink)] if doubts else [])
    lines = [(line, colour) for text, colour in parts for line in textwrap.wrap(text, _ROOM)]
    for number, (line, colour) in enumerate(lines[:9]):
        last = number == 8 and len(lines) > 9
        axes.text(0, y - 0.055 * number, f"{line} …" if last else line, va="top", fontsize=look.type_size * 0.75,
                  color=colour, parse_math=False)  # fmt: skip
