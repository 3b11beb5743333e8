"""Architectures that nobody thought of: all layers, branches, odd sizes, one to three channels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

from convlens import nn
from convlens.engine import ENGINES, Address, interpreter, start
from convlens.errors import ShapeError
from convlens.nn.model import lower
from tests.gradcheck import check_direction

SIZES = st.integers(1, 3)


def images_to_images() -> st.SearchStrategy[nn.Layer]:
    """Layers of images."""
    strides = st.integers(1, 2)
    padding, mode = st.sampled_from(["same", "valid", "full"]), st.sampled_from(["zeros", "reflect"])
    kernel = st.one_of(SIZES, st.tuples(SIZES, SIZES))
    return st.one_of(
        st.builds(nn.Conv2D, st.integers(1, 4), kernel, strides, padding, mode),
        st.builds(nn.LocallyConnected2D, st.integers(1, 3), kernel, strides, padding, mode),
        st.builds(nn.MaxPool2D, kernel, st.one_of(st.none(), strides)),
        st.builds(nn.AveragePool2D, kernel, st.one_of(st.none(), strides)),
        st.builds(nn.BlurPool2D, SIZES, strides),
    )


def keeping_the_shape() -> st.SearchStrategy[nn.Layer]:
    """Layers of any shape, which they keep."""
    return st.one_of(
        st.just(nn.ReLU()),
        st.just(nn.Tanh()),
        st.just(nn.BatchNorm()),
        st.builds(nn.Dropout, st.sampled_from([0.2, 0.5])),
    )


@st.composite
def architectures(draw: st.DrawFn) -> tuple[tuple[nn.Layer, ...], tuple[int, int, int]]:
    """Draw layers that fit one behind the other, and the shape of the images."""
    shape = draw(st.tuples(st.integers(3, 7), st.integers(3, 7), st.integers(1, 3)))
    layers: list[nn.Layer] = []
    for _ in range(draw(st.integers(0, 5))):
        layers.append(
            draw(st.one_of(images_to_images(), keeping_the_shape(), st.just(None))) or branch(draw, layers, shape)
        )
        try:
            lower([*layers, nn.Flatten()], shape)
        except ShapeError:
            layers.pop()
    if draw(st.booleans()):
        layers.append(nn.GlobalAveragePool2D())
    else:
        layers += [nn.Flatten(), nn.Dense(draw(st.integers(2, 5)))]
    for _ in range(draw(st.integers(0, 2))):
        layers.append(draw(st.one_of(st.builds(nn.Dense, st.integers(2, 5)), keeping_the_shape())))
    return (*layers, nn.Dense(3)), shape


def branch(draw: st.DrawFn, layers: list[nn.Layer], shape: tuple[int, int, int]) -> nn.Layer:
    """Draw a residual branch that keeps the shape that has been reached."""
    channels = lower([*layers, nn.Flatten()], shape).nodes[-1].input_shapes[0][2]
    inside = draw(st.lists(keeping_the_shape(), max_size=2))
    return nn.Residual((nn.Conv2D(channels, draw(SIZES)), *inside))


@given(architectures(), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=60)
def test_engines_agree_and_gradients_are_right(
    drawn: tuple[tuple[nn.Layer, ...], tuple[int, int, int]], n: int, seed: int
) -> None:
    layers, shape = drawn
    note(str(layers))
    draw = np.random.default_rng(seed)
    x, labels = draw.standard_normal((n, *shape)), draw.integers(0, 3, n)
    # of two nearly equal values, the variance's slope is 1 / sqrt(epsilon): rounding errors grow with it
    steep = n <= 2 and "BatchNorm" in repr(layers)
    check_engines(nn.Model(layers, shape, seed), x.astype(np.float32), labels, 1e-2 if steep else 5e-5)
    if not steep:
        check_gradient(nn.Model(layers, shape, seed, dtype=np.float64), x, draw)


def check_engines(model: nn.Model, x: np.ndarray, labels: np.ndarray, close: float) -> None:
    found = {}
    for name, threads in ((name, threads) for name in ENGINES for threads in (1, 2, 3)):
        buffers, gradient = model.flat_buffers.copy(), np.full_like(model.flat, np.nan)
        runner = start(model.program, model.flat, name, threads, buffers)
        result = runner.gradient(x, labels, gradient, Address(seed=4))
        found[name, threads] = (gradient, buffers, runner.logits(x), np.array([result.loss]))
        runner.close()
        for got, wanted, one in zip(found[name, threads], found["interpreter", 1], found[name, 1], strict=True):
            largest = max(float(np.abs(wanted).max(initial=0)), 1e-3)
            assert np.abs(got - wanted).max(initial=0) <= close * largest, name
            assert got.tobytes() == one.tobytes(), f"{name}: the bits depend on the threads"


def check_gradient(model: nn.Model, x: np.ndarray, draw: np.random.Generator) -> None:
    weights, drawn = (
        draw.standard_normal((len(x), 3)),
        interpreter.draw(model.program, len(x), Address(), np.float64),
    )

    def run() -> interpreter.Tape:
        return interpreter.forward(model.program, model.flat, x, interpreter.Context(model.flat_buffers.copy(), drawn))

    def function() -> float:
        return float((run().values[model.program.output] * weights).sum())

    model.flat += 0.1 * draw.standard_normal(model.flat.shape)  # biases of zero would put dead pixels on ReLU's kink
    gradient = np.full_like(model.flat, np.nan)
    dx = interpreter.backward(model.program, run(), weights, gradient)
    check_direction(function, x, dx, draw, "images")
    for slot in model.program.slots:
        check_direction(function, slot.view(model.flat), slot.view(gradient), draw, slot.name)
