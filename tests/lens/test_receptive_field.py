"""The effective receptive field, of networks whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convlens import lens
from convlens.errors import ConfigurationError, ShapeError
from convlens.lens.receptive_field import _side, _spread
from convlens.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU
from tests.lens.networks import pixels, pooled, small


def test_one_kernel_is_its_own_field() -> None:
    model = pooled(Conv2D(1, 5))
    found = lens.receptive_field(model, "conv1", pixels(3), seed=4)
    kernel = np.square(model.parameters["conv1.w"][:, :, 0, 0].astype(np.float64))
    wanted = np.zeros((12, 12))
    wanted[4:9, 4:9] = kernel / kernel.sum()  # around the centre, pixel 6
    np.testing.assert_allclose(found.energy, wanted, atol=1e-7)
    assert found.theoretical == (5, 5)


def test_two_kernels_convolve() -> None:
    """The gradient through two linear layers with one channel each is the full convolution of their kernels."""
    model = pooled(Conv2D(1), Conv2D(1))
    first, second = (model.parameters[f"conv{n}.w"][:, :, 0, 0].astype(np.float64) for n in (1, 2))
    joint = np.zeros((5, 5))
    for i in range(3):
        for j in range(3):
            joint[i : i + 3, j : j + 3] += second[i, j] * first
    found = lens.receptive_field(model, "conv2", pixels(2))
    np.testing.assert_allclose(found.energy[4:9, 4:9], joint**2 / (joint**2).sum(), atol=1e-7)
    assert found.theoretical == (5, 5)


def test_channels_add_up() -> None:
    """With many draws of the weights, the energy is the sum over channels of the squared derivatives."""
    model = pooled(Conv2D(2))
    kernels = np.square(model.parameters["conv1.w"].astype(np.float64)).sum(axis=(2, 3))
    found = lens.receptive_field(model, "conv1", np.zeros((3000, 12, 12, 1), np.uint8))
    np.testing.assert_allclose(found.energy[5:8, 5:8], kernels / kernels.sum(), atol=0.02)


def test_a_uniform_kernel_fills_its_field() -> None:
    model = pooled(Conv2D(1, 5))
    model.parameters["conv1.w"][...] = 1
    found = lens.receptive_field(model, "conv1", pixels(2))
    assert found.side == math.sqrt(24)  # 24 of 25 equal pixels hold 96 %, 23 only 92 %
    assert found.filled == pytest.approx(math.sqrt(24) / 5)
    assert found.spread == pytest.approx((2 * math.sqrt(2), 2 * math.sqrt(2)))  # variance of -2..2 is 2


def test_side_and_spread() -> None:
    assert _side(np.zeros((3, 3))) == 0
    assert _side(np.array([[0.95, 0.03, 0.02]])) == math.sqrt(2)
    assert _side(np.array([[0.96, 0.03, 0.01]])) == 1
    assert _spread(np.zeros((2, 2))) == (0, 0)
    assert _spread(np.array([[1.0, 0.0, 1.0]])) == (0, 2)


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads() -> None:
    energies = [lens.receptive_field(small().use(threads=n), "pool1", pixels(4), seed=7).energy for n in (1, 2)]
    np.testing.assert_array_equal(*energies)
    assert not np.array_equal(energies[0], lens.receptive_field(small(), "pool1", pixels(4), seed=8).energy)


def test_vectors_and_dead_units() -> None:
    model = small()
    found = lens.receptive_field(model, "dense2", pixels(2))
    assert found.theoretical == (12, 12)
    assert found.energy.sum() == pytest.approx(1)
    model.parameters["conv1.b"][...] = -100
    dead = lens.receptive_field(model, "relu1", pixels(2))
    assert (dead.energy.sum(), dead.side, dead.spread) == (0, 0, (0, 0))


def test_theoretical_fields_end_at_the_image() -> None:
    model = pooled(Conv2D(1, 11), ReLU(), MaxPool2D(), Conv2D(1, 5))
    assert lens.receptive_field(model, "conv2", pixels(1)).theoretical == (12, 12)
    wide = small(Conv2D(1, (3, 1)), Flatten(), Dense(3))
    assert lens.receptive_field(wide, "conv1", pixels(1)).theoretical == (3, 1)


def test_wrong_requests() -> None:
    with pytest.raises(ConfigurationError, match="no node"):
        lens.receptive_field(small(), "conv9", pixels(1))
    with pytest.raises(ShapeError, match="at least one"):
        lens.receptive_field(small(), "conv1", pixels(0))
