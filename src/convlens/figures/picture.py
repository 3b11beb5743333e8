"""A figure and the words that belong to it."""

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
        Of its file, without ``.png``.
    heading
        What it shows, in a few words.
    caption
        How to read it: n, data, recipe.
    alt
        What somebody who cannot see it needs to know.
    draw
        Draws it in a look; None where there is nothing to draw, and the caption says why.
    """

    name: str
    heading: str
    caption: str
    alt: str = ""
    draw: Callable[[Look], Figure] | None = None
