"""Programs that are graphs: values with several readers, branches that meet, and branches that lead nowhere.

`Residual` joins a branch with its input; these Programs are built by hand, to join anything with anything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from convlens import engine
from convlens.engine import ENGINES, interpreter
from convlens.nn.builder import ProgramBuilder
from convlens.nn.layers import AveragePool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU
from convlens.program import INPUT, Program, aligned_zeros
from convlens.typing import Array
from tests.gradcheck import check_direction

SHAPE = (6, 6, 2)


class Sketch:
    """A Program in the making: `put` adds a layer behind a value, `add` joins two values."""

    def __init__(self) -> None:
        self.builder = ProgramBuilder(SHAPE)

    def put(self, value: str, *layers: Layer) -> str:
        for layer in layers:
            value = layer.lower(self.builder, value)
        return value

    def add(self, left: str, right: str) -> str:
        name = self.builder.name("add")
        return self.builder.add(name, "add", (left, right), self.builder.shape(left))

    def end(self, value: str) -> Program:
        self.put(value, Flatten(), Dense(3))
        return self.builder.build()


def residual(s: Sketch) -> Program:
    """A residual block: the convolution's value goes through two layers, and past them."""
    start = s.put(INPUT, Conv2D(3), ReLU())
    return s.end(s.add(s.put(start, Conv2D(3), ReLU(), Conv2D(3)), start))


def pool_beside_relu(s: Sketch) -> Program:
    """conv -> relu -> pool must not be fused where the relu, or the convolution, has another reader."""
    conv = s.put(INPUT, Conv2D(3))
    relu = s.put(conv, ReLU())
    return s.end(s.add(s.put(relu, MaxPool2D()), s.add(s.put(relu, AveragePool2D()), s.put(conv, MaxPool2D()))))


def relu_beside_its_input(s: Sketch) -> Program:
    """A relu must not be written over a value that somebody else reads, whichever of them comes first."""
    conv = s.put(INPUT, Conv2D(3))
    early, late = s.put(conv, ReLU()), s.put(conv, Conv2D(3, 1))
    return s.end(s.add(s.add(early, late), s.add(conv, s.put(conv, ReLU()))))


def value_twice(s: Sketch) -> Program:
    """One node reads one value twice: both derivatives count."""
    conv = s.put(INPUT, Conv2D(3))
    return s.end(s.add(conv, conv))


def dense_beside_dense(s: Sketch) -> Program:
    """Two dense layers read one flat value."""
    flat = s.put(INPUT, Conv2D(2), ReLU(), Flatten())
    joined = s.add(s.put(flat, Dense(5), ReLU()), s.put(flat, Dense(5)))
    s.put(joined, Dense(3))
    return s.builder.build()


def images_past_layers(s: Sketch) -> Program:
    """The images themselves are read twice."""
    return s.end(s.add(s.put(INPUT, Conv2D(2), ReLU()), INPUT))


def dead_end(s: Sketch, *layers: Layer) -> Program:
    """Nobody reads what comes out of a side branch: it must change nothing, and its own gradient is zero."""
    start = s.put(INPUT, Conv2D(3))
    s.put(start, *layers)
    return s.end(s.put(start, ReLU(), MaxPool2D()))


def dead_relu(s: Sketch) -> Program:
    return dead_end(s, ReLU())


def dead_convolution(s: Sketch) -> Program:
    return dead_end(s, Conv2D(4))


def dead_block(s: Sketch) -> Program:
    return dead_end(s, Conv2D(4), ReLU(), MaxPool2D())


def dead_classifier(s: Sketch) -> Program:
    return dead_end(s, Flatten(), Dense(5))


GRAPHS = [
    residual,
    pool_beside_relu,
    relu_beside_its_input,
    value_twice,
    dense_beside_dense,
    images_past_layers,
    dead_relu,
    dead_convolution,
    dead_block,
    dead_classifier,
]


def start_parameters(program: Program, dtype: type = np.float32) -> Array:
    flat = aligned_zeros(program.parameter_size, dtype)
    draw = np.random.default_rng(3)
    for slot in program.slots:
        slot.view(flat)[...] = 0.3 * draw.standard_normal(slot.shape)
    return flat


def images(n: int, dtype: type = np.float32) -> Array:
    return np.random.default_rng(0).standard_normal((n, *SHAPE)).astype(dtype)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.__name__)
def test_gradients_of_graphs(graph: Callable[[Sketch], Program]) -> None:
    program, x, draw = graph(Sketch()), images(3, np.float64), np.random.default_rng(1)
    flat = start_parameters(program, np.float64)
    weights, gradient = draw.standard_normal((3, 3)), np.zeros_like(flat)

    def function() -> float:
        return float((interpreter.forward(program, flat, x).values[program.output] * weights).sum())

    dx = interpreter.backward(program, interpreter.forward(program, flat, x), weights, gradient)
    check_direction(function, x, dx, draw, "images")
    check_direction(function, flat, gradient, draw, "parameters")


def outcome(program: Program, flat: Array, name: str) -> tuple[Array, Array]:
    runner, gradient = engine.start(program, flat, name, 1), np.full_like(flat, np.nan)
    runner.gradient(images(21), np.arange(21) % 3, gradient)
    return runner.logits(images(21)), gradient


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.__name__)
def test_engines_agree_on_graphs(
    graph: Callable[[Sketch], Program], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convlens.engine.passes.LARGEST_MICRO_BATCH", 4)  # lanes of 5 and 6 images take two
    program = graph(Sketch())
    flat = start_parameters(program)
    for got, wanted in zip(outcome(program, flat, name), outcome(program, flat, "interpreter"), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * float(np.abs(wanted).max()))
