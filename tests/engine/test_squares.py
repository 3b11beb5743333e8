"""Results of a convolution in squares, Winograd's way: the bits of the plain sum, wherever that is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from convlens import nn
from convlens.engine.compiled.geometry import form_of, in_squares
from convlens.engine.engines import NumbaPlan, NumpyPlan
from convlens.errors import ShapeError
from convlens.fast.toom import FOUR, TWO
from convlens.ops.window import Window
from tests.reference.strategies import whole_numbers

from .drive import drive, results_in_squares


@st.composite
def models(draw: st.DrawFn, sizes: tuple[int, ...] = (3, 5, 7)) -> nn.Model:
    """Draw large kernels, many channels, images of several blocks, and of a part of one."""
    tall = draw(st.sampled_from(sizes))
    size = draw(st.tuples(st.integers(tall, 17), st.integers(tall, 17)))
    channels, filters = draw(st.sampled_from([1, 3, 8, 9, 16, 17])), draw(st.sampled_from([1, 8, 15, 16, 31, 33, 70]))
    padding = draw(st.sampled_from(["same", "valid", "full"]))
    mode = draw(st.sampled_from(["zeros", "reflect"])) if padding == "same" else "zeros"
    tested = nn.Conv2D(filters, tall, 1, padding, mode)
    tail = draw(st.sampled_from([[], [nn.ReLU()], [nn.MaxPool2D(2), nn.ReLU()], [nn.MaxPool2D(2)]]))
    layers = [nn.Conv2D(channels, 1), tested, *tail, nn.Flatten()]
    try:
        model = nn.Model(layers, (*size, 1))
    except ShapeError:
        model = nn.Model([*layers[:2], nn.Flatten()], (*size, 1))  # no window of the pool fits
    for seed, (name, values) in enumerate(model.parameters.items()):
        model.parameters[name][...] = whole_numbers(seed, *values.shape, largest=2)
    return model


@settings(max_examples=60)
@given(models(), st.integers(1, 5))
def test_squares_give_the_bits_of_the_plain_sum(model: nn.Model, images: int) -> None:
    x = whole_numbers(3, images, *model.input_shape, largest=1)
    dy = whole_numbers(4, images, *model.program.output_shape, largest=1)
    wanted = drive(model, x, dy, NumpyPlan.tools())
    with results_in_squares(True):
        got = drive(model, x, dy, NumbaPlan.tools())
    np.testing.assert_array_equal(got.y, wanted.y)
    np.testing.assert_array_equal(got.gradient, wanted.gradient)


@settings(max_examples=30)
@given(models(sizes=(3,)), st.integers(1, 5))
def test_larger_squares_round_a_little_more(model: nn.Model, images: int) -> None:
    """Where a window's largest results differ by less than that, another may win; so only sums are compared then."""
    x = np.random.default_rng(3).standard_normal((images, *model.input_shape)).astype(np.float32)
    dy = np.random.default_rng(4).standard_normal((images, *model.program.output_shape)).astype(np.float32)
    driven = []
    for squares in (False, True):
        with results_in_squares(squares, of_four=True):
            driven.append(drive(model, x, dy, NumbaPlan.tools()))
    plain, got = driven
    np.testing.assert_allclose(got.y, plain.y, rtol=0, atol=4e-6 * np.abs(plain.y).max())
    if len(model.layers) == 3:
        slot = next(slot for slot in model.program.slots if slot.name == "conv2.w")
        for ours, wanted in ((slot.view(one.gradient) for one in (got, plain)), (got.dx["conv2"], plain.dx["conv2"])):
            np.testing.assert_allclose(ours, wanted, rtol=0, atol=4e-6 * np.abs(wanted).max())


@pytest.mark.parametrize("rows", [10, 12])
def test_windows_of_larger_squares_have_the_winners_of_smaller_ones(rows: int) -> None:
    model = nn.Model([nn.Conv2D(16, 1), nn.Conv2D(17, 3), nn.MaxPool2D(2), nn.ReLU(), nn.Flatten()], (rows, 12, 1))
    x = np.random.default_rng(3).standard_normal((3, rows, 12, 1)).astype(np.float32)
    dy = np.random.default_rng(4).standard_normal((3, *model.program.output_shape)).astype(np.float32)
    driven = []
    for of_four in (False, True):
        with results_in_squares(True, of_four=of_four):
            driven.append(drive(model, x, dy, NumbaPlan.tools()))
    for slot in model.program.slots:
        wanted, got = (slot.view(one.gradient) for one in driven)
        np.testing.assert_allclose(got, wanted, rtol=0, atol=4e-6 * np.abs(wanted).max(), err_msg=slot.name)


@pytest.mark.parametrize(("size", "of_four"), [(3, False), (5, False), (7, False), (3, True)])
def test_rounding_errors_are_of_the_same_order(size: int, of_four: bool) -> None:
    """Against float64: differences of pixels lose a little, and no digit."""
    model = nn.Model([nn.Conv2D(16, 1), nn.Conv2D(32, size), nn.Flatten()], (14, 14, 1), seed=1)
    draw, w = np.random.default_rng(0), model.parameters["conv2.w"]
    model.parameters["conv1.w"][...] = 1
    x = draw.standard_normal((4, 14, 14, 1)).astype(np.float32)
    dy = draw.standard_normal((4, *model.program.output_shape)).astype(np.float32)
    half = size // 2
    window = Window((size, size), rows=(half, half), columns=(half, half))
    patches = window.patches(window.pad(np.broadcast_to(x, (4, 14, 14, 16)).astype(np.float64)))
    y = np.einsum("nhwuvc,uvcf->nhwf", patches, w.astype(np.float64)).reshape(4, -1)
    dw = np.einsum("nhwuvc,nhwf->uvcf", patches, dy.reshape(4, 14, 14, 32).astype(np.float64))
    errors = []
    for squares in (False, True):
        with results_in_squares(squares, of_four=of_four):
            got = drive(model, x, dy, NumbaPlan.tools())
        ours = next(slot for slot in model.program.slots if slot.name == "conv2.w").view(got.gradient)
        errors.append([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in ((got.y, y), (ours, dw))])
    plain, in_squares_of_results = np.array(errors)
    assert (plain < 1e-6).all()
    assert (in_squares_of_results < (10 if of_four else 3) * plain).all()


def test_squares_are_large_where_little_sticks_out() -> None:
    assert form_of(3, (28, 28)) == form_of(3, (14, 14)) == form_of(3, (7, 7)) == FOUR
    assert form_of(3, (6, 6)) == form_of(3, (5, 5)) == form_of(3, (2, 2)) == TWO
    assert form_of(5, (28, 28)) == TWO


def test_which_convolutions_are_in_squares() -> None:
    same = Window((3, 3), rows=(1, 1), columns=(1, 1))
    assert in_squares(same, 16, (2, 2))
    assert in_squares(same, 16, (1, 1))
    assert not in_squares(same, 1, (2, 2)), "a product of one channel is no work: sums and differences cost more"
    assert not in_squares(same, 16, (3, 3)), "a square would belong to two pooling windows"
    assert not in_squares(same, 16, (2, 1))
    assert not in_squares(Window((4, 4)), 16, (1, 1))
    assert not in_squares(Window((3, 5)), 16, (1, 1))
    assert not in_squares(Window((1, 1)), 64, (1, 1))
    assert not in_squares(Window((3, 3), (2, 2)), 16, (1, 1))
