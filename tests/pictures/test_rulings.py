"""Frames, ruled lines and borders are removed from pictures of digits, and small digits are found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from convlens.data import Dataset
from convlens.pictures import Account, prepare_digit
from convlens.pictures.ink import blobs
from convlens.pictures.rulings import rulings

SHAPE = (28, 28, 1)
SIDE = 300


def page(digit: np.ndarray, size: int = 170, at: tuple[int, int] = (60, 70), side: int = SIDE) -> np.ndarray:
    """Return a picture: dark ink on light paper."""
    drawn = np.full((side, side), 240.0)
    large = np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)).astype(float)
    drawn[at[0] : at[0] + size, at[1] : at[1] + size] -= 0.8 * large
    return drawn


def framed(drawn: np.ndarray, inset: int, width: int, sides: str = "nesw") -> np.ndarray:
    far = len(drawn) - inset
    lines = {
        "n": np.s_[inset : inset + width, inset:far],
        "s": np.s_[far - width : far, inset:far],
        "w": np.s_[inset:far, inset : inset + width],
        "e": np.s_[inset:far, far - width : far],
    }
    for side in sides:
        drawn[lines[side]] = 30
    return drawn


def ruled(drawn: np.ndarray, gap: int, *, down: bool = False, tone: float = 100) -> np.ndarray:
    for row in range(gap // 2, len(drawn), gap):
        drawn[row] = np.minimum(drawn[row], tone)
        if down:
            drawn[:, row] = np.minimum(drawn[:, row], tone)
    return drawn


def askew(drawn: np.ndarray) -> np.ndarray:
    turned = Image.fromarray(drawn.astype(np.uint8)).rotate(4, Image.Resampling.BICUBIC, fillcolor=240)
    return np.asarray(turned).astype(float)


def boxed_by_hand(drawn: np.ndarray) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 4000)
    radius = 135 / np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle))) + 3 * np.sin(5 * angle)
    rows, columns = (np.rint(148 + radius * turn(angle)).astype(int) for turn in (np.sin, np.cos))
    for i in range(5):
        drawn[rows + i, columns + i] = 40
    return drawn


def crooked_box(drawn: np.ndarray) -> np.ndarray:
    """Draw a box with sides that are not parallel."""
    canvas = Image.fromarray(drawn.astype(np.uint8))
    corners = [(52, 49), (245, 36), (264, 261), (56, 256)]
    ImageDraw.Draw(canvas).line([*corners, corners[0]], 40, 8, "curve")
    return np.asarray(canvas).astype(float)


KINDS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "frame 10 inside": (lambda drawn: framed(drawn, 10, 3), "removed a frame"),
    "thick frame": (lambda drawn: framed(drawn, 10, 12), "removed a frame"),
    "frame at the edge": (lambda drawn: framed(drawn, 0, 6), "removed a "),
    "border of 12": (lambda drawn: framed(drawn, 0, 12), "removed a "),
    "two sides": (lambda drawn: framed(drawn, 12, 4, "wn"), "removed "),
    "frame that touches": (lambda drawn: framed(drawn, 62, 4), "removed a frame"),
    "boxed by hand": (boxed_by_hand, "removed a frame"),
    "crooked box": (crooked_box, "removed a frame"),
    "lined paper": (lambda drawn: ruled(drawn, 50), "straight lines"),
    "squared paper": (lambda drawn: ruled(drawn, 40, down=True), "straight lines"),
    "frame askew": (lambda drawn: askew(framed(drawn, 22, 4)), "removed a frame"),
}


@pytest.fixture(scope="module")
def digits(loaded_digits: Dataset) -> np.ndarray:
    return loaded_digits.validation.images[:10, ..., 0]


def prepared(drawn: np.ndarray) -> tuple[np.ndarray, Account]:
    image, account = prepare_digit(np.clip(np.rint(drawn), 0, 255).astype(np.uint8), SHAPE)
    return image[..., 0].astype(float), account


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return the cosine of two images; a centre of mass between two pixels may be rounded to either."""
    moved = [np.roll(one, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(float((shifted * other).sum()) for shifted in moved) / float(np.sqrt((one**2).sum() * (other**2).sum()))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_and_rulings_are_removed_and_named(digits: np.ndarray, kind: str) -> None:
    disturb, words = KINDS[kind]
    for digit in digits:
        clean = askew(page(digit)) if "askew" in kind else page(digit)
        image, account = prepared(disturb(page(digit)))
        assert words in str(account)
        assert likeness(image, prepared(clean)[0]) > 0.9, account


def bold(digit: np.ndarray) -> np.ndarray:
    return np.max([np.roll(digit, shift, (0, 1)) for shift in np.ndindex(3, 3)], axis=0)


@pytest.mark.parametrize(
    "disturb",
    [
        lambda drawn: ruled(drawn, 40, down=True),
        lambda drawn: ruled(drawn, 28, down=True),
        lambda drawn: askew(ruled(drawn, 50)),
        lambda drawn: np.pad(drawn, 24, constant_values=20),  # a card on a dark desk
    ],
)
def test_bold_strokes_are_no_shadow_and_hide_no_lines(
    digits: np.ndarray, disturb: Callable[[np.ndarray], np.ndarray]
) -> None:
    for digit in digits:
        drawn = page(bold(digit), 230, (35, 35))
        image, account = prepared(disturb(drawn.copy()))
        assert "removed " in str(account)
        assert likeness(image, prepared(drawn)[0]) > 0.9, account


@pytest.mark.parametrize("size", [30, 45, 80])  # the digit itself takes 20/28 of it
def test_small_digits_are_found(digits: np.ndarray, size: int) -> None:
    for digit in digits:
        image, account = prepared(page(digit, size, (600, 30), 700))
        assert not account.warnings
        assert likeness(image, digit.astype(float)) > 0.85, account


def test_strokes_are_not_taken_for_lines() -> None:
    """An angular digit that fills its picture is all straight lines."""
    one, four, seven, zero, eight = (np.full((200, 120), 250.0) for _ in range(5))
    one[:, 50:64] = four[:, 85:100] = 10
    four[110:125] = 10
    four[:125, :14] = 10
    seven[:14] = seven[:, -14:] = 10
    zero[:14] = zero[-14:] = zero[:, :14] = zero[:, -14:] = 10
    eight[...] = zero
    eight[93:107] = 10
    for drawn in (one, four, seven, zero, eight):
        for edge in (0, 20):
            assert "removed" not in str(prepared(np.pad(drawn, edge, constant_values=250))[1])


def test_lines_at_the_steepest_tilt() -> None:
    rows, columns = np.mgrid[:397, :397]
    mask = (rows + np.rint(-0.125 * columns).astype(int)) % 40 < 1
    for tilted in (mask, mask[::-1], mask[:, ::-1], mask.T):
        tilted[:, -1] = tilted[0] = True
        assert rulings(tilted).mask.shape == tilted.shape


def test_blobs_against_a_flood() -> None:
    mask = np.random.default_rng(0).random((40, 33)) < 0.4
    labels, count = blobs(mask)
    assert count == labels.max()
    assert ((labels > 0) == mask).all()
    near = np.pad(labels, 1)
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = np.roll(near, (down, right), (0, 1))
        assert (near == other)[(near > 0) & (other > 0)].all()
    for label in range(1, count + 1):  # each is one piece: growing within the mask from any pixel reaches all of it
        piece, reached = labels == label, np.zeros_like(mask)
        reached[tuple(np.argwhere(piece)[0])] = True
        for _ in range(mask.size):
            grown = np.pad(reached, 1)
            grown = np.any([np.roll(grown, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)[1:-1, 1:-1]
            if (grown & piece == reached).all():
                break
            reached = grown & piece
        assert (reached == piece).all()
    assert blobs(np.zeros((3, 0), bool))[1] == 0
