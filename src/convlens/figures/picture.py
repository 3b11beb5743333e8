"""A figure with its heading, caption and alternative text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from .style import Look


@dataclass(frozen=True)
class Picture:
    """A figure of the report.

    Attributes
    ----------
    name
        Name of its file, without ``.png``.
    heading
        What it shows, in a few words.
    caption
        How to read it: n, data, recipe.
    alt
        Text for readers who cannot see it.
    draw
        Draws it in a look; None if there is nothing to draw, and the caption says why.
    """

    name: str
    heading: str
    caption: str
    alt: str = ""
    draw: Callable[[Look], Figure] | None = None
