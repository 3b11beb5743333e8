"""Pictures of digits as people draw and photograph them, and of what is no digit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from convlens import data, models
from convlens.pictures import Account, prepare_digit
from convlens.predictor import UNLIKE, Prediction, Predictor
from convlens.train import fit
from tests.strangers.table import Call, Row

SIDE = 360
BLACK, PAPER = 25, 235


@cache
def digits() -> data.Dataset:
    return data.load("mnist").subset(4_000)


@cache
def predictor() -> Predictor:
    """Predict with a small network, trained here."""
    model = models.build("cnn", filters=(8, 16), hidden=32, seed=0)
    fit(model, digits(), epochs=1, test=False, progress=False)
    return Predictor(model, prepare=True)


def seven(size: int = 200, at: tuple[int, int] = (80, 80)) -> Image.Image:
    """Draw a seven by pen, dark on paper."""
    page = Image.new("L", (SIDE, SIDE), PAPER)
    (x, y), pen = at, max(3, size // 11)
    path = [(x + 0.15 * size, y + 0.1 * size), (x + 0.8 * size, y + 0.06 * size), (x + 0.4 * size, y + 0.95 * size)]
    ImageDraw.Draw(page).line(path, BLACK, pen, "curve")
    return page


def drawn(page: Image.Image, paint: Callable[[ImageDraw.ImageDraw], object]) -> Image.Image:
    paint(ImageDraw.Draw(page))
    return page


def framed(inset: int, width: int, size: int = 200) -> Image.Image:
    box = (inset, inset, SIDE - 1 - inset, SIDE - 1 - inset)
    return drawn(seven(size), lambda canvas: canvas.rectangle(box, outline=BLACK, width=width))


def ruled(*, down: bool) -> Image.Image:
    page = seven()
    for place in range(15, SIDE, 30):
        drawn(page, lambda canvas, place=place: canvas.line((0, place, SIDE, place), 120))
        if down:
            drawn(page, lambda canvas, place=place: canvas.line((place, 0, place, SIDE), 120))
    return page


def in_a_table() -> Image.Image:
    page = seven(120, (120, 120))
    for place in (110, 250):
        drawn(page, lambda canvas, place=place: canvas.line((0, place, SIDE, place), BLACK, 3))
        drawn(page, lambda canvas, place=place: canvas.line((place, 0, place, SIDE), BLACK, 3))
    return page


def shadowed() -> Image.Image:
    page = np.asarray(seven()).astype(float)
    page[:, 170:] *= 0.7
    return Image.fromarray(page.astype(np.uint8))


def read(page: Image.Image, *, said: str = "") -> Row:
    """Expect a seven, without a warning, and words in the account."""

    def gives(found: tuple[np.ndarray, Account]) -> None:
        image, account = found
        expected = prepare_digit(seven(), (28, 28, 1))[0].astype(float)
        moved = [np.roll(image.astype(float), shift, (0, 1)) for shift in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0))]
        likeness = max((one * expected).sum() / np.sqrt((one**2).sum() * (expected**2).sum()) for one in moved)
        assert likeness > 0.85, account
        assert said in str(account), account
        assert not account.warnings

    return Call("", lambda _: prepare_digit(page, (28, 28, 1)), gives)


def named(name: str, row: Row) -> Row:
    assert isinstance(row, Call)
    return Call(name, row.call, row.gives)


def no_digit(name: str, page: Callable[[], Image.Image], words: str = UNLIKE) -> Row:
    def gives(found: Prediction) -> None:
        assert any(words in doubt for doubt in found.doubts), found

    return Call(name, lambda _: predictor().predict_one(page()), gives)


def strokes(*paths: tuple[tuple[int, int], ...]) -> Image.Image:
    page = Image.new("L", (SIDE, SIDE), PAPER)
    for path in paths:
        drawn(page, lambda canvas, path=path: canvas.line(path, BLACK, 18, "curve"))
    return page


def few_false_alarms(_: Path) -> float:
    validation = digits().validation
    found = predictor().predict(validation.images[:300])
    return float(np.mean([UNLIKE in one.doubts for one in found]))


def is_at_most_three_percent(share: float) -> None:
    assert share <= 0.03


PICTURES = {
    "a seven on paper": (seven(), ""),
    "a frame 10 pixels inside": (framed(10, 3), "removed a frame"),
    "a thick frame 10 pixels inside": (framed(10, 12), "removed a frame"),
    "a border of 12 pixels": (framed(0, 12), "removed a "),
    "a border of 1 pixel": (framed(0, 1), "removed a "),
    "lined paper": (ruled(down=False), "straight lines"),
    "squared paper": (ruled(down=True), "straight lines"),
    "a table's cell": (in_a_table(), "removed"),
    "a digit of 5 % of the side": (seven(20, (300, 40)), ""),
    "a small digit in a frame": (framed(4, 2, 40), "removed a frame"),
    "a shadow's edge": (shadowed(), ""),
}

ROWS: list[Row] = [
    *(named(name, read(page, said=said)) for name, (page, said) in PICTURES.items()),
    no_digit("an X", lambda: strokes(((90, 90), (270, 270)), ((270, 90), (90, 270)))),
    no_digit("an M", lambda: strokes(((80, 270), (80, 90), (180, 200), (280, 90), (280, 270)))),
    no_digit("an empty page", strokes, "no ink stands out"),
    no_digit("a black page", lambda: Image.new("L", (SIDE, SIDE), 0), "no ink stands out"),
    Call("digits are seldom doubted", few_false_alarms, is_at_most_three_percent),
]
