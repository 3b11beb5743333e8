"""Pictures of digits as people bring them: dark ink on paper, clean or with a frame, rulings, a shadow, ...

Each picture is an MNIST digit drawn large. Its size, place, pen and tones are drawn from its own seed, and are the same
in every kind of picture, so kinds are compared digit by digit. `KINDS` has all of them; `letter` draws a character of a
font on the same paper.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Map = np.ndarray
SHORTEST, LONGEST = 200, 800  # pixels along a picture's side


@dataclass
class Page:
    """A picture under way: where the ink is, 0 to 1, and the tones, 0 to 255, of pen and paper."""

    ink: Map  # (H, W)
    paper: float | Map
    pen: float
    noise: float
    draw: np.random.Generator  # of the disturbance; the style has another

    @property
    def side(self) -> int:
        return len(self.ink)

    def add(self, lines: Map, strength: float = 1.0) -> None:
        """Draw lines as strong as the pen, or fainter."""
        self.ink = np.maximum(self.ink, strength * lines)

    def pixels(self) -> Map:
        """Return the picture, uint8."""
        grey = self.paper - self.ink * (self.paper - self.pen)
        return _bytes(grey + self.draw.normal(0, self.noise, grey.shape) if self.noise else grey)


def blank(seed: int, side: int | None = None) -> tuple[Page, np.random.Generator]:
    """Return an empty page, and the generator of its style."""
    style = np.random.default_rng((seed, 0))
    drawn = round(float(np.exp(style.uniform(np.log(SHORTEST), np.log(LONGEST)))))
    paper, pen, noise = style.uniform(205, 255), style.uniform(10, 90), style.choice([0.0, 2.0, 4.0])
    size = side or drawn
    return Page(np.zeros((size, size)), paper, pen, float(noise), np.random.default_rng((seed, 1))), style


def digit(image: Map, seed: int, *, share: float | None = None, side: int | None = None, corner: bool = False) -> Page:
    """Draw a digit (28, 28): the longer side of its box takes 35 to 70 % of the page's, or `share`."""
    page, style = blank(seed, side)
    part, level, (down, right) = style.uniform(0.35, 0.7), style.uniform(0.3, 0.6), style.uniform(0.15, 0.85, 2)
    glyph = _enlarged(image, max(4, round((share or part) * page.side)), level)
    _place(page, glyph, (0.06, 0.06) if corner else (down, right))
    return page


def letter(character: str, font: Path, seed: int) -> Page:
    """Draw a character of a font, of the size and in the place of a digit of the same seed."""
    page, style = blank(seed)
    part, _, (down, right) = style.uniform(0.35, 0.7), style.uniform(0.3, 0.6), style.uniform(0.15, 0.85, 2)
    chosen = ImageFont.truetype(font, round(1.2 * part * page.side))
    box = chosen.getbbox(character)
    canvas = Image.new("L", (round(box[2] - box[0]) + 8, round(box[3] - box[1]) + 8))
    ImageDraw.Draw(canvas).text((4 - box[0], 4 - box[1]), character, fill=255, font=chosen)
    canvas.thumbnail((round(0.9 * page.side), round(0.9 * page.side)))
    _place(page, np.asarray(canvas) / 255, (down, right))
    return page


def _place(page: Page, glyph: Map, at: tuple[float, float]) -> None:
    """Put a glyph on the page; 0 is as far up, or left, as it goes without touching the edge."""
    (height, width), margin = glyph.shape, max(2, round(0.02 * page.side))
    top, left = (round(margin + place * max(page.side - 2 * margin - length, 0)) for place, length in
                 zip(at, glyph.shape, strict=True))  # fmt: skip
    page.ink[top : top + height, left : left + width] = glyph[: page.side - top, : page.side - left]


def _enlarged(image: Map, longest: int, level: float) -> Map:
    """Return a digit's box with smooth, crisp strokes, `longest` pixels along its longer side."""
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    cut = np.pad(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    scale = longest / (max(cut.shape) - 2)
    size = round(scale * cut.shape[1]), round(scale * cut.shape[0])
    smooth = np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BICUBIC), float) / 255
    return np.clip((smooth - level) * max(scale / 2, 1.0) + 0.5, 0, 1) * (smooth > 0.05)


def _bytes(grey: Map) -> Map:
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _painted(page: Page, paint: Callable[[ImageDraw.ImageDraw], object]) -> Map:
    """Return what is painted on a canvas of the page's size, anti-aliased."""
    canvas = Image.new("L", (2 * page.side, 2 * page.side))
    paint(ImageDraw.Draw(canvas))
    return np.asarray(canvas.resize((page.side, page.side), Image.Resampling.BOX)) / 255


def _frame(inset: float, width: int, *, radius: float = 0, sides: str = "nesw") -> Callable[[Page], Map | None]:
    """Draw a frame, `inset` pixels inside the edge (of 400; larger pictures have larger frames)."""

    def disturb(page: Page) -> None:
        unit = page.side / 400
        near, thick = round(inset * unit), max(1, round(width * unit))
        lines, far = np.zeros_like(page.ink), page.side - near
        if radius:
            box = (2 * near, 2 * near, 2 * far, 2 * far)
            page.add(
                _painted(page, lambda canvas: canvas.rounded_rectangle(box, radius * 2 * unit, None, 255, 2 * thick))
            )
            return
        parts = {
            "n": np.s_[near : near + thick, near:far], "s": np.s_[far - thick : far, near:far],
            "w": np.s_[near:far, near : near + thick], "e": np.s_[near:far, far - thick : far],
        }  # fmt: skip
        for name in sides:
            lines[parts[name]] = 1
        page.add(lines)

    return disturb


def _ruled(lines_a_side: float, *, strength: float, across: bool = True, down: bool = False) -> Callable[[Page], None]:
    def disturb(page: Page) -> None:
        gap, thick = page.side / lines_a_side, max(1, round(page.side / 300))
        lines = np.zeros_like(page.ink)
        for start in np.arange(page.draw.uniform(0.2, 0.8) * gap, page.side, gap):
            row = int(start)
            if across:
                lines[row : row + thick] = 1
            if down:
                lines[:, row : row + thick] = 1
        page.add(lines, strength)

    return disturb


def _box_of(page: Page) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) of the ink."""
    rows, columns = np.flatnonzero(page.ink.max(1) > 0.3), np.flatnonzero(page.ink.max(0) > 0.3)
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _through(page: Page) -> None:
    """One ruled line, as dark as the pen, through the digit."""
    top, bottom, _, _ = _box_of(page)
    row, thick = round(top + page.draw.uniform(0.3, 0.9) * (bottom - top)), max(1, round(page.side / 250))
    lines = np.zeros_like(page.ink)
    lines[row : row + thick] = 1
    page.add(lines)


def _cell(page: Page) -> None:
    """A form's cell: its sides are near the digit, and go on to the neighbouring cells."""
    top, bottom, left, right = _box_of(page)
    gap, thick = round(0.12 * max(bottom - top, right - left)), max(1, round(page.side / 200))
    lines = np.zeros_like(page.ink)
    for edge in (top - gap, bottom + gap):
        lines[max(edge, 0) : max(edge, 0) + thick] = 1
    for edge in (left - gap, right + gap):
        lines[max(top - gap, 0) : bottom + gap, max(edge, 0) : max(edge, 0) + thick] = 1
    page.add(lines)


def _touching(page: Page) -> None:
    """A frame that the digit touches: its box is the digit's own, on two sides."""
    top, bottom, left, right = _box_of(page)
    gap, thick = round(0.25 * max(bottom - top, right - left)), max(1, round(page.side / 130))
    upper, lower, first, last = max(top - gap, 0), min(bottom, page.side) - thick, max(left - gap, 0), right - thick
    lines = np.zeros_like(page.ink)
    lines[upper : upper + thick, first : last + thick] = lines[lower : lower + thick, first : last + thick] = 1
    lines[upper : lower + thick, first : first + thick] = lines[upper : lower + thick, last : last + thick] = 1
    page.add(lines)


def _by_pen(page: Page) -> None:
    """A box drawn by hand around the digit."""
    top, bottom, left, right = _box_of(page)
    gap = 0.18 * max(bottom - top, right - left)
    corners = [
        (left - gap, top - gap),
        (right + gap, top - gap),
        (right + gap, bottom + gap),
        (left - gap, bottom + gap),
    ]
    reach = 0.03 * page.side
    moved = [(x + page.draw.uniform(-reach, reach), y + page.draw.uniform(-reach, reach)) for x, y in corners]
    path = []
    for (x, y), (to_x, to_y) in zip(moved, [*moved[1:], moved[0]], strict=True):
        bow = page.draw.uniform(-reach, reach, 2)
        path += [
            (2 * (x + part * (to_x - x + bow[0] * (1 - part))), 2 * (y + part * (to_y - y + bow[1] * (1 - part))))
            for part in np.linspace(0, 1, 12)
        ]
    page.add(_painted(page, lambda canvas: canvas.line(path, 255, max(2, page.side // 50), "curve")))


def _margin(page: Page) -> None:
    column, thick = round(page.draw.uniform(0.08, 0.16) * page.side), max(1, round(page.side / 250))
    page.ink = np.roll(page.ink, 0)
    lines = np.zeros_like(page.ink)
    lines[:, column : column + thick] = 1
    page.add(lines, 0.8)


def _shadow(page: Page) -> None:
    """The shadow of a hand or a phone: part of the paper is darker, with a soft edge."""
    down, right = np.mgrid[-0.5 : 0.5 : page.side * 1j, -0.5 : 0.5 : page.side * 1j]
    angle, offset = page.draw.uniform(0, 2 * np.pi), page.draw.uniform(-0.2, 0.2)
    depth = np.clip((down * np.sin(angle) + right * np.cos(angle) - offset) * 40 + 0.5, 0, 1)
    light = 1 - page.draw.uniform(0.15, 0.35) * depth
    page.paper, page.pen = page.paper * light, page.pen * light  # type: ignore[assignment]


def _scan(page: Page) -> None:
    """The black border of a scan that was laid on askew."""
    down, right = np.mgrid[0 : 1 : page.side * 1j, 0 : 1 : page.side * 1j]
    lines = np.zeros_like(page.ink)
    for distance, along in ((down, right), (1 - down, right), (right, down), (1 - right, down)):
        if page.draw.random() < 0.6:
            lines[distance < page.draw.uniform(0.005, 0.04) + page.draw.uniform(-0.02, 0.02) * along] = 1
    page.add(lines)


def _desk(page: Page) -> None:
    """A card on a dark desk."""
    edge = round(0.06 * page.side)
    grown = np.ones((page.side + 2 * edge, page.side + 2 * edge))
    grown[edge:-edge, edge:-edge] = page.ink
    page.ink = grown


def _faint(page: Page) -> None:
    page.pen = page.paper - page.draw.uniform(30, 50)


def _colours(page: Page, tones: tuple[float, float, float], lines: Map | None = None, ruling: float = 0) -> Map:
    """Return a picture in colour: ink of `tones` on paper, over lines of blue and one of red."""
    picture = np.repeat((page.paper * np.ones_like(page.ink))[..., None], 3, axis=2)
    if lines is not None:
        for number, tint in ((1, (90, 130, 220)), (2, (220, 80, 90))):
            picture = np.where((lines == number)[..., None], ruling * np.array(tint) + (1 - ruling) * picture, picture)
    picture = picture * (1 - page.ink[..., None]) + page.ink[..., None] * np.array(tones)
    return _bytes(picture + page.draw.normal(0, page.noise, picture.shape))


def _coloured_ink(page: Page) -> Map:
    inks = ((30, 60, 190), (200, 30, 40), (20, 130, 60), (120, 40, 150), (240, 140, 20))
    return _colours(page, inks[int(page.draw.integers(len(inks)))])


def _notebook(page: Page) -> Map:
    lines, gap, thick = np.zeros_like(page.ink), page.side / 9, max(1, round(page.side / 300))
    for row in np.arange(page.draw.uniform(0.2, 0.8) * gap, page.side, gap).astype(int):
        lines[row : row + thick] = 1
    column = round(0.1 * page.side)
    lines[:, column : column + thick] = 2
    return _colours(page, (page.pen, page.pen, page.pen), lines, 0.8)


def _jpeg(page: Page) -> Map:
    stream = io.BytesIO()
    Image.fromarray(page.pixels()).save(stream, "JPEG", quality=int(page.draw.integers(8, 20)))
    return np.asarray(Image.open(stream))


def _turned(page: Page, then: Callable[[Page], object] | None = None) -> Map:
    """Return the page photographed askew, by up to six degrees."""
    if then is not None:
        then(page)
    angle, tone = page.draw.uniform(-6, 6), float(np.mean(page.paper))
    picture = Image.fromarray(page.pixels()).rotate(angle, Image.Resampling.BICUBIC, fillcolor=round(tone))
    return np.asarray(picture)


Disturb = Callable[[Page], "Map | None"]
Kind = Callable[[Map, int], Map]


def _with(*disturbances: Disturb, **options: object) -> Kind:
    """Return a kind of picture: a digit, then disturbances; the last may return pixels of its own."""

    def make(image: Map, seed: int) -> Map:
        page, pixels = digit(image, seed, **options), None  # type: ignore[arg-type]
        for disturb in disturbances:
            pixels = disturb(page)
        return page.pixels() if pixels is None else pixels

    return make


CLEAN = "clean"
KINDS: dict[str, Kind] = {
    CLEAN: _with(),
    **{f"frame of width {width}, {inset} inside": _with(_frame(inset, width))
       for inset, width in ((0, 3), (0, 12), (4, 1), (10, 3), (10, 12), (20, 2), (20, 6), (40, 3), (40, 12))},
    "rounded frame": _with(_frame(12, 4, radius=40)),
    "two frames": _with(_frame(6, 2), _frame(16, 4)),
    "one side of a frame": _with(_frame(10, 4, sides="w")),
    "one side at the edge": _with(_frame(0, 8, sides="n")),
    "three sides of a frame": _with(_frame(10, 4, sides="wse")),
    "box drawn by pen": _with(_by_pen),
    "cell of a form": _with(_cell),
    "frame that touches the digit": _with(_touching),
    "lined paper": _with(_ruled(8, strength=0.6)),
    "dark lined paper": _with(_ruled(6, strength=1.0)),
    "squared paper": _with(_ruled(14, strength=0.4, down=True)),
    "dark squared paper": _with(_ruled(7, strength=0.9, down=True)),
    "a line through the digit": _with(_through),
    "line of the margin": _with(_margin),
    "notebook, blue lines and red margin": _with(_notebook),
    **{f"digit of {percent} % of the side": _with(share=percent / 100, side=800)
       for percent in (3, 4, 5, 8, 15)},
    "digit of 5 % in a corner": _with(share=0.05, side=800, corner=True),
    "digit of 6 % in a frame": _with(_frame(10, 3), share=0.06, side=800),
    "digit of 15 % on lined paper": _with(_ruled(14, strength=0.6), share=0.15, side=800),
    "edge of a shadow": _with(_shadow),
    "black border of a scan": _with(_scan),
    "card on a dark desk": _with(_desk),
    "coloured ink": _with(_coloured_ink),
    "low contrast": _with(_faint),
    "JPEG of low quality": _with(_jpeg),
    "photographed askew": _with(_turned),
    "frame, photographed askew": _with(lambda page: _turned(page, _frame(30, 4))),
    "lined paper, photographed askew": _with(lambda page: _turned(page, _ruled(8, strength=0.7))),
}  # fmt: skip


def _strokes(*paths: tuple[tuple[float, float], ...], closed: bool = False) -> Callable[[int], Map]:
    """Draw strokes by pen: paths of (x, y), 0 to 1, in a box of the size and place of a digit."""

    def make(seed: int) -> Map:
        page, style = blank(seed)
        size = style.uniform(0.35, 0.7) * page.side
        corner = (page.side - size) * style.uniform(0.15, 0.85, 2)
        wobble = page.draw.normal(0, 0.015, (len(paths), 40, 2))
        pen = max(3, round(size * style.uniform(0.06, 0.12)))
        drawn = [
            [tuple(2 * (corner + size * (np.array(point) + shift))) for point, shift in zip(path, moved, strict=False)]
            for path, moved in zip(paths, wobble, strict=True)
        ]

        def paint(canvas: ImageDraw.ImageDraw) -> None:
            for path in drawn:
                canvas.line([*path, path[0]] if closed else path, 255, 2 * pen, "curve")

        page.add(_painted(page, paint))
        return page.pixels()

    return make


def _round(
    x: float, y: float, radius: float, start: float = 0, stop: float = 2 * np.pi
) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(start, stop, 24)
    return tuple((x + radius * float(np.cos(angle)), y + radius * float(np.sin(angle))) for angle in angles)


def _scribble(seed: int) -> Map:
    points = np.random.default_rng((seed, 2)).random((14, 2))
    return _strokes(tuple((float(x), float(y)) for x, y in points))(seed)


def _empty(seed: int) -> Map:
    return blank(seed)[0].pixels()


def _two(seed: int) -> Map:
    draw = _strokes(((0.2, 0), (0.2, 1)), _round(0.75, 0.5, 0.25))
    return draw(seed)


STAR = tuple((0.5 + r * np.sin(i * np.pi / 5), 0.5 - r * np.cos(i * np.pi / 5)) for i, r in enumerate((0.5, 0.2) * 5))
SHAPES: dict[str, Callable[[int], Map]] = {
    "an X": _strokes(((0, 0), (1, 1)), ((1, 0), (0, 1))),
    "a plus sign": _strokes(((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))),
    "a star": _strokes(STAR, closed=True),
    "a triangle": _strokes(((0.5, 0), (1, 0.9), (0, 0.9)), closed=True),
    "a square": _strokes(((0, 0), (1, 0), (1, 1), (0, 1)), closed=True),
    "a smiley": _strokes(_round(0.5, 0.5, 0.5), _round(0.5, 0.5, 0.28, 0.4, 2.7), ((0.33, 0.3), (0.33, 0.38)),
                         ((0.67, 0.3), (0.67, 0.38))),
    "a tick": _strokes(((0, 0.6), (0.35, 1), (1, 0))),
    "a scribble": _scribble,
    "an empty page": _empty,
    "a one and a zero": _two,
}  # fmt: skip
