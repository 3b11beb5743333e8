"""From pictures of every kind to predictions, with what was done and every reason for doubt."""

from __future__ import annotations

import doctest
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convlens
from convlens import models, nn, predictor
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError, DataError, ShapeError
from convlens.nn import Model
from convlens.predictor import SURE, Predictor

DRAW = np.random.default_rng(0)
PAGE = np.full((200, 150), 255, np.uint8)
PAGE[40:160, 70:82] = 0  # a one, dark on light
SMALL = DRAW.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def digits() -> Model:
    return models.build("baseline", seed=0).use("numpy")


@pytest.fixture(scope="module")
def colours() -> Model:
    layers = [nn.Flatten(), nn.Dense(3)]
    return Model(layers, (8, 8, 3), seed=0, class_names=["ant", "bee", "cat"]).use("numpy")


def test_a_picture_is_the_same_whatever_it_comes_as(digits: Model, tmp_path: Path) -> None:
    (tmp_path / "ünë.png").write_bytes(png(PAGE))
    path = tmp_path / "ünë.png"
    kinds = [path, str(path), png(PAGE), Image.fromarray(PAGE), PAGE, PAGE.astype(np.int64), PAGE > 0]
    one, *others = map(Predictor(digits).predict_one, kinds)
    assert one.account.done[0] == "inverted (dark ink on light paper)"
    assert all(other == one for other in others)


def test_pictures_of_other_models_are_taken_as_they_are(colours: Model) -> None:
    seeing = Predictor(colours)
    assert not seeing.prepares
    expected = colours.predict_proba(SMALL)
    for pictures in (SMALL, list(SMALL), [png(one) for one in SMALL], [Image.fromarray(one) for one in SMALL],
                     SMALL.astype(np.float32) * np.float32(1 / 255)):  # fmt: skip
        found = seeing.predict(pictures)
        assert [list(one.probabilities.values()) for one in found] == expected.tolist()
        assert [one.index for one in found] == expected.argmax(axis=1).tolist()
        assert not any(one.account.changed for one in found)
    assert seeing.predict([]) == []


def test_what_a_prediction_says(colours: Model) -> None:
    model = Model(colours.layers, (8, 8, 3), class_names=["ant", "bee", "cat"]).use("numpy")
    model.flat[:] = 0
    bias = model.parameters["dense1.b"]
    bias[:] = np.log([0.05, 0.2, 0.75])
    unsure = Predictor(model).predict_one(SMALL[0])
    assert (unsure.class_name, unsure.index, str(unsure)) == ("cat", 2, "cat (75.00 %)")
    assert unsure.doubts == ("the model gives bee 20.00 %",)
    bias[:] = np.log([0.05, 0.02, 0.93])
    sure = Predictor(model).predict_one(SMALL[0])
    assert sure.probability > SURE
    assert (sure.unsure, sure.doubts) == (False, ())
    assert json.loads(json.dumps(sure.to_dict())) == {
        "class": "cat",
        "index": 2,
        "probability": pytest.approx(0.93),
        "probabilities": {"ant": pytest.approx(0.05), "bee": pytest.approx(0.02), "cat": pytest.approx(0.93)},
        "done": [],
        "warnings": [],
        "doubts": [],
        "unsure": False,
    }


def test_doubts_about_the_picture_come_first(digits: Model) -> None:
    blank = Predictor(digits).predict_one(np.full((90, 90), 128, np.uint8))
    assert blank.doubts[0] == "no ink stands out from its paper"
    assert blank.doubts[1].startswith("the model gives ")
    assert blank.to_dict()["warnings"] == ["no ink stands out from its paper"]
    assert blank.unsure


def test_preparing_can_be_chosen(digits: Model) -> None:
    assert Predictor(digits).prepares
    with pytest.raises(ShapeError, match="expected 28 x 28"):
        Predictor(digits, prepare=False).predict([png(PAGE)])
    letters = Model(digits.layers, digits.input_shape, class_names=list("abcdefghij")).use("numpy")
    assert not Predictor(letters).prepares
    assert Predictor(letters, prepare=True).predict_one(PAGE).account.changed


def test_floats_are_the_input_as_they_are(digits: Model) -> None:
    x = DRAW.random((2, 28, 28), np.float32)
    found = Predictor(digits).predict(x)
    expected = digits.predict_proba(x[..., np.newaxis])
    assert [list(one.probabilities.values()) for one in found] == expected.tolist()
    assert not found[0].account.changed


def test_a_file_of_a_model_will_do(digits: Model, tmp_path: Path) -> None:
    digits.save(tmp_path / "m.safetensors")
    assert convlens.Predictor(tmp_path / "m.safetensors").predict_one(PAGE).index == Predictor(digits).predict_one(
        PAGE
    ).index  # fmt: skip
    with pytest.raises(ArtifactError, match="none"):
        Predictor(str(tmp_path / "none.safetensors"))


def test_threads_share_one(digits: Model) -> None:
    seeing = Predictor(digits)
    pages = [np.roll(PAGE, 3 * shift, axis=1) for shift in range(8)]
    expected = [seeing.predict([page]) for page in pages]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda page: seeing.predict([page]), pages * 4)) == expected * 4


NAN = np.zeros((28, 28))
NAN[3, 4] = np.nan
REFUSED: dict[str, tuple[object, type[ConvlensError], str]] = {
    "a single file": ("seven.png", ConfigurationError, "use predict_one"),
    "a single image": (Image.new("L", (9, 9)), ConfigurationError, "use predict_one"),
    "a number": ([7], DataError, "a int is not a picture; expected a file's name or content"),
    "not a number": ([PAGE, NAN], DataError, r"picture 2: .*nan at \(3, 4\); expected a finite number"),
    "a pixel of 300": ([PAGE.astype(int) + 45], DataError, r"picture 1: .*300.*0 to 255"),
    "floats of another size": ([np.zeros((9, 9))], ShapeError, r"expected images of shape \(28, 28, 1\)"),
    "texts": ([np.array([["a"]])], DataError, "picture 1: holds <U1; expected pixels"),
    "a batch of batches": ([np.zeros((1, 28, 28, 1))], ShapeError, r"picture 1: .*a picture is \(H, W\)"),
    "no image": ([b"no image"], DataError, "is not an image"),
    "infinite output": ([np.full((28, 28), 3e38)], DataError, "output is not finite"),
}


@pytest.mark.parametrize("given", REFUSED)
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_refused(digits: Model, given: str) -> None:
    pictures, error, message = REFUSED[given]
    with pytest.raises(error, match=message):
        Predictor(digits).predict(pictures)  # type: ignore[arg-type]


def test_the_example_of_its_documentation() -> None:
    assert doctest.testmod(predictor).failed == 0


def test_floats_that_were_not_scaled_are_doubted(digits: Model) -> None:
    pixels = np.zeros((28, 28), np.float32)
    pixels[4:24, 12:16] = 255
    assert any("values go from 0 to 255" in doubt for doubt in Predictor(digits).predict_one(pixels).doubts)
    assert not any("values go" in doubt for doubt in Predictor(digits).predict_one(pixels / 255).doubts)
