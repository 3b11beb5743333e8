"""Pictures unlike the training images are doubted, and so are classes that are right too rarely; both are recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from convlens import artifact, nn
from convlens.data import Examples
from convlens.errors import ArtifactError, ConfigurationError
from convlens.nn import Model
from convlens.nn.doubt import FALSE_ALARMS, FEWEST, Doubt
from convlens.predictor import UNLIKE, Predictor
from convlens.typing import Array, FloatArray, IntArray

DRAW = np.random.default_rng(0)


def bars(number: int, seed: int) -> Examples:
    """Draw 8 x 8 images: a bar that lies, or stands."""
    draw = np.random.default_rng(seed)
    images, labels = draw.integers(0, 60, (number, 8, 8, 1), dtype=np.uint8), np.arange(number) % 2
    for image, standing in zip(images, labels, strict=True):
        (image.swapaxes(0, 1) if standing else image)[draw.integers(2, 6)] = draw.integers(180, 255)
    return Examples("bars", images, labels)


TRAINING, VALIDATION, FRESH = bars(1500, 1), bars(600, 2), bars(1500, 3)


@pytest.fixture(scope="module")
def model() -> Model:
    """A network of fixed random features: what it answers differs from image to image."""
    return Model([nn.Flatten(), nn.Dense(32), nn.ReLU(), nn.Dense(2)], (8, 8, 1), seed=0).use("numpy")


@pytest.fixture(scope="module")
def doubt(model: Model) -> Doubt:
    found = Doubt.of(model, TRAINING, VALIDATION)
    assert found is not None
    return found


def test_one_of_a_hundred_images_like_the_training_images_is_doubted(model: Model, doubt: Doubt) -> None:
    assert doubt(model, VALIDATION.images).mean() == pytest.approx(FALSE_ALARMS, abs=0.002)
    assert doubt(model, FRESH.images).mean() < 3 * FALSE_ALARMS


def test_other_images_are_doubted(model: Model, doubt: Doubt) -> None:
    crosses = np.maximum(FRESH.images, FRESH.images.swapaxes(1, 2))
    for images in (DRAW.integers(0, 256, (200, 8, 8, 1), dtype=np.uint8), 255 - FRESH.images, crosses):
        assert doubt(model, images).mean() > 0.6
    unscaled = FRESH.images.astype(np.float32) * np.float32(1e30)
    assert doubt(model, unscaled).all()


def test_strangeness_is_the_least_of_the_classes_gaussians(model: Model, doubt: Doubt) -> None:
    for image in FRESH.images[:5]:
        upright = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
        views = np.stack([*upright, *(view.swapaxes(0, 1) for view in upright)])
        assert len(np.unique(views.reshape(8, -1), axis=0)) == 8  # all turns and mirror images
        answers = (model.logits(views).ravel() - doubt.centre) @ doubt.components
        expected = min(
            (answers - mean) @ factor @ factor.T @ (answers - mean) - np.linalg.slogdet(factor @ factor.T)[1]
            for mean, factor in zip(doubt.means, doubt.factors, strict=True)
        )
        assert doubt.strangeness(model, image[np.newaxis])[0] == pytest.approx(expected, rel=1e-6)


def test_the_record_travels_with_the_model(model: Model, doubt: Doubt, tmp_path: Path) -> None:
    model.doubt = doubt
    model.save(tmp_path / "bars.safetensors")
    model.doubt = None
    loaded = nn.load(tmp_path / "bars.safetensors").use("numpy")
    assert loaded.doubt is not None
    np.testing.assert_array_equal(
        loaded.doubt.strangeness(loaded, FRESH.images), doubt.strangeness(model, FRESH.images)
    )
    assert (loaded.doubt.threshold, loaded.doubt.temperature) == (doubt.threshold, doubt.temperature)
    model.save(tmp_path / "none.safetensors")
    assert nn.load(tmp_path / "none.safetensors").doubt is None
    seen = Predictor(loaded).predict([FRESH.images[0], DRAW.integers(0, 256, (8, 8, 1), dtype=np.uint8)])
    assert [UNLIKE in one.doubts for one in seen] == [False, True]
    assert UNLIKE not in Predictor(model).predict_one(255 - FRESH.images[0]).doubts  # nothing is recorded


@pytest.mark.parametrize(
    "change",
    [{"score": "energy"}, {"threshold": "high"}, {"means": [[1.0]]}, {"centre": None}, {"treshold": 1.0},
     {"factors": [[[float("nan")]]]}, {"temperature": 0}, {"temperature": "warm"}, {"temperature": None}],
)  # fmt: skip
def test_a_damaged_record_is_refused(model: Model, doubt: Doubt, tmp_path: Path, change: dict[str, Any]) -> None:
    record = json.loads(json.dumps(doubt.to_dict()))
    with pytest.raises(ConfigurationError, match="doubt: "):
        Doubt.from_dict(record | change)
    model.doubt = doubt
    model.save(tmp_path / "bars.safetensors")
    model.doubt = None
    stored = artifact.read(tmp_path / "bars.safetensors", "model")
    if change.get("factors") is None:  # JSON has no such number
        artifact.write(tmp_path / "bad", "model", stored.header | {"doubt": record | change}, stored.arrays)
        with pytest.raises(ArtifactError, match="is damaged"):
            nn.load(tmp_path / "bad")


def test_where_nothing_can_be_found_out(model: Model) -> None:
    assert Doubt.of(model, TRAINING, bars(FEWEST - 1, 4)) is None
    many = Model([nn.Flatten(), nn.Dense(101)], (8, 8, 1)).use("numpy")
    assert Doubt.of(many, TRAINING, VALIDATION) is None
    wild = Model(model.layers, (8, 8, 1), seed=0).use("numpy")
    wild.parameters["dense1.w"][...] = 1e38
    assert Doubt.of(wild, TRAINING, VALIDATION) is None


def test_classes_of_few_or_no_images_and_oblong_ones() -> None:
    oblong = Model([nn.Flatten(), nn.Dense(4)], (6, 9, 1), seed=0).use("numpy")
    images = DRAW.integers(0, 256, (400, 6, 9, 1), dtype=np.uint8)
    labels = np.r_[np.zeros(396, int), 1, 1, 1, 3]
    found = Doubt.of(oblong, Examples("training", images, labels), Examples("validation", images, labels))
    assert found is not None
    assert found.centre.shape == (16,)
    assert found(oblong, images).mean() == pytest.approx(FALSE_ALARMS, abs=0.006)


class Corner:
    """A model whose logits are the first three pixels of an image, times a factor."""

    classes = 3

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def logits(self, images: Array) -> FloatArray:
        logits: FloatArray = self.factor * images.reshape(len(images), -1)[:, :3].astype(np.float64)
        return logits


def cornered(number: int, temperature: float) -> tuple[Examples, IntArray]:
    """Draw images, and classes with the probabilities softmax(logits / temperature) of `Corner(1)`."""
    draw = np.random.default_rng(5)
    images = draw.normal(0, 3, (number, 4, 4, 1)).astype(np.float32)
    chance = softmax(Corner(1).logits(images) / temperature, axis=1)
    labels = (draw.random((number, 1)) > chance.cumsum(axis=1)).sum(axis=1)
    return Examples("cornered", images, labels), labels


@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
def test_the_temperature_is_found_that_the_labels_were_drawn_with(factor: float) -> None:
    examples, labels = cornered(3000, temperature=0.8)
    found = Doubt.of(Corner(factor), examples, examples)
    assert found is not None
    assert found.temperature == pytest.approx(0.8 * factor, rel=0.08)
    logits = Corner(factor).logits(examples.images)
    grid = found.temperature * np.linspace(0.8, 1.25, 91)
    misfits = [-log_softmax(logits / one, axis=1)[np.arange(3000), labels].mean() for one in grid]
    assert grid[np.argmin(misfits)] == pytest.approx(found.temperature, rel=0.02)  # without the share e
    right = logits.argmax(axis=1) == labels
    assert found.calibrated(logits).max(axis=1).mean() == pytest.approx(right.mean(), abs=0.015)
    np.testing.assert_allclose(found.calibrated(logits), softmax(logits / found.temperature, axis=1), rtol=1e-9)


def test_answers_that_are_all_right_do_not_become_certain() -> None:
    examples, _ = cornered(FEWEST, temperature=1)
    answered = Examples("answered", examples.images, Corner(1).logits(examples.images).argmax(axis=1))
    found = Doubt.of(Corner(1), answered, answered)
    assert found is not None
    assert 0.05 < found.temperature < 1
    assert found.calibrated(np.array([[0.1, 0.0, 0.0]])).max() < 0.9


def test_a_record_without_temperature_calibrates_nothing(doubt: Doubt) -> None:
    record = doubt.to_dict()
    del record["temperature"]
    early = Doubt.from_dict(record)
    assert early.temperature == 1
    np.testing.assert_allclose(early.calibrated(np.log([[0.3, 0.7]])), [[0.3, 0.7]])
