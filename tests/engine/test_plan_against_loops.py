"""The plans, with all their fusing and reordering, against the plain loops, to the bit.

A 1x1 convolution with the identity as its kernel stands first, so that the layer under test must compute an input
derivative.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convlens import nn
from convlens.engine.engines import NumbaPlan, NumpyPlan, Plan
from convlens.typing import Array, Float32
from tests.reference import loops
from tests.reference.strategies import Convolution, convolutions, pools, whole_numbers

from .drive import drive, results_in_squares

each_plan = pytest.mark.parametrize("plan", [NumpyPlan, NumbaPlan])
TAILS = [(), ("relu",), ("pool",), ("relu", "pool"), ("pool", "relu"), ("overlap",), ("relu", "overlap", "relu")]


def tail_layers(names: tuple[str, ...], pool: tuple[int, int]) -> list[nn.Layer]:
    made = {"relu": nn.ReLU(), "pool": nn.MaxPool2D(pool), "overlap": nn.MaxPool2D(pool, 1)}
    return [made[name] for name in names]


def reference_tail(y: Array, names: tuple[str, ...], pool: tuple[int, int], dy: Array | None = None) -> Array:
    """Return the tail's output, or, where dy is given, its input derivative."""
    grids = {"pool": loops.Grid(pool, pool), "overlap": loops.Grid(pool)}
    values = [y]
    for name in names:
        values.append(loops.relu(values[-1])[0] if name == "relu" else loops.max_pool2d(values[-1], grids[name])[0])
    if dy is None:
        return values[-1]
    flow = dy.reshape(values[-1].shape)
    for name, value in zip(reversed(names), reversed(values[:-1]), strict=True):
        flow = loops.relu(value, flow)[1] if name == "relu" else loops.max_pool2d(value, grids[name], flow)[1]
    return flow


def model_of(drawn: Convolution, tail: list[nn.Layer]) -> nn.Model:
    channels = drawn.shape[3]
    tested = nn.Conv2D(drawn.filters, drawn.kernel, drawn.stride, drawn.padding, drawn.mode)
    model = nn.Model([nn.Conv2D(channels, 1), tested, *tail, nn.Flatten()], drawn.shape[1:])
    model.parameters["conv1.w"][...] = np.eye(channels, dtype=np.float32)
    for name in ("conv2.w", "conv2.b"):
        model.parameters[name][...] = whole_numbers(drawn.seed, *model.parameters[name].shape, largest=2)
    return model


@each_plan
@given(
    convolutions(),
    st.sampled_from(TAILS),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.sampled_from([1, 3]),
    st.booleans(),
)
def test_convolution_and_what_follows(
    plan: type[Plan], drawn: Convolution, names: tuple[str, ...], pool: tuple[int, int], largest: int, squares: bool
) -> None:
    last = list(drawn.grid.positions(*drawn.shape[1:3]))[-1]
    assume(not {"pool", "overlap"} & set(names) or (last[0] + 1 >= pool[0] and last[1] + 1 >= pool[1]))
    model = model_of(drawn, tail_layers(names, pool))
    x = whole_numbers(drawn.seed, *drawn.shape, largest=largest)
    w, b = model.parameters["conv2.w"], model.parameters["conv2.b"]
    inner = loops.conv2d(x, w, b, drawn.grid)
    y = reference_tail(inner, names, pool).reshape(len(x), -1)
    dy = whole_numbers(drawn.seed + 1, *y.shape)
    with results_in_squares(squares):
        got = drive(model, x, dy, plan.tools())
    np.testing.assert_array_equal(got.y, y)
    flow = reference_tail(inner, names, pool, dy)
    check_gradients(model, got.gradient, x, loops.conv2d_backward(x, w, flow, drawn.grid))


def check_gradients(model: nn.Model, gradient: Array, x: Float32, wanted: tuple[Array, Array, Array]) -> None:
    """Compare the gradients of both convolutions; those of the first are what dx makes of them."""
    dx, dw, db = wanted
    _, dw_first, db_first = loops.conv2d_backward(x, model.parameters["conv1.w"], dx, loops.Grid((1, 1)))
    arrays = {"conv1.w": dw_first, "conv1.b": db_first, "conv2.w": dw, "conv2.b": db}
    for slot in model.program.slots:
        if slot.name in arrays:
            np.testing.assert_array_equal(slot.view(gradient), arrays[slot.name], err_msg=slot.name)


@each_plan
@given(convolutions(), st.booleans())
def test_the_input_derivative_of_a_convolution(plan: type[Plan], drawn: Convolution, squares: bool) -> None:
    model, x = model_of(drawn, []), whole_numbers(drawn.seed, *drawn.shape)
    w, b = model.parameters["conv2.w"], model.parameters["conv2.b"]
    dy = whole_numbers(drawn.seed + 1, *loops.conv2d(x, w, b, drawn.grid).shape)
    with results_in_squares(squares):
        got = drive(model, x, dy.reshape(len(x), -1), plan.tools())
    np.testing.assert_array_equal(got.dx["conv2"], loops.conv2d_backward(x, w, dy, drawn.grid)[0])


@each_plan
@pytest.mark.parametrize("kind", ["max", "average"])
@given(pools())
def test_pools_on_their_own(plan: type[Plan], kind: str, drawn: tuple[tuple[int, ...], loops.Grid, int]) -> None:
    """An average pool of one pixel, which changes nothing, keeps the pool from being fused with the convolution."""
    shape, grid, seed = drawn
    pool = {"max": nn.MaxPool2D, "average": nn.AveragePool2D}[kind](grid.kernel, grid.stride)
    reference = {"max": loops.max_pool2d, "average": loops.average_pool2d}[kind]
    model = nn.Model([nn.Conv2D(shape[3], 1), nn.AveragePool2D(1), pool, nn.Flatten()], shape[1:])
    model.parameters["conv1.w"][...] = np.eye(shape[3], dtype=np.float32)
    x = whole_numbers(seed, *shape, largest=1)
    dy = whole_numbers(seed + 1, *reference(x, grid)[0].shape)
    y, dx = reference(x, grid, dy)
    got = drive(model, x, dy.reshape(len(x), -1), plan.tools())
    np.testing.assert_allclose(got.y, y.reshape(len(x), -1), rtol=0, atol=0 if kind == "max" else 1e-6)
    np.testing.assert_allclose(got.dx["pool2"], dx, rtol=0, atol=0 if kind == "max" else 1e-5)


@each_plan
@given(convolutions(), st.booleans())
def test_local_connections(plan: type[Plan], drawn: Convolution, rectified: bool) -> None:
    channels = drawn.shape[3]
    tested = nn.LocallyConnected2D(drawn.filters, drawn.kernel, drawn.stride, drawn.padding, drawn.mode)
    tail = [nn.ReLU()] if rectified else []
    model = nn.Model([nn.Conv2D(channels, 1), tested, *tail, nn.Flatten()], drawn.shape[1:])
    parameters = model.parameters
    parameters["conv1.w"][...] = np.eye(channels, dtype=np.float32)
    for name in ("local1.w", "local1.b"):
        parameters[name][...] = whole_numbers(drawn.seed, *parameters[name].shape, largest=2)
    x = whole_numbers(drawn.seed, *drawn.shape)
    w, b = parameters["local1.w"], parameters["local1.b"]
    inner = loops.local2d(x, w, b, drawn.grid)
    dy = whole_numbers(drawn.seed + 1, *inner.shape)
    got = drive(model, x, dy.reshape(len(x), -1), plan.tools())
    y, flow = loops.relu(inner, dy) if rectified else (inner, dy)
    np.testing.assert_array_equal(got.y, y.reshape(len(x), -1))
    wanted = dict(zip(("dx", "local1.w", "local1.b"), loops.local2d_backward(x, w, flow, drawn.grid), strict=True))
    for slot in model.program.slots:
        if slot.name in wanted:
            np.testing.assert_array_equal(slot.view(got.gradient), wanted[slot.name], err_msg=slot.name)
    fused = "local1" not in got.dx
    np.testing.assert_array_equal(got.dx["relu1" if fused else "local1"], wanted["dx"])


@each_plan
@given(st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=9, max_size=9))
def test_nan_is_the_largest_of_a_pool(plan: type[Plan], values: list[float]) -> None:
    model = nn.Model([nn.Conv2D(1, 1), nn.AveragePool2D(1), nn.MaxPool2D(3), nn.Flatten()], (3, 3, 1))
    model.parameters["conv1.w"][...] = 1
    x = np.array(values, np.float32).reshape(1, 3, 3, 1)
    np.testing.assert_array_equal(drive(model, x, np.ones((1, 1), np.float32), plan.tools()).y[0, 0], x.max())
