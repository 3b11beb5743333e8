"""The sheet of the most wrong images: those with the highest confidence in a wrong class."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..typing import Array, UInt8
from .style import GLYPH, Look, shortened


@dataclass(frozen=True)
class Tile:
    """A misclassified image.

    Attributes
    ----------
    image
        (H, W, C) uint8.
    index
        Its index among the examples, from 0.
    true, called
        Names of its class and of the predicted class.
    confidence
        Probability of the predicted class, 0 to 1.
    """

    image: UInt8
    index: int
    true: str
    called: str
    confidence: float


def draw_wrong(tiles: Sequence[Tile], wrong: int, images: int, look: Look) -> Figure:
    """Draw the tiles in their order; `wrong` of all `images` images were misclassified."""
    columns = 4 if look.narrow else 8
    rows = math.ceil(len(tiles) / columns)
    lines = max((len(_caption(tile, look)) for tile in tiles), default=2)
    side, text = look.width / columns, look.type_size * 0.75
    tallest = max((tile.image.shape[0] / tile.image.shape[1] for tile in tiles), default=1.0)
    height = rows * (0.92 * side * min(tallest, 2.0) + (1.3 * lines * text + 16) / 72)
    figure = look.figure(height + 4.2 * look.type_size / 72)
    title = textwrap.fill(_title(len(tiles), wrong, images), 46 if look.narrow else 98)
    figure.suptitle(title, x=0.01, ha="left", fontsize=look.type_size)
    if not tiles:
        return figure
    for position, axes in enumerate(figure.subplots(rows, columns, squeeze=False).ravel()):
        if position < len(tiles):
            _tile(axes, tiles[position], look)
        else:
            axes.set_axis_off()
    return figure


def _title(shown: int, wrong: int, images: int) -> str:
    if not wrong:
        return f"None of {images:,} images was misclassified"
    if wrong == 1:
        return f"The one error in {images:,} images: true → predicted class, confidence, number"
    which = f"The {shown} most confident of {wrong:,} errors" if shown < wrong else f"All {wrong:,} errors"
    return f"{which} in {images:,} images: true → predicted class, confidence, number"


def _tile(axes: Axes, tile: Tile, look: Look) -> None:
    pixels = _pixels(tile.image)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color=look.grid, linewidth=0.8)
    caption = "\n".join(_caption(tile, look))
    axes.set_xlabel(caption, fontsize=look.type_size * 0.75, labelpad=3, parse_math=False)


def _pixels(image: UInt8) -> Array:
    """Return displayable pixels: colours if there are three channels, otherwise their mean."""
    channels = image.shape[2]
    if channels == 3:
        return image
    return image[..., 0] if channels == 1 else image.mean(axis=2)


def _caption(tile: Tile, look: Look) -> list[str]:
    """Return the lines below an image: true and predicted class, confidence, and number."""
    tile_width = 0.9 * 72 * look.width / (4 if look.narrow else 8)
    room = int(tile_width / (GLYPH * look.type_size * 0.75))
    sure, number = f"{100 * tile.confidence:.1f} %", f"no. {tile.index}"
    both = f"{shortened(tile.true, room)} → {shortened(tile.called, room)}"
    names = [both] if len(both) <= room else [shortened(tile.true, room), f"→ {shortened(tile.called, room - 2)}"]
    return [*names, sure, number]
