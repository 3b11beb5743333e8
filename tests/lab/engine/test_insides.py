"""What the page shows of a network's inside is what the library computes."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from convlens import lens, models, nn
from convlens.engine import interpreter
from convlens.lens.shift import shifted
from convlens.ops.activation import softmax
from convlens.preprocessing import Preprocessing
from convlens.program import Node
from tests.lab.engine.conftest import Engine
from tests.layer_cases import CASES, LayerCase

SHAPED = [case for case in CASES if min(case.shape[:2]) >= 3]


def bytes_of(model: nn.Model, folder: Path) -> bytes:
    model.save(folder / "model.safetensors")
    return (folder / "model.safetensors").read_bytes()


def values_of(model: nn.Model, x: np.ndarray) -> dict[str, np.ndarray]:
    flat, buffers = model.flat.astype(np.float64), model.flat_buffers.astype(np.float64)
    tape = interpreter.forward(model.program, flat, x[None].astype(np.float64), interpreter.Context(buffers))
    return {name: value[0] for name, value in tape.values.items()}


@pytest.fixture(scope="module")
def digit() -> np.ndarray:
    """A bright hook, off the centre."""
    image = np.zeros((28, 28, 1), np.uint8)
    image[6:21, 9:12], image[18:21, 9:19] = 255, 200
    return image


@pytest.mark.parametrize("name", ["cnn", "baseline", "local"])
def test_receptive_fields_of_named_models(engine: Engine, tmp_path: Path, name: str) -> None:
    model = models.build(name)
    check_fields(engine, model, bytes_of(model, tmp_path))


def test_receptive_fields_of_layer_cases(engine: Engine, tmp_path: Path) -> None:
    for case in CASES:
        model = case.build()
        check_fields(engine, model, bytes_of(model, tmp_path))


def check_fields(engine: Engine, model: nn.Model, file: bytes) -> None:
    found = engine.call("run", file, "fields")["found"]
    for name, wanted in model.program.receptive_fields().items():
        one = dict(found[name])
        assert tuple(one.pop("stride")) == wanted.stride
        assert one == {key: getattr(wanted, key) for key in one}, name


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2D(2), nn.AveragePool2D(), nn.Conv2D(2, 5, 2, "valid")],
        [nn.Conv2D(2, (3, 4), (2, 3)), nn.LocallyConnected2D(2, 3, 1, "full")],
        [nn.Conv2D(2, 3, 1, "full", "reflect"), nn.BlurPool2D()],
        [nn.Conv2D(1, 2, 3, "valid"), nn.Conv2D(1, 3, 2)],
        [nn.Residual((nn.Conv2D(1), nn.Conv2D(1))), nn.AveragePool2D(3)],
    ],
    ids=str,
)
def test_a_units_field_is_where_its_gradient_is_not_zero(
    engine: Engine, tmp_path: Path, layers: list[nn.Layer]
) -> None:
    model = nn.Model([*layers, nn.Flatten(), nn.Dense(2)], (12, 13, 1), seed=3)
    file, x = bytes_of(model, tmp_path), np.zeros((12, 13, 1), np.float32)
    draw = np.random.default_rng(0)
    for node in model.program.nodes:
        if len(node.output_shape) != 3:
            continue
        for _ in range(6):
            place = tuple(int(draw.integers(size)) for size in node.output_shape)
            seen = np.argwhere(lens.input_gradient(model, x[None], place, node.name)[0, :, :, 0])
            found = engine.call("run", file, "field", node.name, list(place))["found"]
            corners = [found["top"], found["left"], found["bottom"] - 1, found["right"] - 1]
            assert corners == [*seen.min(axis=0), *seen.max(axis=0)], (node.name, place)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_units_arithmetic_adds_up(engine: Engine, tmp_path: Path, case: LayerCase) -> None:
    model, x, draw = case.build(), case.batch(1)[0][0], np.random.default_rng(1)
    file, values = bytes_of(model, tmp_path), values_of(model, x)
    for node in model.program.nodes:
        place = tuple(int(draw.integers(size)) for size in node.output_shape)
        found = engine.call("run", file, "unit", x, node.name, list(place))["found"]
        told = next(one for one in model.program.nodes if one.name == found["node"])
        alone = told.op in ("relu", "tanh")  # what it reads is no sum, but the image or another activation
        value = values[told.inputs[0] if alone else told.name]
        close = 1e-5 * np.abs(value).max()
        assert abs(found["total"] - value[place]) <= close
        assert np.isclose((found["patch"] * found["kernel"]).sum() + found["bias"], found["total"])
        assert abs(found["value"] - value[place]) <= close
        if node.op in ("relu", "tanh"):
            assert (found["activation"], told.name) == (node.name, node.name if alone else node.inputs[0])
        if found["activation"]:
            activated = values[found["activation"]][place]
            assert abs(found["activated"] - activated) <= 1e-5 * np.abs(values[found["activation"]]).max()
        check_patch(model, told, found, place, values)


def check_patch(
    model: nn.Model, node: Node, found: dict[str, Any], place: tuple[int, ...], values: dict[str, np.ndarray]
) -> None:
    """Compare patch, kernel and padding of a node with a window with the library's."""
    if node.op not in ("conv2d", "local2d", "max_pool2d", "average_pool2d", "blur_pool2d"):
        return
    i, j, channel = place
    x = values[node.inputs[0]]
    channels = slice(None) if node.op.endswith("2d") and "pool" not in node.op else slice(channel, channel + 1)
    patch = node.window.patches(node.window.pad(x[None]))[0, i, j][..., channels]
    assert found["shape"] == list(patch.shape)
    assert np.allclose(found["patch"].reshape(patch.shape), patch, rtol=1e-5, atol=1e-5 * np.abs(x).max())
    window = node.window
    real = np.pad(np.ones(x.shape[:2]), (window.rows, window.columns))
    (kh, kw), (sh, sw) = window.kernel, window.stride
    inside = real[i * sh : i * sh + kh, j * sw : j * sw + kw]
    assert np.array_equal(found["padding"].reshape(patch.shape)[..., 0], 1 - inside)
    assert found["corner"] == [i * sh - window.rows[0], j * sw - window.columns[0]]
    if node.op in ("conv2d", "local2d"):
        w = model.parameters[f"{node.name}.w"]
        kernel = (w if node.op == "conv2d" else w[i, j])[..., channel]
        assert np.array_equal(found["kernel"].astype(np.float32).reshape(kernel.shape), kernel)


def test_a_unit_that_is_not_there_is_refused(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    file = bytes_of(models.build("cnn"), tmp_path)
    answers = [
        engine.call("run", file, "unit", digit, node, place)["refused"]
        for node, place in (("conv1", [0, 0, 16]), ("conv1", [0]), ("conv3", [0, 0, 0]), ("dense1", [128]))
    ]
    assert answers == [
        "a unit of conv1, of shape [28,28,16], is [row, column, channel] within that, not [0,0,16]",
        "a unit of conv1, of shape [28,28,16], is [row, column, channel] within that, not [0]",
        "the model has no node \"conv3\"; did you mean 'conv1'?",
        "a unit of dense1, of shape [128], is its number within that, not [128]",
    ]


@pytest.mark.parametrize("offset", [(0, 0), (2, -3), (-1, 1), (0, 27), (40, 0), (-3, -40)])
def test_shifts(engine: Engine, tmp_path: Path, digit: np.ndarray, offset: tuple[int, int]) -> None:
    file = bytes_of(models.build("baseline"), tmp_path)
    found = engine.call("run", file, "shifted", digit, *offset)["found"]
    assert np.array_equal(found.reshape(digit.shape), shifted(digit[None], *offset)[0])


def test_equivariance_is_the_librarys(engine: Engine, tmp_path: Path) -> None:
    shifts = itertools.cycle([(1, 0), (0, -1), (2, 1), (-1, 2)])
    for case, shift in zip(SHAPED, shifts, strict=False):
        model, x = case.build(), case.batch(1)[0][0]
        check_equivariance(engine, model, bytes_of(model, tmp_path), x, shift)


def test_equivariance_of_the_cnn(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    model = models.build("cnn")
    for shift in ((4, 0), (2, 3)):
        check_equivariance(engine, model, bytes_of(model, tmp_path), digit, shift)


def test_the_two_maps_that_the_error_compares(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    model, shift = models.build("cnn"), (4, -2)
    file = bytes_of(model, tmp_path)
    for error in engine.call("run", file, "equivariance", digit, list(shift))["found"]:
        found = engine.call("run", file, "bothMaps", digit, list(shift), error)["found"]
        still, moved = (
            lens.activations(model, one, [error["node"]])[error["node"]]
            for one in (digit[None], shifted(digit[None], *shift))
        )
        wanted = shifted(still, *error["moved"]) if still.ndim == 4 else still
        close = 1e-5 * np.abs(moved).max()
        assert np.abs(found["shiftedMap"].reshape(wanted.shape) - wanted).max() <= close
        assert np.abs(found["ofShifted"].reshape(moved.shape) - moved).max() <= close
        apart = np.linalg.norm(found["difference"]) / np.linalg.norm(found["ofShifted"])
        assert np.isclose(apart, error["error"], rtol=1e-4, atol=1e-6)


def check_equivariance(engine: Engine, model: nn.Model, file: bytes, x: np.ndarray, shift: tuple[int, int]) -> None:
    found = engine.call("run", file, "equivariance", x, list(shift))["found"]
    wanted = lens.equivariance(model, x[None], shift).nodes
    assert [one["node"] for one in found] == [one.node for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert (one["kind"], one["whole"], one["broken"]) == (other.kind, other.whole, other.broken), other
        for key in ("error", "kept", "interior"):
            mine, theirs = one[key], getattr(other, key)
            assert (mine is None) == (theirs is None), (key, other)
            assert mine is None or abs(mine - theirs) < 1e-4 * max(1, theirs), (key, other)
        assert tuple(one["moved"]) == other.moved


def attribution(engine: Engine, file: bytes, x: np.ndarray, method: str, k: int, **options: Any) -> np.ndarray:
    found = engine.call("run", file, "attribution", x, method, k, options)["found"]
    return found["data"].reshape(found["shape"])


def test_integrated_gradients_of_a_linear_network_are_its_terms(engine: Engine, tmp_path: Path) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (4, 5, 3), seed=1)
    file, x = bytes_of(model, tmp_path), np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    weights = model.parameters["dense1.w"][:, 2].reshape(4, 5, 3)
    assert np.allclose(attribution(engine, file, x, "gradient", 2), np.abs(weights).max(axis=2), atol=1e-6)
    terms = (weights * (x / 255)).sum(axis=2)
    assert np.allclose(attribution(engine, file, x, "integratedGradients", 2, steps=3), terms, atol=1e-6)


def test_attributions_of_the_cnn(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    model, k = models.build("cnn", seed=4), 7
    file, x = bytes_of(model, tmp_path), digit / 255
    gradient = np.abs(lens.input_gradient(model, digit[None], k)[0, :, :, 0])
    assert np.abs(attribution(engine, file, digit, "gradient", k) - gradient).max() <= 1e-5 * np.abs(gradient).max()
    integrated = attribution(engine, file, digit, "integratedGradients", k, steps=200)
    logits = [values_of(model, one)[model.program.output][k] for one in (x, 0 * x)]
    assert abs(integrated.sum() - (logits[0] - logits[1])) < 1e-2 * abs(logits[0] - logits[1])
    values = values_of(model, x)
    maps = values["relu2"]
    alpha = input_to(model, x, "relu2", k).mean(axis=(0, 1))
    cam = np.maximum((maps * alpha).sum(axis=2), 0).astype(np.float32)
    wanted = np.asarray(Image.fromarray(cam).resize((28, 28), Image.Resampling.BILINEAR))
    found = attribution(engine, file, digit, "gradCam", k)
    assert wanted.max() > 0
    assert np.abs(found - wanted).max() <= 1e-5 * wanted.max()


def test_attributions_are_the_librarys(engine: Engine, tmp_path: Path) -> None:
    layers = [nn.Conv2D(3), nn.BatchNorm(), nn.Tanh(), nn.MaxPool2D(), nn.Flatten(), nn.Dense(4)]
    preprocessing = Preprocessing((9, 8, 3), mean=0.3, deviation=0.2)
    model = nn.Model(layers, (9, 8, 3), seed=2, preprocessing=preprocessing)
    file, x = bytes_of(model, tmp_path), np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    for method, compute in (
        ("gradient", lens.saliency),
        ("integratedGradients", lens.integrated_gradients),
        ("gradCam", lens.grad_cam),
        ("occlusion", lens.occlusion),
    ):
        wanted = compute(model, x[None], 2)[0]
        assert wanted.any()
        assert np.abs(attribution(engine, file, x, method, 2) - wanted).max() <= 2e-5 * np.abs(wanted).max(), method


@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: case.name)
def test_a_units_arithmetic_is_the_librarys(engine: Engine, tmp_path: Path, case: LayerCase) -> None:
    model, x, draw = case.build(), case.batch(1)[0][0], np.random.default_rng(2)
    file = bytes_of(model, tmp_path)
    for node in model.program.nodes:
        place = tuple(int(draw.integers(size)) for size in node.output_shape)
        found = engine.call("run", file, "unit", x, node.name, list(place))["found"]
        wanted = lens.unit(model, x[None], node.name, place)
        assert found["node"] == wanted.node
        if wanted.op not in ("relu", "tanh"):  # told alone, the page tells what it does as an activation
            assert found["activation"] == wanted.activation
        assert np.allclose(found["products"], wanted.products.ravel(), rtol=1e-4, atol=1e-5)
        assert np.isclose(found["bias"], wanted.bias, atol=1e-6)
        assert tuple(found["sees"][side] for side in ("top", "left", "bottom", "right")) == wanted.sees


def input_to(model: nn.Model, x: np.ndarray, name: str, k: int) -> np.ndarray:
    """Return the derivative of a logit with respect to a node's value: that of the network that begins there."""
    nodes = model.program.nodes
    place = [node.name for node in nodes].index(name)
    later = list(nodes[place + 1 :])
    value, flat = values_of(model, x)[name], model.flat.astype(np.float64)
    tape = interpreter.Tape({name: value[None]})
    for node in later:
        inputs = tuple(tape.values[one] for one in node.inputs)
        parameters = {key: slot.view(flat) for key, slot in node.parameters.items()}
        op = interpreter.OPS[node.op]
        tape.values[node.name], tape.saved[node.name] = op.forward(
            node, inputs, parameters, interpreter.Context(flat[:0])
        )
    dy = np.zeros((1, 10))
    dy[0, k] = 1
    for node in reversed(later):  # a chain: each reads the one before
        (dy,), _ = interpreter.OPS[node.op].backward(node, dy, tape.saved[node.name])
    return dy[0]


def test_occlusion(engine: Engine, tmp_path: Path) -> None:
    model, k = nn.Model([nn.Conv2D(3), nn.ReLU(), nn.Flatten(), nn.Dense(4)], (9, 7, 2), seed=2), 1
    file, x = bytes_of(model, tmp_path), np.random.default_rng(0).integers(0, 256, (9, 7, 2), dtype=np.uint8)
    wanted = np.empty((9, 7))
    for i, j in np.ndindex(9, 7):
        covered = x.copy()
        covered[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2] = 0
        wanted[i, j] = np.subtract(*model.logits(np.stack([x, covered]))[:, k])
    found = attribution(engine, file, x, "occlusion", k, size=3)
    assert np.abs(found - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_the_check_compares_with_other_weights(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    model = models.build("cnn", seed=4)
    file = bytes_of(model, tmp_path)
    for method in ("gradient", "gradCam"):
        draws = [engine.call("run", file, "checked", digit, method, 3, {"seed": 5 + n, "redraws": 1}) for n in (0, 1)]
        one, *others = (draws[0]["found"]["attribution"], *(draw["found"]["check"] for draw in draws))
        wanted = [spearmanr(np.abs(one["data"]), np.abs(other["data"])).statistic for other in others]
        assert not np.allclose(others[0]["data"], others[1]["data"])
        found = engine.call("run", file, "checked", digit, method, 3, {"seed": 5, "redraws": 2})["found"]
        assert np.array_equal(found["check"]["data"], others[0]["data"])
        assert np.isclose(found["correlation"], np.mean(wanted))
    assert engine.call("run", file, "checked", digit * 0, "integratedGradients", 3, {})["found"]["correlation"] is None
    for method in ("gradient", "integratedGradients", "gradCam", "occlusion"):
        refused = engine.call("run", file, "attribution", digit, method, 10, {})["refused"]
        assert refused == "a unit of dense2, of shape [10], is its number within that, not 10"
    dense = bytes_of(models.build("baseline"), tmp_path)
    refused = engine.call("run", dense, "checked", digit, "gradCam", 3, {})["refused"]
    assert refused == "Grad-CAM needs maps, and this network has no convolution; use another attribution"


def test_redrawn_weights_have_the_distributions_of_new_ones(engine: Engine, tmp_path: Path) -> None:
    model = models.build("cnn", seed=4)
    file = bytes_of(model, tmp_path)
    found, again, other = (engine.call("run", file, "redrawn", seed)["found"] for seed in (1, 1, 2))
    for name, view in model.parameters.items():
        new = found[name]
        assert np.array_equal(new, again[name])
        if name.endswith(".b"):
            assert not new.any()
            continue
        assert not np.array_equal(new, other[name])
        assert abs(new.std() / view.std() - 1) < 5 / np.sqrt(new.size)
        assert abs(new.mean()) < 5 * view.std() / np.sqrt(new.size)


@pytest.mark.parametrize("node", ["relu1", "pool2", "dense1", "dense2"])
def test_the_most_active_images_are_the_librarys(engine: Engine, tmp_path: Path, node: str) -> None:
    model = models.build("cnn", seed=2)
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (12, 28, 28, 1), np.uint8) * (draw.random((12, 28, 28, 1)) < 0.2)
    images = images.astype(np.uint8)
    images[9] = images[4]  # of equals, the first image
    wanted = lens.most_active(model, images, node, 5)
    found = engine.call("run", bytes_of(model, tmp_path), "mostActive", list(images), node, 5)["found"]
    values = np.array([[one["value"] for one in unit] for unit in found])
    np.testing.assert_allclose(values, wanted.values, atol=1e-5 * np.abs(wanted.values).max())
    assert np.mean(np.array([[one["index"] for one in unit] for unit in found]) == wanted.index) > 0.95
    width = values_of(model, images[0] / 255)[node].shape[1] if wanted.places.any() else 1
    cells = np.array([[one["cell"] for one in unit] for unit in found])
    assert np.mean(cells == wanted.places[..., 0] * width + wanted.places[..., 1]) > 0.95


def test_maps_over_all_shifts_come_from_a_worker(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    built = {name: models.build(name, seed=1) for name in ("cnn", "baseline")}
    files = {name: bytes_of(model, tmp_path) for name, model in built.items()}
    answer = engine.call("shiftMaps", files, digit, 3)
    assert answer["done"] is True
    for name, model in built.items():
        parts = [part for part in answer["parts"] if part["key"] == name]
        offsets = [tuple(one) for part in parts for one in part["offsets"]]
        assert sorted(offsets) == [(dy, dx) for dy in range(-3, 4) for dx in range(-3, 4)]
        assert [part["step"] for part in parts] == sorted((part["step"] for part in parts), reverse=True)
        moved = np.concatenate([shifted(digit[None], *one) for one in offsets])
        found = np.concatenate([part["probabilities"] for part in parts]).reshape(len(offsets), 10)
        assert np.abs(found - softmax(model.logits(moved))).max() < 1e-5


def test_a_newer_drawing_ends_the_maps_under_way(engine: Engine, tmp_path: Path, digit: np.ndarray) -> None:
    answer = engine.call("newerMaps", bytes_of(models.build("cnn"), tmp_path), digit)
    assert answer["done"] == [False, True]
    assert answer["parts"] == {"first": 1, "late": 0, "second": 17 * 17}
    assert answer["refused"].startswith("this file is not a model that convlens has saved, or its end is missing")
