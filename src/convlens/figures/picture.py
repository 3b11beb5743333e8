"""A figure with its heading, caption and alternative text."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from matplotlib.figure import Figure

from .style import Look, png

NOTEBOOK_DPI = 90


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return f"<Picture {self.name}: {self.heading}>"

    def _repr_html_(self) -> str:
        """Return the figure as a notebook shows it, on a light ground, with its caption."""
        caption = f"<figcaption><b>{escape(self.heading)}.</b> {escape(self.caption)}</figcaption>"
        if self.draw is None:
            return f"<figure>{caption}</figure>"
        look = Look()
        with look.applied():
            figure = self.draw(look)
            figure.set_dpi(NOTEBOOK_DPI)
            source = base64.b64encode(png(figure)).decode()
        return f'<figure><img alt="{escape(self.alt)}" src="data:image/png;base64,{source}">{caption}</figure>'
