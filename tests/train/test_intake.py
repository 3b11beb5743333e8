"""How a picture becomes a model's input: found out from the training images, and kept with the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convlens import artifact, data, nn, train
from convlens.data.dataset import Dataset
from convlens.data.sources.mnist import IDENTITIES
from convlens.errors import ArtifactError, ConfigurationError
from convlens.predictor import Predictor
from convlens.preprocessing import Intake
from tests.idx_files import write_idx

LABELS = np.arange(300) % 10


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Return thirty images of each digit, in the order of `LABELS`."""
    mnist = data.load("mnist").train
    places = np.argsort(mnist.labels, kind="stable")
    first = np.searchsorted(mnist.labels[places], np.arange(10))
    return mnist.images[places[np.concatenate([first + step for step in range(30)])]]


def trained(dataset: Dataset) -> nn.Model:
    model = nn.Model([nn.Flatten(), nn.Dense(len(dataset.class_names))], dataset.input_shape).use("numpy")
    train.fit(model, dataset, "good", epochs=1, progress=False)
    return model


def test_the_pixels_decide_and_not_the_names(digits: np.ndarray) -> None:
    assert Dataset.from_arrays(digits, LABELS).intake == Intake("digits")
    assert Dataset.from_arrays(digits, LABELS, class_names=list("abcdefghij")).intake == Intake("digits")
    assert Dataset.from_arrays(digits, LABELS // 5).intake == Intake("digits")
    noise = np.random.default_rng(0).integers(0, 256, digits.shape, dtype=np.uint8)
    assert Dataset.from_arrays(digits / 255, LABELS).intake == Intake("digits")
    for others in (
        255 - digits,
        noise,
        digits / 128,
        (digits - 33.0) / 80,
        digits.astype(float),
        np.roll(digits, 3, axis=2),
    ):
        assert Dataset.from_arrays(others, LABELS).intake == Intake("as-is")


def test_every_class_is_looked_at(digits: np.ndarray) -> None:
    mixed = np.where((LABELS == 7)[:, None, None, None] | (LABELS == 3)[:, None, None, None], 255 - digits, digits)
    assert Dataset.from_arrays(mixed, LABELS).intake.prepare == "as-is"


def test_no_test_image_is_read(digits: np.ndarray) -> None:
    dataset = Dataset.from_arrays(digits, LABELS, 255 - digits, LABELS)
    assert (dataset.intake.prepare, dataset.test.reads) == ("digits", 0)
    assert Dataset.from_arrays(digits, LABELS).test.reads == 0


def test_it_can_be_overruled(digits: np.ndarray) -> None:
    dataset = Dataset.from_arrays(digits, LABELS)
    chosen = dataset.with_intake(prepare="as-is")
    assert (chosen.intake, dataset.intake) == (Intake("as-is"), Intake("digits"))
    assert chosen.subset(20).intake == chosen.intake
    assert trained(chosen).intake == Intake("as-is")
    with pytest.raises(ConfigurationError, match=r"unknown key 'prepares'.*prepare"):
        dataset.with_intake(prepares="as-is")
    with pytest.raises(ConfigurationError, match="prepare is 'digits' or 'as-is'"):
        dataset.with_intake(prepare=True)


def test_a_model_takes_it_over_and_its_file_holds_it(digits: np.ndarray, tmp_path: Path) -> None:
    model = trained(Dataset.from_arrays(digits, LABELS).with_intake(resize=True, white=4095))
    model.save(tmp_path / "m.safetensors")
    assert nn.load(tmp_path / "m.safetensors").intake == model.intake == Intake("digits", resize=True, white=4095)
    untrained = nn.Model([nn.Flatten(), nn.Dense(3)], (8, 8, 1))
    untrained.save(tmp_path / "u.safetensors")
    assert nn.load(tmp_path / "u.safetensors").intake is untrained.intake is None


def test_pictures_for_a_model_trained_on_scaled_digits_are_prepared(digits: np.ndarray) -> None:
    seeing = Predictor(trained(Dataset.from_arrays(digits / 255, LABELS)))
    assert seeing.predict_one(255 - digits[0]).account.done[0] == "inverted (dark ink on light paper)"
    pixels, floats = seeing.predict_one(digits[0]), seeing.predict_one(digits[0] / 255)
    assert pixels.probability == pytest.approx(floats.probability, rel=1e-5)


def test_a_model_can_be_trained_further_on_data_of_another_scale(digits: np.ndarray) -> None:
    model = trained(Dataset.from_arrays((digits - 33.0) / 80, LABELS))
    with pytest.raises(ConfigurationError, match="trained on floats"):
        model.predict(digits)
    train.fit(model, Dataset.from_arrays(digits, LABELS), "good", epochs=1, progress=False)
    assert model.intake == Intake("digits")
    assert len(model.predict(digits)) == len(digits)


@pytest.mark.parametrize("intake", [{"prepare": "letters"}, {"size": 3}, {"white": 0}, ["digits"], None])
def test_a_damaged_record_is_refused(intake: object, tmp_path: Path) -> None:
    nn.Model([nn.Flatten(), nn.Dense(3)], (8, 8, 1)).save(tmp_path / "m.safetensors")
    found = artifact.read(tmp_path / "m.safetensors", "model")
    artifact.write(tmp_path / "m.safetensors", "model", {**found.header, "intake": intake}, found.arrays)
    with pytest.raises(ArtifactError, match="intake"):
        nn.load(tmp_path / "m.safetensors")


def test_mnist_is_recognised_wherever_it_comes_from(tmp_path: Path) -> None:
    mnist = data.load("mnist", seed=3)
    assert mnist.sha256 in IDENTITIES
    assert mnist.intake == Intake("digits")
    write_idx(tmp_path / "train-images", mnist.test.images[..., 0])
    write_idx(tmp_path / "train-labels", mnist.test.labels.astype(np.uint8))
    assert data.load(tmp_path).sha256 in IDENTITIES  # its test set alone
