"""How figures look: colours that colour-blind readers can distinguish, and sizes for a phone and for a projector."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ..names import shown

WIDE, NARROW = 9.6, 3.6  # inches: 960 and 360 CSS pixels at 100 pixels per inch
GLYPH = 0.62  # mean width of a character, in type sizes
DPI = {False: 180, True: 280}  # by `narrow`: sharp on a projector, and on a phone's dense display


@dataclass(frozen=True)
class Series:
    """How one category is drawn: colour, marker and line all differ, so that any one of them suffices."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class Look:
    """One way to draw every figure.

    Attributes
    ----------
    dark
        Light marks on a dark background.
    narrow
        For a phone: panels below one another, text readable at 360 pixels.
    """

    dark: bool = False
    narrow: bool = False

    @property
    def suffix(self) -> str:
        """Suffix of the file's name: empty, ``-dark``, ``-phone``, ``-phone-dark``."""
        return ("-phone" if self.narrow else "") + ("-dark" if self.dark else "")

    @property
    def ink(self) -> str:
        """Colour of text."""
        return "#e9ebee" if self.dark else "#1b1f24"

    @property
    def muted(self) -> str:
        """Colour of secondary elements; still readable as text."""
        return "#a9b1bb" if self.dark else "#59616b"

    @property
    def ground(self) -> str:
        """Background colour, the same as the page's."""
        return "#15181c" if self.dark else "#ffffff"

    @property
    def grid(self) -> str:
        """Colour of grid lines."""
        return "#343a42" if self.dark else "#dfe3e8"

    @property
    def series(self) -> tuple[Series, ...]:
        """Six categories: colours of Okabe and Ito (2008), ink and ochre, which stand out from the background.

        Of neighbours, marker, line and lightness differ too, so that grey print and every eye can tell them apart.
        """
        light = ("#0072b2", "#d55e00", "#007f5f", "#a0417e", "#1b1f24", "#8c6a00")
        dark = ("#56b4e9", "#f5b32f", "#26a884", "#dd8fbb", "#e9ebee", "#b5a14a")
        lines: tuple[str | tuple[int, tuple[int, ...]], ...] = (
            "-", (0, (5, 2)), (0, (1, 1)), (0, (6, 2, 1, 2)), (0, (9, 3)), (0, (3, 1, 1, 1, 1, 1)),
        )  # fmt: skip
        return tuple(map(Series, dark if self.dark else light, "os^DvP", lines))

    @property
    def width(self) -> float:
        """Width of a figure in inches."""
        return NARROW if self.narrow else WIDE

    @property
    def type_size(self) -> float:
        """Size of ordinary text in points: 12 pixels on a phone, 17 on a wide page."""
        return 8.6 if self.narrow else 12.0

    def applied(self) -> AbstractContextManager[None]:
        """Return a context in which Matplotlib uses this style, whatever a user has configured."""
        settings = {
            "font.family": "DejaVu Sans",
            "font.size": self.type_size,
            "axes.titlesize": self.type_size * 1.05,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": self.type_size,
            "xtick.labelsize": self.type_size * 0.95,
            "ytick.labelsize": self.type_size * 0.95,
            "legend.fontsize": self.type_size,
            "legend.frameon": False,
            "figure.facecolor": self.ground,
            "savefig.facecolor": self.ground,
            "axes.facecolor": self.ground,
            "axes.edgecolor": self.muted,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": self.grid,
            "grid.linewidth": 0.8,
            "lines.linewidth": 1.6 if self.narrow else 2.2,
            "lines.markersize": 4.5 if self.narrow else 7.0,
            "axes.unicode_minus": True,
            "text.parse_math": False,  # a class or an arm may be called "$x$"
            **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), self.ink),
            **dict.fromkeys(("xtick.color", "ytick.color"), self.muted),
            **dict.fromkeys(("xtick.labelcolor", "ytick.labelcolor"), self.ink),
        }
        applied: AbstractContextManager[None] = style.context(settings, after_reset=True)
        return applied

    def figure(self, height: float) -> Figure:
        """Return an empty figure; without pyplot, so that no global state is kept and no display is needed."""
        return Figure(figsize=(self.width, height), dpi=DPI[self.narrow], layout="constrained")


LOOKS: Sequence[Look] = tuple(Look(dark, narrow) for narrow in (False, True) for dark in (False, True))


def png(figure: Figure, *, palette: bool = True) -> bytes:
    """Return a figure as PNG without date or program name, so that the same drawing gives the same bytes.

    `palette` reduces it to 256 colours; turn it off for photographs.
    """
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():  # the font may lack letters of a class's name; boxes are drawn for them
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if palette:  # makes the page a third of the size; without dithering, flat colours stay flat
        image = image.quantize(256, dither=Image.Dither.NONE)
    compact = io.BytesIO()
    image.save(compact, format="PNG", optimize=True)
    return compact.getvalue()


def shortened(name: str, length: int) -> str:
    """Shorten a name to at most `length` characters on one line; its end is kept, because names often differ there."""
    whole, end = shown(" ".join(name.split())) or "–", length // 4
    return whole if len(whole) <= length else f"{whole[: length - end - 1].rstrip()}…{whole[len(whole) - end :]}"


def empty(axes: Axes, text: str, look: Look) -> None:
    """Write a text into a panel that has nothing to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=look.muted)
