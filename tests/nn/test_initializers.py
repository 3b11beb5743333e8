"""Initial weights: their variance, their range, their streams."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from convlens import nn
from convlens.nn.initializers import INITIALIZERS, standard_normal
from convlens.randomness import stream
from convlens.typing import Array


def drawn(name: str, layer: str, seed: int = 0) -> tuple[Array, int, int]:
    """Return weights, fan_in (inputs that one output sees) and fan_out (outputs that one input reaches)."""
    if layer == "conv":
        model = nn.Model([nn.Conv2D(64, (3, 5), kernel_initializer=name), nn.Flatten()], (6, 6, 32), seed)
        return model.parameters["conv1.w"], 3 * 5 * 32, 3 * 5 * 64
    model = nn.Model([nn.Flatten(), nn.Dense(200, name)], (10, 10, 2), seed)
    return model.parameters["dense1.w"], 200, 200


@pytest.mark.parametrize("layer", ["conv", "dense"])
@pytest.mark.parametrize("name", sorted(set(INITIALIZERS) - {"zeros", "ones"}))
def test_mean_and_variance(name: str, layer: str) -> None:
    weights, fan_in, fan_out = drawn(name, layer)
    variance = 2 / fan_in if name.startswith("he") else 2 / (fan_in + fan_out)
    values = weights.astype(np.float64).ravel()
    # five standard errors: of a mean, sd / sqrt(n); of a variance, at most variance * sqrt(2 / n)
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / values.size))
    largest = math.sqrt(3 * variance)
    if name.endswith("uniform"):
        assert 0.99 * largest < np.abs(values).max() <= largest * (1 + 1e-6)
    else:
        # a normal distribution leaves 8.3% of its values beyond the edge of the uniform one of its variance
        assert (np.abs(values) > largest).mean() == pytest.approx(0.0833, abs=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_normal_values_are_normal(seed: int) -> None:
    values = standard_normal(stream(seed, "initialise"), 50_001)  # of an odd number, the last has no partner
    assert values.shape == (50_001,)
    assert stats.kstest(values, "norm").pvalue > 0.001
    pairs = values[:25_000], values[25_001:50_001]  # the cosines and the sines
    assert abs(np.corrcoef(*pairs)[0, 1]) < 0.03


def test_each_parameter_has_numbers_of_its_own() -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(9), nn.Dense(9), nn.Dense(9)], (3, 3, 1))
    one, two, three = (model.parameters[f"dense{i}.w"] for i in (1, 2, 3))
    assert len({array.tobytes() for array in (one, two, three)}) == 3
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.4


def test_biases_begin_at_zero_and_zeros_are_zero() -> None:
    model = nn.Model([nn.Conv2D(3, kernel_initializer="zeros"), nn.Flatten(), nn.Dense(2)], (4, 4, 1))
    for name in ("conv1.w", "conv1.b", "dense1.b"):
        assert not model.parameters[name].any()
    assert model.parameters["dense1.w"].all()


def test_the_first_weights_of_seed_zero() -> None:
    """If these change, every stored trial is of another experiment: raise NUMERICS_VERSION."""
    model = nn.Model([nn.Conv2D(1, 2), nn.Flatten()], (4, 4, 1), seed=0)
    got = model.parameters["conv1.w"].ravel().tolist()
    assert got == pytest.approx([1.23761022, 0.50281829, 0.00456435, 0.6755085], abs=1e-7)
