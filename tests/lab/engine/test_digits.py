"""Drawings are made like MNIST's digits by the page as by the library, to the pixel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw

from convlens.data import load
from convlens.pictures import prepare_digit
from tests.lab.engine.conftest import Engine

SHAPE = (28, 28, 1)


def enlarged(digit: np.ndarray, draw: np.random.Generator, side: int = 280) -> np.ndarray:
    """A digit of MNIST on a canvas: large or small, anywhere."""
    size = int(draw.integers(60, 220))
    glyph = Image.fromarray(digit[..., 0]).resize((size, size), Image.Resampling.BICUBIC)
    canvas = np.zeros((side, side), np.uint8)
    top, left = draw.integers(0, side - size + 1, 2)
    canvas[top : top + size, left : left + size] = np.asarray(glyph)
    canvas[canvas < 8] = 0
    return canvas


def drawn(draw: np.random.Generator) -> np.ndarray:
    """A curve by a round pen, and perhaps a speck."""
    canvas = Image.new("L", (300, 260))
    pen = ImageDraw.Draw(canvas)
    radius = float(draw.uniform(2, 12))
    points = np.cumsum(draw.normal(0, 14, (30, 2)), axis=0) + np.array([150, 130])
    for a, b in itertools.pairwise(points):
        for share in np.linspace(0, 1, 8):
            x, y = (1 - share) * a + share * b
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    if draw.random() < 0.3:
        pen.ellipse((280, 240, 283, 243), fill=255)
    return np.asarray(canvas)


@pytest.fixture(scope="module")
def drawings() -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    digits = load("mnist").train.images[:36]
    off_centre = [np.roll(digit[..., 0], (int(draw.integers(-4, 5)), 3), axis=(0, 1)) for digit in digits[:10]]
    return [*(enlarged(one, draw) for one in digits), *(drawn(draw) for _ in range(20)), *off_centre]


def test_drawings_become_the_same_pixels(engine: Engine, drawings: list[np.ndarray]) -> None:
    checked = 0
    for number, canvas in enumerate(drawings):
        shape = (SHAPE, (32, 32, 3), SHAPE, (20, 24, 1))[number % 4]
        wanted, account = prepare_digit(canvas, shape)
        if any("removed" in word or "levelled" in word for word in account.done):
            continue  # lines and uneven paper: the page looks for neither
        found = engine.call("prepareDigit", canvas, list(canvas.shape), list(shape))
        assert found["done"] == list(account.done), number
        assert found["warnings"] == list(account.warnings), number
        apart = np.abs(found["pixels"].reshape(shape).astype(int) - wanted)
        assert apart.max() <= 1, number
        checked += 1
    assert checked > 0.8 * len(drawings)


def test_an_empty_canvas_is_said_to_be_empty(engine: Engine) -> None:
    found = engine.call("prepareDigit", np.zeros((280, 280), np.uint8), [280, 280], list(SHAPE))
    assert found["warnings"] == ["no ink stands out from its paper"]
    assert not found["pixels"].any()


def test_a_canvas_is_read_as_it_looks_on_black(engine: Engine) -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[0, 0], rgba[0, 1], rgba[1, 2] = (255, 255, 255, 255), (255, 255, 255, 51), (0, 200, 0, 255)
    found = engine.call("fromCanvas", rgba, [2, 3]).reshape(2, 3)
    assert np.allclose(found, [[255, 51, 0], [0, 0, 0.587 * 200]], atol=0.01)
