"""Rows of a convolution in pairs, Winograd's way: the bits of the plain sum, wherever that is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

from convlens import nn
from convlens.engine.compiled.geometry import in_pairs, tables
from convlens.engine.engines import NumbaPlan, NumpyPlan
from convlens.errors import ShapeError
from convlens.fast.pairs import part_rows
from convlens.fast.product import NO_FLOOR
from convlens.fast.script import entry
from convlens.fast.vector import WIDTH
from convlens.ops.window import Window
from convlens.typing import Float32
from tests.reference.strategies import whole_numbers

from .drive import drive, rows_in_pairs


@st.composite
def models(draw: st.DrawFn) -> nn.Model:
    """Draw large kernels, many channels, images of several blocks, and of a part of one."""
    tall = draw(st.sampled_from([3, 5, 7]))
    size = draw(st.tuples(st.integers(tall, 17), st.integers(3, 17)))
    channels, filters = draw(st.sampled_from([1, 3, 16, 17])), draw(st.sampled_from([1, 15, 16, 31, 33, 70]))
    padding = draw(st.sampled_from(["same", "valid", "full"]))
    mode = draw(st.sampled_from(["zeros", "reflect"])) if tall < size[0] and padding == "same" else "zeros"
    tested = nn.Conv2D(filters, (tall, 3), (1, draw(st.integers(1, 2))), padding, mode)
    tail = draw(st.sampled_from([[], [nn.ReLU()], [nn.MaxPool2D(2), nn.ReLU()], [nn.ReLU(), nn.MaxPool2D((2, 1))]]))
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
def test_rows_in_pairs_give_the_bits_of_the_plain_sum(model: nn.Model, images: int) -> None:
    x = whole_numbers(3, images, *model.input_shape, largest=1)
    dy = whole_numbers(4, images, *model.program.output_shape, largest=1)
    wanted = drive(model, x, dy, NumpyPlan.tools())
    with rows_in_pairs(True):
        got = drive(model, x, dy, NumbaPlan.tools())
    np.testing.assert_array_equal(got.y, wanted.y)
    np.testing.assert_array_equal(got.gradient, wanted.gradient)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_rounding_errors_are_of_the_same_order(size: int) -> None:
    """Against float64: differences of rows lose a little, and no digit."""
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
    for paired in (False, True):
        with rows_in_pairs(paired):
            got = drive(model, x, dy, NumbaPlan.tools())
        ours = next(slot for slot in model.program.slots if slot.name == "conv2.w").view(got.gradient)
        errors.append([np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in ((got.y, y), (ours, dw))])
    plain, in_pairs_of_rows = np.array(errors)
    assert (plain < 1e-6).all()
    assert (in_pairs_of_rows < 3 * plain).all()


def test_which_convolutions_are_in_pairs() -> None:
    same = Window((3, 3), rows=(1, 1), columns=(1, 1))
    assert in_pairs(same, 16, (2, 2), 14)
    assert in_pairs(same, 16, (1, 1), 7)
    assert not in_pairs(same, 1, (2, 2), 28), "a row of three values is no work: sums and differences cost more"
    assert not in_pairs(same, 16, (1, 1), 1), "one row is no pair"
    assert not in_pairs(same, 16, (3, 3), 12), "a pair would belong to two pooling windows"
    assert not in_pairs(Window((4, 4)), 16, (1, 1), 14)
    assert not in_pairs(Window((1, 1)), 64, (1, 1), 14)
    assert not in_pairs(Window((3, 3), (2, 2)), 16, (1, 1), 14)
    assert in_pairs(Window((3, 3), (1, 2)), 16, (1, 1), 14)


def products(size: int, padded: bool) -> tuple[int, int]:
    """Return the products of rows of 14 x 14 pixels that are computed with one row of 16 kernels, and all there are."""
    half = size // 2 if padded else 0
    window, rows = Window((size, size), rows=(half, half), columns=(half, half)), 14 if padded else 15 - size
    of = tables(window, (14, 14, 16), 16, (1, 1), (rows, rows), 4).forward
    spans, pairs = of.spans.reshape(-1, 5), (rows + 1) // 2
    row = size * 16
    return sum((span[2] - span[1]) * ((span[4] - span[3]) // row) for span in spans), pairs * len(of.taps) // row


def test_products_with_rows_of_padding_alone_are_left_out() -> None:
    assert products(7, padded=True) == (64, 70)
    assert products(5, padded=True) == (49, 49), "each sum or difference has a row of the image"
    assert products(7, padded=False) == (40, 40)


@entry
def put_together(sums: Float32, rows: int, y: Float32) -> None:
    part_rows(sums, len(sums) // 4, WIDTH, (rows + 1) // 2, 2, rows, y, 0, 3, NO_FLOOR, 3)


@pytest.mark.parametrize("rows", [3, 4])
def test_nothing_is_written_behind_the_last_row(rows: int) -> None:
    y = np.full(rows * 2 * 3 + 9, 77, np.float32)
    put_together(np.ones(4 * 2 * 2 * WIDTH, np.float32), rows, y)()
    of_rows = np.broadcast_to(np.array([3, 1] * 2, np.float32)[:rows, None], (rows, 6)).reshape(-1)
    np.testing.assert_array_equal(y, [*of_rows, *[77] * 9])
