"""Convolution: `ops` against the plain loops, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from convlens import ops
from convlens.errors import ConfigurationError, ShapeError
from tests.reference import loops
from tests.reference.strategies import Convolution, convolutions, whole_numbers


def window_of(drawn: Convolution) -> ops.Window:
    return ops.Window.resolve(drawn.kernel, drawn.stride, drawn.padding, drawn.shape[1:3], drawn.mode)


@given(convolutions())
def test_windows(drawn: Convolution) -> None:
    window, grid = window_of(drawn), drawn.grid
    assert (window.rows, window.columns) == (grid.rows, grid.columns)
    last = list(grid.positions(*drawn.shape[1:3]))[-1]
    assert window.output_size(*drawn.shape[1:3]) == (last[0] + 1, last[1] + 1)


@given(convolutions())
def test_convolution(drawn: Convolution) -> None:
    x = whole_numbers(drawn.seed, *drawn.shape)
    w = whole_numbers(drawn.seed, *drawn.kernel, drawn.shape[3], drawn.filters)
    b = whole_numbers(drawn.seed, drawn.filters)
    y, saved = ops.conv2d(x, w, b, window_of(drawn))
    np.testing.assert_array_equal(y, loops.conv2d(x, w, b, drawn.grid))
    dy = whole_numbers(drawn.seed + 1, *y.shape)
    names = zip(("dx", "dw", "db"), ops.conv2d_backward(dy, saved), strict=True)
    for (name, got), wanted in zip(names, loops.conv2d_backward(x, w, dy, drawn.grid), strict=True):
        np.testing.assert_array_equal(got, wanted, err_msg=name)


def test_the_formula_by_hand() -> None:
    """[1 2 3] with the kernel [10 1]: 1*10 + 2*1, 2*10 + 3*1. A cross-correlation: the kernel is not turned round."""
    x, w = np.array([1.0, 2, 3]).reshape(1, 1, 3, 1), np.array([10.0, 1]).reshape(1, 2, 1, 1)
    y, _ = ops.conv2d(x, w, np.zeros(1), ops.Window((1, 2)))
    assert y.ravel().tolist() == [12, 23]


def test_the_sum_of_very_many_derivatives_keeps_its_digits() -> None:
    """A float32 sum of 100,352 equal numbers, one after the other, is wrong in the fourth digit."""
    x, w = np.zeros((128, 28, 28, 1), np.float32), np.zeros((1, 1, 1, 8), np.float32)
    y, saved = ops.conv2d(x, w, np.zeros(8, np.float32), ops.Window((1, 1)))
    _, _, db = ops.conv2d_backward(np.full_like(y, 0.1), saved)
    np.testing.assert_allclose(db, x.size * float(np.float32(0.1)), rtol=5e-6)


def test_no_images() -> None:
    x, w = np.zeros((0, 5, 4, 2), np.float32), np.zeros((3, 3, 2, 6), np.float32)
    assert ops.conv2d(x, w, np.zeros(6, np.float32), ops.Window((3, 3)))[0].shape == (0, 3, 2, 6)


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"a window of 3x2 does not fit into 2x9 pixels \(an image of 2x9"):
        ops.Window.resolve((3, 2), (1, 1), "valid", (2, 9))


def test_reflecting_more_than_there_is_is_refused() -> None:
    ops.Window.resolve((5, 5), (1, 1), "same", (3, 3), "reflect")
    with pytest.raises(ShapeError, match=r"needs a larger image than 2x3; .* padding mode 'zeros'"):
        ops.Window.resolve((5, 5), (1, 1), "same", (2, 3), "reflect")


@pytest.mark.parametrize(
    ("padding", "mode", "message"),
    [
        ("sme", "zeros", "unknown padding 'sme'; did you mean 'same'?"),
        ("same", "reflct", "unknown padding mode 'reflct'; did you mean 'reflect'?"),
        (None, "zeros", "unknown padding None; known: full, same, valid"),
    ],
)
def test_unknown_names_are_refused(padding: str, mode: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ops.Window.resolve((3, 3), (1, 1), padding, (5, 5), mode)
    assert str(caught.value) == message
