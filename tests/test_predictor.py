"""From pictures of every kind to predictions, with what was done and every reason for doubt."""

from __future__ import annotations

import dataclasses
import doctest
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convlens
from convlens import data, models, nn, predictor, train
from convlens.data import Dataset, Examples
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError, DataError, ShapeError
from convlens.nn import Model
from convlens.nn.doubt import Doubt
from convlens.predictor import BLOCK, SURE, Prediction, Predictor
from convlens.preprocessing import Intake

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
    model = models.build("baseline", seed=0).use("numpy")
    model.intake = Intake("digits")
    return model


@pytest.fixture(scope="module")
def colours() -> Model:
    layers = [nn.Flatten(), nn.Dense(3)]
    return Model(layers, (8, 8, 3), seed=0, class_names=["ant", "bee", "cat"]).use("numpy")


def test_a_picture_is_the_same_whatever_it_comes_as(digits: Model, tmp_path: Path) -> None:
    (tmp_path / "ünë.png").write_bytes(png(PAGE))
    path = tmp_path / "ünë.png"
    kinds = [
        path, str(path), png(PAGE), bytearray(png(PAGE)), io.BytesIO(png(PAGE)), Image.fromarray(PAGE), PAGE,
        PAGE.astype(np.int64), PAGE > 0,
    ]  # fmt: skip
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


def test_a_class_is_doubted_by_its_calibrated_probability(colours: Model) -> None:
    """Softmax(z / T) of 3 classes is p**(1 / T), divided by the sum: it is written down here for T = 1/2 and 2."""
    model = Model(colours.layers, (8, 8, 3), class_names=["ant", "bee", "cat"]).use("numpy")
    model.flat[:] = 0
    bias, images = model.parameters["dense1.b"], DRAW.integers(0, 256, (500, 8, 8, 3), dtype=np.uint8)
    examples = Examples("flat", images, np.zeros(500, int))
    found = Doubt.of(model, examples, examples)
    assert found is not None
    for temperature, own, expected in (
        (1.0, (0.05, 0.2, 0.75), ("the model gives bee 20.00 %",)),
        (0.5, (0.05, 0.2, 0.75), ()),  # 0.5625 / 0.605 = 93 %
        (0.5, (0.05, 0.35, 0.6), ("calibrated on validation, the model gives cat 74.23 % and bee 25.26 %",)),
        (2.0, (0.05, 0.02, 0.93), ("calibrated on validation, the model gives cat 72.54 % and ant 16.82 %",)),
    ):
        bias[:] = np.log(own)
        model.doubt = dataclasses.replace(found, temperature=temperature, threshold=np.inf)
        one = Predictor(model).predict_one(SMALL[0])
        assert one.doubts == expected
        assert list(one.probabilities.values()) == pytest.approx(own)  # the network's own


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
    fresh = Model(digits.layers, digits.input_shape).use("numpy")
    assert not Predictor(fresh).prepares
    assert Predictor(fresh, prepare=True).predict_one(PAGE).account.changed
    with pytest.raises(ConfigurationError, match=r"for a model of 4 x 4 x 1: .*at least 8 x 8"):
        Predictor(Model([nn.Flatten(), nn.Dense(3)], (4, 4, 1)), prepare=True)


def test_what_is_not_recorded_is_said(digits: Model) -> None:
    old = Model(digits.layers, digits.input_shape).use("numpy")
    assert "does not record" in Predictor(old).notes[0]
    assert Predictor(old, prepare=True).notes == Predictor(old, prepare=False).notes == Predictor(digits).notes == ()
    for training in ({"data": {"sha256": "0" * 64, "name": "mnist"}}, {"data": ["mnist"]}):
        old.training = training
        assert not Predictor(old).prepares
        assert Predictor(old).notes
    old.training = {"data": {"sha256": data.load("mnist").sha256}}
    assert Predictor(old).prepares
    assert not Predictor(old).notes


def test_what_was_done_to_a_picture_is_said(colours: Model) -> None:
    grey = Model(colours.layers, (8, 8, 1)).use("numpy")
    grey.intake = Intake(resize=True)
    colours.intake = Intake(resize=True)
    page = np.zeros((40, 60), np.uint8)
    assert Predictor(colours).predict_one(page).account.done == (
        "converted from grey to colour", "resized from 60 x 40 to 8 x 8",
    )  # fmt: skip
    assert Predictor(grey).predict_one(png(SMALL[0])).account.done == ("converted from colour to grey",)
    see_through = Image.new("LA", (8, 8), (0, 0))
    assert Predictor(grey).predict_one(see_through).account.done == ("laid on white (it is transparent)",)
    assert Predictor(grey).predict_one(see_through).seen.tolist() == np.full((8, 8, 1), 255).tolist()
    colours.intake = None
    with pytest.raises(ShapeError, match=r"60 x 40.*expected 8 x 8.*train the model with --resize"):
        Predictor(colours).predict([page])


def test_every_picture_is_turned_upright(colours: Model) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(np.rot90(SMALL[0])).save(stream, "PNG", exif=exif)  # rotated by -90 degrees when it is turned
    found = Predictor(colours).predict_one(stream.getvalue())
    np.testing.assert_array_equal(found.seen, SMALL[0])
    assert found.account.done == ("turned upright as the camera noted",)
    assert found.probabilities == Predictor(colours).predict_one(SMALL[0]).probabilities


def test_one_bad_picture_does_not_lose_the_others(colours: Model) -> None:
    pictures: list[object] = [*SMALL, *SMALL] * 8
    pictures[3], pictures[70] = b"no picture", np.full((8, 8, 3), 3e38)
    found = list(Predictor(colours).each(pictures))  # type: ignore[arg-type]
    assert len(pictures) > 2 * BLOCK
    assert [number for number, one in enumerate(found) if isinstance(one, DataError)] == [3, 70]
    expected = colours.predict(np.concatenate([SMALL] * 16))
    answers = [(number, one.index) for number, one in enumerate(found) if isinstance(one, Prediction)]
    assert answers == [(number, int(expected[number])) for number, _ in answers]


def test_pictures_are_read_as_they_are_needed(colours: Model) -> None:
    read = []

    def pictures():  # type: ignore[no-untyped-def]
        for number in range(1000):
            read.append(number)
            yield SMALL[0]

    next(Predictor(colours).each(pictures()))
    assert len(read) <= BLOCK


FLOATS = [Dataset.from_arrays(images, np.arange(60) % 3) for images in (
    DRAW.random((60, 8, 8)), DRAW.normal(size=(60, 8, 8)), 255 * DRAW.random((60, 8, 8)), 1e-3 * DRAW.random((60, 8, 8))
)]  # fmt: skip


@pytest.mark.parametrize("dataset", FLOATS)
def test_pixels_for_a_model_of_floats(dataset: Dataset) -> None:
    model = Model([nn.Flatten(), nn.Dense(3)], (8, 8, 1)).use("numpy")
    train.fit(model, dataset, "good", epochs=1, progress=False)
    floats = dataset.test.images[0]
    assert not any("values go" in doubt for doubt in Predictor(model).predict_one(floats).doubts)
    assert any("values go" in doubt for doubt in Predictor(model).predict_one(floats * 300).doubts)
    pixels = np.full((8, 8), 255, np.uint8)
    if dataset is FLOATS[0]:
        assert Predictor(model).notes == ("the model was trained on floats from 0 to 1, so pixels are divided by 255",)
        assert Predictor(model).predict_one(pixels) == Predictor(model).predict_one(pixels / 255)
        return
    for picture in (pixels, png(pixels)):
        with pytest.raises(ConfigurationError, match=r"trained on floats from .* to .*; give arrays of floats"):
            Predictor(model).predict([picture])
    with pytest.raises(ConfigurationError, match=r"trained on floats from .* to .*; give arrays of floats"):
        model.predict(pixels)
    del model.training["data"]["provenance"]["range"]  # as in early files
    assert model.predict(pixels).shape == (1,)
    with pytest.raises(ConfigurationError, match="floats whose range is not recorded"):
        Predictor(model).predict([pixels])


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
    "a number": ([7], DataError, "picture 1: is a value of type int; expected a file's name or content"),
    "nothing in a list": ([PAGE, None], DataError, "picture 2: is None; expected a file's name"),
    "nothing": (None, ConfigurationError, "several pictures, in a list for instance, not None"),
    "nested lists": ([[[0, 1], [2, 3]]], DataError, "picture 1: is a value of type list; .*an array"),
    "one array": (np.zeros((28, 28), np.uint8), ConfigurationError, r"use predict_one.*its shape is \(28, 28\)"),
    "one array with its channel": (np.zeros((28, 28, 1), np.uint8), ConfigurationError, "use predict_one"),
    "one page in colour": (np.zeros((300, 200, 3), np.uint8), ConfigurationError, "use predict_one"),
    "an open file": (io.BytesIO(b""), ConfigurationError, "use predict_one"),
    "a file that was read": ([io.BytesIO(b"")], DataError, r"nothing is left to read.*seek\(0\)"),
    "a file opened as text": ([io.StringIO("x")], DataError, "opened as text.*'rb'"),
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


@pytest.mark.parametrize("model", [None, 7, ["m.safetensors"], nn.Dense(3)])
def test_what_is_no_model_is_refused(model: object) -> None:
    with pytest.raises(ConfigurationError, match="a predictor needs a model, or the name of the file of one, not"):
        Predictor(model)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="prepare is True, False or None"):
        Predictor(models.build("baseline"), prepare="digits")  # type: ignore[arg-type]


def test_the_example_of_its_documentation() -> None:
    assert doctest.testmod(predictor).failed == 0


def test_floats_that_were_not_scaled_are_doubted(digits: Model) -> None:
    pixels = np.zeros((28, 28), np.float32)
    pixels[4:24, 12:16] = 255
    assert any("values go from 0 to 255" in doubt for doubt in Predictor(digits).predict_one(pixels).doubts)
    assert not any("values go" in doubt for doubt in Predictor(digits).predict_one(pixels / 255).doubts)
