"""Which images are prepared as MNIST's are, and which only resemble them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from convlens import data, nn
from convlens.pictures.likeness import box_of, prepared
from convlens.predictor import Predictor

DRAW = np.random.default_rng(0)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return data.load("mnist").validation.images[:200]


def jpeg(image: np.ndarray) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(image[..., 0]).save(stream, "JPEG", quality=50)
    return np.asarray(Image.open(stream))[..., np.newaxis]


def resized(side: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: np.asarray(Image.fromarray(image[..., 0]).resize((side, side)))[..., np.newaxis]


def boxed(image: np.ndarray) -> np.ndarray:
    """Return the digit centred by its box, not its mass."""
    grey = image[..., 0]
    rows, columns = (np.flatnonzero(grey.any(axis=axis)) for axis in (1, 0))
    cut = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    above, left = (28 - cut.shape[0]) // 2, (28 - cut.shape[1]) // 2
    return np.pad(cut, ((above, 28 - cut.shape[0] - above), (left, 28 - cut.shape[1] - left)))[..., np.newaxis]


LIKE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as they are": lambda image: image,
    "saved as JPEG": jpeg,
    "in three equal channels": lambda image: np.repeat(image, 3, axis=2),
    "fainter": lambda image: image // 3,
    "14 pixels": resized(14),
    "64 pixels": resized(64),
}
UNLIKE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "dark on light": lambda image: 255 - image,
    "moved by two pixels": lambda image: np.roll(image, 2, axis=1),
    "centred by their box": boxed,
    "on a much wider ground": lambda image: np.pad(image, ((9, 9), (9, 9), (0, 0))),
    "filling the frame": lambda image: resized(28)(image[4:24, 4:24]),
    "in red": lambda image: image * np.array([1, 0, 0], np.uint8),
    "with opacity": lambda image: np.concatenate([image] * 4, axis=2),
    "almost black": lambda image: image // 8,
    "noise": lambda image: DRAW.integers(0, 256, (28, 28, 1), dtype=np.uint8),
    "black": np.zeros_like,
    "white": lambda image: np.full_like(image, 255),
}


@pytest.mark.parametrize("kind", LIKE)
def test_like_mnist(digits: np.ndarray, kind: str) -> None:
    assert box_of(map(LIKE[kind], digits)) == 20 / 28


def test_mnist_padded_to_32_pixels(digits: np.ndarray) -> None:
    padded = np.pad(digits, ((0, 0), (2, 2), (2, 2), (0, 0)))
    assert box_of(padded) == 20 / 32
    intake = data.Dataset.from_arrays(padded, np.arange(len(padded)) % 10).intake
    model = nn.Model([nn.Flatten(), nn.Dense(10)], (32, 32, 1))
    model.intake = intake
    page = 255 - np.asarray(Image.fromarray(padded[0, ..., 0]).resize((320, 320)))
    seen = Predictor(model).predict_one(page).seen[..., 0]
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in {19, 20}
    np.testing.assert_array_equal(Predictor(model).predict_one(padded[0]).seen, padded[0])


@pytest.mark.parametrize("kind", UNLIKE)
def test_unlike_mnist(digits: np.ndarray, kind: str) -> None:
    assert not box_of(map(UNLIKE[kind], digits))


def test_nearly_all_must_be_like_mnist(digits: np.ndarray) -> None:
    assert not box_of([])
    assert not prepared(np.zeros((28, 28, 2), np.uint8))
    mixed = [digit if number % 10 else 255 - digit for number, digit in enumerate(digits)]
    assert box_of(mixed)
    assert not box_of([digit if number % 5 else 255 - digit for number, digit in enumerate(digits)])


def test_photographs_are_not_all_read() -> None:
    photographs = iter(np.full((1000, 8, 8, 1), 255, np.uint8))
    assert not box_of(photographs)
    assert len(list(photographs)) > 900
