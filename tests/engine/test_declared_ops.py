"""A row in `OPS` is all an engine needs to know about an op, even one that draws or needs the whole batch.

The ops here are toys that no engine has a kernel for: what runs them is the fallback.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convlens import engine
from convlens.engine import ENGINES, Address, interpreter
from convlens.engine.interpreter import OPS, Context, Op
from convlens.nn.builder import ProgramBuilder
from convlens.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from convlens.program import INPUT, Program, aligned_zeros
from convlens.typing import Array
from tests.gradcheck import check_direction

SHAPE = (6, 5, 2)
ADDRESS = Address(seed=4, epoch=1, step=2)


def noisy(node: Any, x: Any, p: Any, context: Context) -> Any:
    """In training, y = x * (1 + w * noise); in prediction, y = x."""
    if not context.training:
        return x[0], None
    assert context.drawn is not None
    noise = context.drawn[node.name]
    return x[0] * (1 + p["w"] * noise), (x[0], p["w"], noise)


def noisy_back(_node: Any, dy: Array, saved: Any) -> Any:
    x, w, noise = saved
    return (dy * (1 + w * noise),), {"w": (dy * x * noise).sum(axis=tuple(range(x.ndim - 1)))}


def centred(node: Any, x: Any, p: Any, context: Context) -> Any:
    """y = w * (x - mean of x over the batch) + the drawn, if any; in prediction, the mean is the running one."""
    running = node.buffers["mean"].view(context.buffers)
    if not context.training:
        return p["w"] * (x[0] - running), None
    assert context.drawn is not None
    mean = x[0].mean(axis=0)
    running[...] = 0.5 * running + 0.5 * mean
    return p["w"] * (x[0] - mean) + context.drawn.get(node.name, 0), (x[0] - mean, p["w"])


def centred_back(_node: Any, dy: Array, saved: Any) -> Any:
    difference, w = saved
    return (w * (dy - dy.mean(axis=0)),), {"w": (dy * difference).sum(axis=0)}


def draw(node: Any, generator: np.random.Generator, images: int, dtype: Any) -> Array:
    return generator.standard_normal((images, *node.output_shape), np.float32).astype(dtype)


TOYS = {
    "noisy": Op(noisy, noisy_back, draws=draw),
    "centred": Op(centred, centred_back, couples=True),
    "centred_noisy": Op(centred, centred_back, draws=draw, couples=True),
}


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, op in TOYS.items():
        monkeypatch.setitem(OPS, name, op)


def put(builder: ProgramBuilder, value: str, *layers: Layer | str) -> str:
    """Append layers, and toys by their ops' names."""
    for one in layers:
        if not isinstance(one, str):
            value = one.lower(builder, value)
            continue
        name, shape = builder.name(one), builder.shape(value)
        coupled = TOYS[one].couples
        w = builder.parameter(f"{name}.w", shape if coupled else shape[-1:], "ones")
        buffers = {"mean": builder.buffer(f"{name}.mean", shape, "zeros")} if coupled else {}
        value = builder.add(name, one, (value,), shape, parameters={"w": w}, buffers=buffers)
    return value


STACKS: dict[str, tuple[Layer | str, ...]] = {
    "noise": (Conv2D(3), "noisy", ReLU(), MaxPool2D(), Flatten(), "noisy", Dense(3)),
    "noise of the images": ("noisy", ReLU(), Flatten(), Dense(3)),
    "the whole batch": (Conv2D(3), "centred", ReLU(), "centred", MaxPool2D(), Flatten(), Dense(3)),
    "the whole batch, of the images": ("centred", Flatten(), Dense(7), "centred", Dense(3)),
    "both": (Conv2D(3), "centred_noisy", ReLU(), "noisy", Flatten(), Dense(3)),
    "beside batch norm and dropout": (
        Conv2D(3),
        BatchNorm(),
        "centred",
        ReLU(),
        Dropout(0.3),
        "noisy",
        Flatten(),
        Dense(3),
    ),
}


@pytest.fixture(params=STACKS)
def program(request: pytest.FixtureRequest) -> Program:
    builder = ProgramBuilder(SHAPE)
    put(builder, INPUT, *STACKS[request.param])
    return builder.build()


def numbers(slots: Any, size: int, dtype: type) -> Array:
    flat, source = aligned_zeros(size, dtype), np.random.default_rng(3)
    for slot in slots:
        slot.view(flat)[...] = 0.3 * source.standard_normal(slot.shape) + slot.name.endswith(("variance", "gamma"))
    return flat


def run(program: Program, name: str, threads: int, n: int = 21) -> tuple[Array, Array, Array, float]:
    """Return the gradient, the running statistics, then the logits, and the loss."""
    flat = numbers(program.slots, program.parameter_size, np.float32)
    buffers = numbers(program.buffer_slots, program.buffer_size, np.float32)
    runner, gradient = engine.start(program, flat, name, threads, buffers), np.full_like(flat, np.nan)
    x = np.random.default_rng(n).standard_normal((n, *SHAPE)).astype(np.float32)
    for _ in range(2):  # what the first step leaves behind must not change the second
        loss = runner.gradient(x, np.arange(n) % 3, gradient, ADDRESS).loss
    logits = runner.logits(x)
    runner.close()
    return gradient, buffers, logits, loss


@pytest.mark.parametrize("name", sorted(set(ENGINES) - {"interpreter"}))
def test_engines_agree(program: Program, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.engine.passes.LARGEST_MICRO_BATCH", 4)  # lanes of 5 and 6 images take two
    for got, wanted in zip(run(program, name, 1), run(program, "interpreter", 1), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * float(np.abs(wanted).max(initial=0)))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("n", [2, 21])
def test_the_bits_do_not_depend_on_the_threads(program: Program, name: str, n: int) -> None:
    one, *others = (run(program, name, threads, n) for threads in (1, 2, 3))
    for other in others:
        for got, wanted in zip(other, one, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_gradients_by_finite_differences(program: Program) -> None:
    flat = numbers(program.slots, program.parameter_size, np.float64)
    buffers = numbers(program.buffer_slots, program.buffer_size, np.float64)
    source = np.random.default_rng(1)
    x, weights, gradient = source.standard_normal((3, *SHAPE)), source.standard_normal((3, 3)), np.zeros_like(flat)
    drawn = interpreter.draw(program, 3, ADDRESS, np.float64)

    def step() -> interpreter.Tape:
        return interpreter.forward(program, flat, x, Context(buffers.copy(), drawn))

    def function() -> float:
        return float((step().values[program.output] * weights).sum())

    dx = interpreter.backward(program, step(), weights, gradient)
    check_direction(function, x, dx, source, "images")
    check_direction(function, flat, gradient, source, "parameters")


def test_draws_are_addressed() -> None:
    """Every node, epoch and step has draws of its own, and they are the same ones each time."""
    builder = ProgramBuilder(SHAPE)
    put(builder, INPUT, "noisy", "noisy", Flatten(), Dense(3))
    program = builder.build()
    drawn = [
        interpreter.draw(program, 4, Address(seed, epoch, step))
        for seed in (0, 1)
        for epoch in (0, 1)
        for step in (0, 1)
    ]
    assert len({array.tobytes() for one in drawn for array in one.values()}) == 16
    for name, array in interpreter.draw(program, 4, Address(1, 1, 1)).items():
        np.testing.assert_array_equal(array, drawn[-1][name])


@pytest.mark.parametrize("name", ENGINES)
def test_a_node_that_draws_for_nobody(name: str) -> None:
    builder = ProgramBuilder(SHAPE)
    put(builder, INPUT, Dropout(0.5))
    put(builder, INPUT, Conv2D(2), Dropout(0.5), Flatten(), Dense(3))
    assert np.isfinite(run(builder.build(), name, 1)[0]).all()
