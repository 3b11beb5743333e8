"""What plans rewrite: in prediction, batch normalisation is folded into the convolution before it, for example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlens import nn
from convlens.engine import ENGINES, folding, interpreter, start
from convlens.engine.rewrite import rewrite
from convlens.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocallyConnected2D,
    MaxPool2D,
    ReLU,
    Residual,
    Tanh,
)
from convlens.typing import Array
from tests.nn.test_random_architectures import architectures

PLANS = [name for name in ENGINES if name != "interpreter"]
CHAIN = (Conv2D(5), BatchNorm(), ReLU(), MaxPool2D(), Conv2D(17), BatchNorm(), MaxPool2D(), Flatten(), Dense(3))


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fold wherever that is possible."""
    monkeypatch.setattr(folding, "WORTH_FOLDING", 0)


def randomise(model: nn.Model, seed: int) -> None:
    """Draw parameters and running statistics: scales of both signs, variances over many orders of magnitude."""
    draw = np.random.default_rng(seed)
    model.flat[...] = 0.5 * draw.standard_normal(model.flat.size)
    for slot in model.program.buffer_slots:
        of_variance = slot.name.endswith("variance")
        values = 10 ** draw.uniform(-3, 2, slot.shape) if of_variance else draw.standard_normal(slot.shape)
        slot.view(model.flat_buffers)[...] = values


def model_of(layers: Sequence[Layer], shape: tuple[int, int, int] = (8, 9, 2), seed: int = 0) -> nn.Model:
    model = nn.Model(layers, shape, seed)
    randomise(model, seed)
    return model


def images(model: nn.Model, n: int) -> Array:
    return np.random.default_rng(5).standard_normal((n, *model.program.input_shape)).astype(np.float32)


def logits(model: nn.Model, x: Array, name: str, threads: int = 1) -> Array:
    runner = start(model.program, model.flat, name, threads, model.flat_buffers)
    found = runner.logits(x)
    runner.close()
    return found


def exact(model: nn.Model, x: Array) -> Array:
    """Return the logits, computed node by node in float64."""
    context = interpreter.Context(model.flat_buffers.astype(np.float64))
    tape = interpreter.forward(model.program, model.flat.astype(np.float64), x.astype(np.float64), context)
    return tape.values[model.program.output]


def ops(layers: Sequence[Layer]) -> list[str]:
    """Return the ops that are left in prediction."""
    program = nn.Model(layers, (16, 16, 2)).program
    return [node.op for node in rewrite(program, ["conv2d"], ["conv2d", "conv2d_max_pool2d"], predicting=True).nodes]


def test_what_is_folded() -> None:
    assert ops(CHAIN) == ["conv2d_max_pool2d", "conv2d_max_pool2d", "reshape", "dense"]
    assert ops((Conv2D(2), Dropout(0.3), BatchNorm(), Flatten(), Dropout(0.3), Dense(3))) == [
        *("conv2d", "reshape", "dense"),
    ]


@pytest.mark.parametrize("activation", [ReLU(), Tanh()])
def test_pooling_comes_before_an_activation(activation: Layer) -> None:
    assert ops((Conv2D(2), activation, MaxPool2D(), Flatten(), Dense(3)))[0] == "conv2d_max_pool2d"


@pytest.mark.parametrize(
    "layers",
    [
        (BatchNorm(), Conv2D(2), Flatten()),  # padding stays zero
        (Conv2D(2), ReLU(), BatchNorm(), Flatten()),
        (Conv2D(2), MaxPool2D(), BatchNorm(), Flatten()),  # a negative scale turns maxima into minima
        (Conv2D(2), Residual((BatchNorm(),)), Flatten()),  # the convolution's value has two readers
        (LocallyConnected2D(2, 3), BatchNorm(), Flatten()),  # each weight is used once: folding would not pay
        (Flatten(), Dense(4), BatchNorm()),
    ],
    ids=repr,
)
def test_what_is_not_folded(layers: tuple[Layer, ...]) -> None:
    assert "batch_norm" in ops((*layers, Dense(3)))


def test_training_keeps_its_program() -> None:
    program = nn.Model((Conv2D(2), BatchNorm(), Dropout(0.3), Flatten(), Dense(3)), (8, 9, 2)).program
    assert rewrite(program) == program


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", PLANS)
@given(architectures(), st.integers(1, 20), st.integers(0, 99))
@settings(max_examples=40)
def test_random_architectures(
    name: str, drawn: tuple[tuple[Layer, ...], tuple[int, int, int]], n: int, seed: int
) -> None:
    model = model_of(*drawn, seed)
    x = images(model, n)
    one, wanted = logits(model, x, name), exact(model, x)
    unfolded = np.abs(interpreter_error(model, x, wanted)).max(initial=0)
    assert np.abs(one - wanted).max(initial=0) <= 4 * unfolded + 2e-5 * max(np.abs(wanted).max(initial=0), 1e-3)
    for threads in (2, 3):
        assert logits(model, x, name, threads).tobytes() == one.tobytes(), "the bits depend on the threads"


def interpreter_error(model: nn.Model, x: Array, wanted: Array) -> Array:
    """Return the error of the interpreter's float32: where scales are large, no other can do much better."""
    return logits(model, x, "interpreter") - wanted


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(
    "layers",
    [CHAIN, (LocallyConnected2D(5, 3), BatchNorm(), ReLU(), Flatten(), Dense(19), BatchNorm(), Dense(3))],
    ids=["convolution", "local and dense"],
)
@pytest.mark.parametrize(
    "hard",
    [{"variance": 1e-12}, {"gamma": 0}, {"gamma": -3}, {"mean": 1e5}, {"mean": -1e5, "variance": 1e10}],
    ids=str,
)
def test_hard_statistics(name: str, layers: tuple[Layer, ...], hard: dict[str, float]) -> None:
    model = model_of(layers)
    for slot in (*model.program.slots, *model.program.buffer_slots):
        key = slot.name.rpartition(".")[2]
        if key in hard:
            slot.view(model.flat if key == "gamma" else model.flat_buffers)[...] = hard[key]
    x = images(model, 9)
    wanted = exact(model, x)
    error = 4 * np.abs(interpreter_error(model, x, wanted)).max() + 1e-5 * np.abs(wanted).max()
    assert np.abs(logits(model, x, name) - wanted).max() <= error


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("slot", ["gamma", "beta", "mean", "variance"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_values_are_not_lost(name: str, slot: str, value: float) -> None:
    """They come out exactly where the interpreter's do."""
    model = model_of(CHAIN)
    x = images(model, 2)
    for one in (*model.program.slots, *model.program.buffer_slots):
        if one.name.endswith(f"1.{slot}"):
            one.view(model.flat if slot in ("gamma", "beta") else model.flat_buffers)[0] = value
    with np.errstate(all="ignore"):
        found, wanted = logits(model, x, name), logits(model, x, "interpreter")
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(wanted))


@pytest.mark.parametrize("name", PLANS)
def test_changes_in_place_are_seen(name: str) -> None:
    model = model_of(CHAIN)
    x = images(model, 7)
    runner = start(model.program, model.flat, name, 1, model.flat_buffers)
    before = runner.logits(x)
    for flat, slots in ((model.flat, model.program.slots), (model.flat_buffers, model.program.buffer_slots)):
        for slot in slots:
            kept = flat.copy()
            slot.view(flat)[...] *= 1.5
            changed = runner.logits(x)
            assert changed.tobytes() == logits(model, x, name).tobytes()
            assert changed.tobytes() != before.tobytes(), slot.name
            flat[...] = kept
    assert runner.logits(x).tobytes() == before.tobytes()


@pytest.mark.parametrize("name", ENGINES)
def test_predicting_in_between_does_not_change_a_training(name: str) -> None:
    found = []
    for predicting in (False, True):
        model = model_of((Conv2D(5), BatchNorm(), Dropout(0.3), *CHAIN[2:]))
        runner, gradient = start(model.program, model.flat, name, 2, model.flat_buffers), np.zeros_like(model.flat)
        for _ in range(3):
            if predicting:
                runner.logits(images(model, 11))
            runner.gradient(images(model, 21), np.arange(21) % 3, gradient)
            model.flat[...] -= 0.1 * gradient
        found.append((model.flat.tobytes(), model.flat_buffers.tobytes()))
    assert found[0] == found[1]
