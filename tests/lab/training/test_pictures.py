"""Training images as augmentation moves them, against the batch that a training would have of them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens.data import Dataset
from convlens.lab.training import pictures
from convlens.lab.training.configuration import dataset_of
from convlens.lab.training.pictures import moved
from convlens.lab.training.routes import _composed
from convlens.train.augmentation import Augmentation

from .small import LAYERS, data, images


def pixels(found: dict[str, Any]) -> Any:
    return np.frombuffer(base64.b64decode(found["pixels"]), np.uint8).reshape(found["count"], *found["shape"])


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    return dataset_of(data(tmp_path))


def test_images_that_nothing_moves_are_themselves(small: Dataset) -> None:
    found = moved(small, Augmentation(), 0)
    assert found["count"] == pictures.MOST_MOVED
    assert (pixels(found) == small.train.images[:10]).all()


def test_images_are_moved_as_training_moves_them(small: Dataset) -> None:
    augmentation = Augmentation(shift=1, rotation=20)
    wanted = augmentation(small.preprocessing(small.train.images[:10]), 3) * 255
    np.testing.assert_allclose(pixels(moved(small, augmentation, 3)), wanted, atol=0.51)
    assert (pixels(moved(small, augmentation, 4)) != pixels(moved(small, augmentation, 3))).any()


def test_of_large_images_there_are_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 2 * 8 * 8 * 3 + 1)
    found = moved(dataset_of(str(images(tmp_path, [(8, 8)]))), Augmentation(shift=1), 0)
    assert (found["count"], pixels(found).shape) == (2, (2, 8, 8, 3))


def test_composing_shows_them_if_something_moves(tmp_path: Path) -> None:
    given: dict[str, Any] = {"layers": LAYERS, "data": data(tmp_path), "seeds": [5], "recipe": {"base": "good"}}
    assert _composed(given)["moved"] is None
    assert _composed({**given, "recipe": {"base": "good", "augmentation": {"elastic": -1}}})["moved"] is None
    found = _composed({**given, "recipe": {"base": "good", "augmentation": {"elastic": 9}}})
    assert found["moved"] == moved(dataset_of(given["data"]), Augmentation(elastic=9), 5)
