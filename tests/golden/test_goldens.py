"""`ops`, `optim` and engines against what PyTorch computed (`make_goldens.py`): 1e-5 of a tensor's largest value."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import engine, nn, ops, optim
from convlens.engine import ENGINES, interpreter
from tests.golden import cases
from tests.golden.cases import Array, ConvCase, OptimizerCase, noise

CLOSE = 1e-5


@pytest.fixture(scope="module")
def goldens() -> dict[str, Array]:
    with np.load(cases.GOLDENS, allow_pickle=False) as stored:
        return dict(stored)


def assert_golden(goldens: dict[str, Array], name: str, got: Array) -> None:
    wanted = goldens[name]
    assert got.shape == wanted.shape, name
    largest = float(np.abs(wanted).max())
    assert largest > 0, f"{name} is all zeros, which proves nothing"
    assert float(np.abs(got - wanted).max()) <= CLOSE * largest, name


@pytest.mark.parametrize("case", cases.CONVOLUTIONS, ids=lambda case: case.name)
def test_convolution(goldens: dict[str, Array], case: ConvCase) -> None:
    top, bottom, left, right = case.pads
    window = ops.Window.resolve(case.kernel, case.stride, case.padding, case.shape[1:3], case.mode)
    assert (window.rows, window.columns) == ((top, bottom), (left, right))
    name = f"conv.{case.name}"
    y, saved = ops.conv2d(*case.inputs(), window)
    assert_golden(goldens, f"{name}.y", y)
    for key, got in zip("xwb", ops.conv2d_backward(noise(f"{name}.dy", *y.shape), saved), strict=True):
        assert_golden(goldens, f"{name}.d{key}", got)


@pytest.mark.parametrize("pool", cases.POOLS)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pool(goldens: dict[str, Array], kind: str, pool: str) -> None:
    forward, backward = {
        "max": (ops.max_pool2d, ops.max_pool2d_backward),
        "average": (ops.average_pool2d, ops.average_pool2d_backward),
    }[kind]
    y, saved = forward(cases.pool_input(), ops.Window(*cases.POOLS[pool]))
    assert_golden(goldens, f"{kind}.{pool}.y", y)
    assert_golden(goldens, f"{kind}.{pool}.dx", backward(noise(f"{kind}.{pool}.dy", *y.shape), saved))


def test_dense(goldens: dict[str, Array]) -> None:
    y, saved = ops.dense(*cases.dense_inputs())
    assert_golden(goldens, "dense.y", y)
    for key, got in zip("xwb", ops.dense_backward(noise("dense.dy", *y.shape), saved), strict=True):
        assert_golden(goldens, f"dense.d{key}", got)


def test_batch_norm(goldens: dict[str, Array]) -> None:
    x, gamma, beta, mean, variance = cases.norm_inputs()
    predicted = ops.normalize(x, gamma, beta, mean, variance, cases.NORM_EPSILON)
    assert_golden(goldens, "norm.predicted", predicted)
    layer = nn.Model([nn.BatchNorm(cases.NORM_MOMENTUM, cases.NORM_EPSILON), nn.Flatten()], x.shape[1:])
    for view, value in zip(
        (*layer.parameters.values(), *layer.buffers.values()), (gamma, beta, mean, variance), strict=True
    ):
        view[...] = value
    tape = interpreter.forward(layer.program, layer.flat, x, interpreter.Context(layer.flat_buffers, {}))
    assert_golden(goldens, "norm.y", tape.values["norm1"])
    dy = noise("norm.dy", *x.shape)
    for key, got in zip(("x", "gamma", "beta"), ops.batch_norm_backward(dy, tape.saved["norm1"]), strict=True):
        assert_golden(goldens, f"norm.d{key}", got)
    assert_golden(goldens, "norm.mean", layer.buffers["norm1.mean"])
    assert_golden(goldens, "norm.variance", layer.buffers["norm1.variance"])


def test_locally_connected(goldens: dict[str, Array]) -> None:
    case = cases.LOCAL
    window = ops.Window.resolve(case.kernel, case.stride, case.padding, case.shape[1:3], case.mode)
    assert (*window.rows, *window.columns) == case.pads
    y, saved = ops.local2d(*cases.local_inputs(), window)
    assert_golden(goldens, "local.y", y)
    for key, got in zip("xwb", ops.local2d_backward(noise("local.dy", *y.shape), saved), strict=True):
        assert_golden(goldens, f"local.d{key}", got)


def test_blur(goldens: dict[str, Array]) -> None:
    case = cases.BLUR
    window = ops.Window.resolve(case.kernel, case.stride, case.padding, case.shape[1:3], case.mode)
    assert (*window.rows, *window.columns) == case.pads
    y, saved = ops.blur_pool2d(noise("blur.x", *case.shape), window)
    assert_golden(goldens, "blur.y", y)
    assert_golden(goldens, "blur.dx", ops.blur_pool2d_backward(noise("blur.dy", *y.shape), saved))


def test_tanh(goldens: dict[str, Array]) -> None:
    y, saved = ops.tanh(np.float32(3) * noise("tanh.x", 4, 5))
    assert_golden(goldens, "tanh.y", y)
    assert_golden(goldens, "tanh.dx", ops.tanh_backward(noise("tanh.dy", 4, 5), saved))


def test_loss(goldens: dict[str, Array]) -> None:
    logits, labels = cases.loss_inputs()
    losses, saved = ops.softmax_cross_entropy(logits, labels)
    assert_golden(goldens, "loss.each", losses)
    assert_golden(goldens, "loss.mean", losses.mean())
    mean = np.full(len(labels), 1 / len(labels), np.float32)
    assert_golden(goldens, "loss.dz", ops.softmax_cross_entropy_backward(mean, saved))


@pytest.mark.parametrize("name", cases.SMOOTHINGS)
def test_loss_with_smoothed_labels(goldens: dict[str, Array], name: str) -> None:
    logits, labels = cases.loss_inputs()
    losses, saved = ops.softmax_cross_entropy(logits, labels, cases.SMOOTHINGS[name])
    assert losses.dtype == np.float32
    assert_golden(goldens, f"loss.{name}.each", losses)
    mean = np.full(len(labels), 1 / len(labels), np.float32)
    assert_golden(goldens, f"loss.{name}.dz", ops.softmax_cross_entropy_backward(mean, saved))


@pytest.mark.parametrize("case", cases.OPTIMIZERS, ids=lambda case: case.name)
def test_five_steps_of_an_optimizer(goldens: dict[str, Array], case: OptimizerCase) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(cases.WEIGHTS_SHAPE[1])], (3, 3, 1))
    w, b = (slot.view for slot in model.program.slots)
    (w(model.flat)[...], b(model.flat)[...]), gradients = cases.optimizer_inputs()
    steps = optim.OPTIMIZERS[case.kind](weight_decay=case.weight_decay, **case.settings)
    state = steps.start(model.program, model.flat)
    for dw, db in gradients:
        gradient = np.zeros_like(model.flat)
        w(gradient)[...], b(gradient)[...] = dw, db
        steps.step(model.engine, gradient, state, case.rate)
    assert_golden(goldens, f"{case.name}.w", w(model.flat))
    assert_golden(goldens, f"{case.name}.b", b(model.flat))


def branched() -> nn.Model:
    branch = [nn.Conv2D(2), nn.ReLU()]
    after = [nn.Conv2D(3, 2, padding="valid"), nn.Flatten(), nn.Dense(4)]
    layers = [nn.Residual(branch), nn.Dropout(cases.DROPOUT_RATE), nn.Reshape((2, 4, 5)), *after]
    model = nn.Model(layers, cases.BRANCHED_INPUT[1:])
    for name, value in cases.branched_parameters().items():
        model.parameters[name][...] = value
    return model


@pytest.mark.parametrize("name", ENGINES)
def test_residual_dropout_and_reshape(goldens: dict[str, Array], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, (x, labels, mask) = branched(), cases.branched_batch()
    monkeypatch.setattr(interpreter, "draw", lambda *_: {"dropout1": mask})
    runner, gradient = engine.start(model.program, model.flat, name), np.zeros_like(model.flat)
    assert runner.gradient(x, labels, gradient).loss == pytest.approx(float(goldens["branched.loss"]), rel=CLOSE)
    for slot in model.program.slots:
        assert_golden(goldens, f"branched.d {slot.name}", slot.view(gradient))


def test_residual_dropout_and_reshape_back_to_the_images(goldens: dict[str, Array]) -> None:
    model, (x, labels, mask) = branched(), cases.branched_batch()
    tape = interpreter.forward(
        model.program, model.flat, x, interpreter.Context(model.flat_buffers, {"dropout1": mask})
    )
    logits = tape.values[model.program.output]
    assert_golden(goldens, "branched.logits", logits)
    _, saved = ops.softmax_cross_entropy(logits, labels)
    dlogits = ops.softmax_cross_entropy_backward(np.full(len(x), 1 / len(x), np.float32), saved)
    dx = interpreter.backward(model.program, tape, dlogits, np.zeros_like(model.flat))
    assert_golden(goldens, "branched.dx", dx)


def cnn() -> nn.Model:
    blocks = [layer for filters in (16, 32) for layer in (nn.Conv2D(filters), nn.ReLU(), nn.MaxPool2D())]
    model = nn.Model([*blocks, nn.Flatten(), nn.Dense(128), nn.ReLU(), nn.Dense(10)], (28, 28, 1))
    for name, value in cases.cnn_parameters().items():
        model.parameters[name][...] = value
    return model


@pytest.mark.parametrize("name", ENGINES)
def test_the_whole_network(goldens: dict[str, Array], name: str) -> None:
    model, (x, labels) = cnn(), cases.cnn_batch()
    runner, gradient = engine.start(model.program, model.flat, name), np.zeros_like(model.flat)
    result = runner.gradient(x, labels, gradient)
    assert result.loss == pytest.approx(float(goldens["cnn.loss"]), rel=CLOSE)
    assert_golden(goldens, "cnn.logits", runner.logits(x))
    views = {slot.name: slot.view(gradient) for slot in model.program.slots}
    assert views.keys() == cases.CNN_SHAPES.keys()
    for key, got in cases.condensed(views).items():
        assert_golden(goldens, f"cnn.d {key}", got)


def test_the_file_is_small_and_whole(goldens: dict[str, Array]) -> None:
    assert cases.GOLDENS.stat().st_size < 300_000
    assert {array.dtype for array in goldens.values()} == {np.dtype(np.float32)}


@pytest.mark.torch
def test_the_file_is_what_torch_gives(goldens: dict[str, Array]) -> None:
    pytest.importorskip("torch")
    from tests.golden.make_goldens import compute

    computed = compute()
    assert computed.keys() == goldens.keys()
    for name, wanted in computed.items():
        largest = float(np.abs(wanted).max())
        np.testing.assert_allclose(goldens[name], wanted, rtol=1e-6, atol=1e-7 * largest, err_msg=name)
