"""`Model.evaluate` takes labelled images in every form, and explains what is wrong with others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import data, nn, train
from convlens.errors import DataError, ShapeError
from tests.toys import load_toy


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> data.Dataset:
    return load_toy(Path(tmp_path_factory.mktemp("evaluate")) / "bars")


@pytest.fixture(scope="module")
def model(toy: data.Dataset) -> nn.Model:
    return nn.Model([nn.Flatten(), nn.Dense(3)], toy.input_shape, 1)


def test_every_form_gives_the_same(toy: data.Dataset, model: nn.Model) -> None:
    before = toy.test.reads
    found = model.evaluate(toy)
    assert toy.test.reads == before + 1
    images, labels = toy.test.images, toy.test.labels
    for same in (toy.test, (images, labels), (images[..., 0], labels.tolist()), (model.preprocessing(images), labels)):
        assert model.evaluate(same).to_dict() == found.to_dict()
    assert train.evaluate(model, toy.test).to_dict() == found.to_dict()
    assert model.evaluate(toy.validation).images == len(toy.validation)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda x, y: x, DataError, r"takes a data set, examples, or \(images, labels\), not ndarray"),
        (lambda x, y: (x, y[:-1]), DataError, "60 images and 59 labels"),
        (lambda x, y: (x[:0], y[:0]), DataError, "at least one"),
        (lambda x, y: (x, y + 1), DataError, "expected 0 to 2"),
        (lambda x, y: (x[:, :5], y), ShapeError, "expected images of shape"),
        (lambda x, y: (x[:, :5] / 255, y), ShapeError, "expected images of shape"),
    ],
)
def test_refused(toy: data.Dataset, model: nn.Model, wrong: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model.evaluate(wrong(toy.test.images, toy.test.labels))


def test_large_sets_are_predicted_in_blocks_to_the_same_bits(toy: data.Dataset, model: nn.Model) -> None:
    images = np.tile(toy.test.images, (20, 1, 1, 1))  # 1,200: more than two blocks
    whole = model.logits(images)
    assert whole.tobytes() == model.logits(model.preprocessing(images)).tobytes()
    assert model.logits(images[:0]).shape == (0, 3)
    one = model.logits(images[:1])
    assert model.logits(images[0]).tobytes() == model.logits(images[0, ..., 0]).tobytes() == one.tobytes()
    tall = nn.Model([nn.Flatten(), nn.Dense(2)], (600, 4, 1))
    assert tall.logits(np.zeros((600, 4, 1), np.uint8)).shape == (1, 2)
