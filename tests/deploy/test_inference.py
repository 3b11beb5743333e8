"""The module for SageMaker's ready-made images: its network, its requests and its answers, each against an oracle."""

from __future__ import annotations

import csv as csv_format
import io
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from PIL import Image

from convlens import data, nn
from convlens.deploy.sagemaker import inference
from convlens.deploy.sagemaker.package import model_arrays, package
from convlens.engine.interpreter import OPS
from convlens.nn import Model, load
from convlens.pictures.digits import _is_like_mnist
from convlens.predictor import Predictor
from convlens.preprocessing import BOX, Intake, Preprocessing
from tests.deploy.requests_and_answers import CSV, JSON, NPY, PNG, as_json, chunk, csv, npy, png, raw_png
from tests.layer_cases import CASES, LayerCase
from tests.nn.test_random_architectures import architectures

DRAW = np.random.default_rng(0)


def answered(model: dict[str, Any], body: bytes, kind: str, accept: str = JSON) -> Any:
    """Return the answer to a request, read; or the reason why it was refused."""
    found = inference.predict_fn(inference.input_fn(body, kind), model)
    if isinstance(found, inference.RefusedError):
        return found.reason
    text, answered_as = inference.output_fn(found, accept)
    assert answered_as == accept
    if accept == JSON:
        return json.loads(text)["predictions"]
    if accept == CSV:
        return np.array(list(csv_format.reader(io.StringIO(str(text)))), float)
    return np.load(io.BytesIO(text))  # type: ignore[arg-type]


def probabilities(answer: list[dict[str, Any]]) -> np.ndarray:
    return np.array([list(one["probabilities"].values()) for one in answer])


def loaded(model: Model, folder: Path) -> dict[str, Any]:
    """Return what `model_fn` gives for a model that was saved, packed and unpacked."""
    path = folder / "m.safetensors"
    model.save(path)
    arrays, header = model_arrays(path)
    return {**json.loads(json.dumps(header)), "arrays": arrays}


# ---------------------------------------------------------------- the network


def check_logits(model: Model, x: np.ndarray) -> None:
    packed = {
        "program": json.loads(json.dumps(model.program.to_dict())),
        "arrays": {**model.parameters, **model.buffers},
    }
    found, wanted = inference.forward(x, packed), model.use("interpreter").logits(x)
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype == np.float32
    assert np.abs(found - wanted).max(initial=0) <= 1e-5 * max(1.0, float(np.abs(wanted).max(initial=0)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_layer_is_the_interpreters(case: LayerCase) -> None:
    check_logits(case.build(), case.batch(3)[0])


@given(architectures(), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=60)
def test_random_architectures_are_the_interpreters(drawn: Any, n: int, seed: int) -> None:
    layers, shape = drawn
    note(str(layers))
    x = np.random.default_rng(seed).standard_normal((n, *shape)).astype(np.float32)
    check_logits(Model(layers, shape, seed), x)


def test_every_op_is_known() -> None:
    assert set(inference.OPS) == set(OPS)


def test_the_numbers_of_images_do_not_matter(unpacked: Path, digits: Model) -> None:
    model = inference.model_fn(str(unpacked))
    images = DRAW.integers(0, 256, (2 * inference.BLOCK + 3, 28, 28, 1), dtype=np.uint8)
    found = answered(model, npy(images), NPY, NPY)
    np.testing.assert_allclose(found, digits.predict_proba(images), atol=2e-6)
    assert answered(model, npy(images[:0]), NPY, NPY).shape == (0, 10)


# ---------------------------------------------------------------- requests and answers


@pytest.fixture(scope="module")
def model(unpacked: Path) -> dict[str, Any]:
    return inference.model_fn(str(unpacked))


@pytest.mark.parametrize("kind", [NPY, JSON, CSV])
@pytest.mark.parametrize("accept", [NPY, JSON, CSV])
def test_arrays_give_the_models_predictions(model: dict[str, Any], digits: Model, kind: str, accept: str) -> None:
    write = {NPY: npy, JSON: as_json, CSV: csv}[kind]
    pixels = data.load("mnist").test.images[:4]
    for images in (pixels, pixels / np.float32(255), pixels.astype(np.float64) / 255):
        found = answered(model, write(images), kind, accept)
        if accept == JSON:
            assert [one["index"] for one in found] == [int(one["class"]) for one in found]
            assert [one["probability"] for one in found] == [max(one["probabilities"].values()) for one in found]
            found = probabilities(found)
        np.testing.assert_allclose(found, digits.predict_proba(pixels), atol=2e-6)


def test_shapes_of_one_and_several_images(model: dict[str, Any]) -> None:
    image = data.load("mnist").test.images[0]
    one = answered(model, npy(image), NPY)
    for same in (image[..., 0], image.ravel(), image[np.newaxis], image[np.newaxis, ..., 0], image.reshape(1, -1),
                 np.asfortranarray(image[..., 0]), image.astype(np.int64), image.astype(">i2")):  # fmt: skip
        assert answered(model, npy(same), NPY) == one
    assert answered(model, json.dumps(image.tolist()).encode(), JSON) == one
    two = answered(model, npy(np.stack([image, image])), NPY)
    np.testing.assert_allclose(probabilities(two), probabilities(2 * one), atol=2e-6)
    black_and_white = image > 99
    assert answered(model, npy(black_and_white), NPY) == answered(model, npy(black_and_white * np.uint8(255)), NPY)
    assert answered(model, as_json(black_and_white), JSON) == answered(model, npy(black_and_white), NPY)


def test_text_is_read_as_bytes_are(model: dict[str, Any]) -> None:
    """The toolkit decodes JSON and CSV first."""
    image = data.load("mnist").test.images[:1]
    for kind, body in ((JSON, as_json(image)), (CSV, csv(image))):
        one, other = (inference.input_fn(given, f"{kind}; charset=utf-8") for given in (body, body.decode()))
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "palette with opacity", "a colour that is none"])
def test_pictures_are_read_as_the_predictor_reads_them(mode: str, channels: int, tmp_path: Path) -> None:
    made = Model([nn.Flatten(), nn.Dense(3)], (6, 7, channels), seed=1).use("interpreter")
    made.intake = Intake("as-is")
    pixels = DRAW.integers(0, 256, (6, 7, 4), dtype=np.uint8)
    pixels[2:4] = pixels[1]  # so that Pillow filters rows
    if mode == "palette with opacity":
        image = Image.fromarray(pixels[..., :3]).quantize(5)
        image.info["transparency"] = bytes([0, 99, 255])
    elif mode == "a colour that is none":
        image = Image.fromarray(pixels[..., :3])
        image.info["transparency"] = tuple(pixels[0, 0, :3].tolist())
    else:
        image = Image.fromarray(pixels).convert(mode)
    found = answered(loaded(made, tmp_path), png(image), PNG)
    wanted = Predictor(made).predict_one(png(image))
    np.testing.assert_allclose(probabilities(found)[0], list(wanted.probabilities.values()), atol=2e-6)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("colour", [0, 3])
def test_few_bits_a_channel(colour: int, depth: int) -> None:
    rows = DRAW.integers(0, 256, (3, 1 + (7 * depth + 7) // 8), dtype=np.uint8)
    rows[:, 0] = 4, 3, 1
    palette = DRAW.integers(0, 256, 3 << depth, dtype=np.uint8).tobytes() if colour else b""
    body = raw_png((7, 3), colour, rows.tobytes(), depth=depth, more=chunk(b"PLTE", palette) if palette else b"")
    with Image.open(io.BytesIO(body)) as image:
        wanted = np.asarray(image.convert("RGB" if palette else "L")).reshape(3, 7, -1)
    np.testing.assert_array_equal(inference.input_fn(body, PNG)[0], wanted)  # type: ignore[index]


@given(st.sampled_from([(0, 1, "L"), (2, 3, "RGB"), (4, 2, "LA"), (6, 4, "RGBA")]), st.integers(0, 10**6))
def test_rows_under_any_filter_are_decoded_as_pillow_does(colour: tuple[int, int, str], seed: int) -> None:
    kind, channels, mode = colour
    draw = np.random.default_rng(seed)
    height, width = draw.integers(1, 6, 2).tolist()
    rows = draw.integers(0, 256, (height, 1 + channels * width), dtype=np.uint8)
    rows[:, 0] = draw.integers(0, 5, height)
    body = raw_png((width, height), kind, rows.tobytes())
    with Image.open(io.BytesIO(body)) as image:
        assert image.mode == mode
        wanted = np.asarray(image.convert("RGBA" if channels in (2, 4) else mode)).reshape(height, width, -1)
    found = inference.input_fn(body, PNG)
    assert not isinstance(found, inference.RefusedError)
    np.testing.assert_array_equal(found[0], wanted)


def test_digits_are_like_mnist_where_convlens_says_so() -> None:
    images = data.load("mnist").test.images[:60]
    framed = np.full((1, 28, 28, 1), 200, np.uint8)
    framed[:, 1:-1, 1:-1] = 0
    others = [np.roll(images, 2, axis=1), 255 - images, images // 4, np.repeat(images, 2, axis=1)[:, :28], framed]
    every = np.concatenate([images, *others])
    for box in (1.0, BOX):
        found = [inference.like_mnist(image, box) for image in every]
        assert found == [_is_like_mnist(image, (28, 28, 1), box) for image in every]
    assert 50 < sum(found) < 200


def test_what_the_module_cannot_do_is_said(model: dict[str, Any]) -> None:
    image = data.load("mnist").test.images[0]
    [plain], [moved] = answered(model, png(image), PNG), answered(model, png(np.roll(image, 4, axis=0)), PNG)
    assert plain["warnings"] == []
    assert "this file cannot make it so: convlens serve can" in moved["warnings"][0]
    [unscaled] = answered(model, npy(image.astype(np.float32)), NPY)
    assert unscaled["warnings"] == ["values go from 0 to 255, and the model's from 0 to 1"]
    assert "28 x 28 x 1, found 1 x 40 x 30 x 1; this file resizes none" in answered(
        model, png(np.zeros((40, 30), np.uint8)), PNG
    )
    see_through = Image.fromarray(image[..., 0]).convert("LA")
    see_through.putpixel((0, 0), (9, 9))
    assert "cannot lay a digit on paper" in answered(model, png(see_through), PNG)


def test_models_of_floats_take_no_pixels(tmp_path: Path) -> None:
    made = Model([nn.Flatten(), nn.Dense(3)], (4, 4, 1), seed=1)
    made.training = {"data": {"dtype": "float32", "provenance": {"range": [-3.0, 5.0]}}}
    packed = loaded(made, tmp_path)
    assert "give floats" in answered(packed, npy(np.zeros((4, 4), np.uint8)), NPY)
    [far] = answered(packed, npy(np.full((4, 4), 40.0)), NPY)
    assert far["warnings"] == ["values go from 40 to 40, and the model's from -3 to 5"]


def test_preprocessing_is_the_files(tmp_path: Path) -> None:
    settings = Preprocessing((4, 5, 3), scale=0.01, mean=0.7, deviation=2.0)
    made = Model([nn.Flatten(), nn.Dense(3)], (4, 5, 3), seed=1, preprocessing=settings).use("interpreter")
    images = DRAW.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    found = answered(loaded(made, tmp_path), npy(images), NPY, NPY)
    np.testing.assert_allclose(found, made.predict_proba(images), atol=2e-6)


def test_damaged_weights_are_refused(digits_file: Path, unpacked: Path, tmp_path: Path) -> None:
    for name in ("model.npz", "manifest.json"):
        (tmp_path / name).write_bytes((unpacked / name).read_bytes())
    content = bytearray((tmp_path / "model.npz").read_bytes())
    content[-5000] ^= 1
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        inference.model_fn(str(tmp_path))


def test_a_format_of_the_future_is_refused(digits_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.deploy.sagemaker.archive import unpack

    package(digits_file, tmp_path / "m.tar.gz")
    unpack(tmp_path / "m.tar.gz", tmp_path / "new")
    monkeypatch.setattr(inference, "FORMAT", 0)
    with pytest.raises(ValueError, match="reads models of format 0, and not 1"):
        inference.model_fn(str(tmp_path / "new"))
    assert load(digits_file).classes == 10


def test_errors_without_a_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toolkit of the scikit-learn images takes a response of Flask's; without a toolkit, the error is raised."""
    refused = inference.input_fn(b"", "text/html")
    assert isinstance(refused, inference.RefusedError)
    worker = SimpleNamespace(Response=lambda **named: named)
    for name, module in (("", None), (".beta", None), (".beta.framework", SimpleNamespace(worker=worker))):
        monkeypatch.setitem(sys.modules, f"sagemaker_containers{name}", module or ModuleType("part"))
    reply = inference.output_fn(refused, JSON)
    assert (reply["status"], reply["mimetype"]) == (415, JSON)
    assert "text/html" in json.loads(reply["response"])["error"]
    for name in ("sagemaker_containers", "sagemaker_inference", "sagemaker_inference.errors"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "sagemaker_containers.beta.framework")
    with pytest.raises(ValueError, match="text/html"):
        inference.output_fn(refused, JSON)
