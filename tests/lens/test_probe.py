"""Linear probes, against a solution found otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import lens
from convlens.errors import ConfigurationError, DataError, ShapeError
from convlens.lens.probe import _fitted, pooled
from convlens.typing import FloatArray, Labels
from tests.lens.networks import pixels, small


def clouds(count: int, apart: float, seed: int) -> tuple[FloatArray, Labels]:
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = apart * np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    return draw.standard_normal((count, 4)) + centres[labels], labels


def test_the_fit_is_the_minimum() -> None:
    """Plain gradient descent, many small steps with loops over images, ends at the same weights."""
    x, labels = clouds(30, 1.0, 0)
    weights = np.zeros((5, 3))
    for _ in range(4000):
        gradient = np.zeros_like(weights)
        for row, label in zip(x, labels, strict=True):
            scores = np.exp(row @ weights[:4] + weights[4])
            excess = scores / scores.sum() - np.eye(3)[label]
            gradient[:4] += np.outer(row, excess) / 30
            gradient[4] += excess / 30
        gradient[:4] += 0.05 * weights[:4]
        weights -= 0.3 * gradient
    np.testing.assert_allclose(_fitted(x, labels, 3, 0.05), weights, atol=1e-4)


def test_what_can_be_separated_is() -> None:
    found = lens.linear_probe(*clouds(90, 8.0, 1), *clouds(60, 8.0, 2))
    assert (found.features, found.accuracy, found.train_accuracy) == (4, 1.0, 1.0)


def test_accuracy_counts_the_test_images() -> None:
    x, labels = clouds(90, 8.0, 1)
    wrong = labels.copy()
    wrong[:9] = (wrong[:9] + 1) % 3
    assert lens.linear_probe(x, labels, x, wrong).accuracy == pytest.approx(0.9)


def test_scale_and_offset_of_features_do_not_matter() -> None:
    (x, labels), (x_test, true) = clouds(90, 1.0, 3), clouds(90, 1.0, 4)
    factor, offset = np.array([1e3, 1e-3, 1, 50]), np.array([5, 0, -3, 1e4])
    one = lens.linear_probe(x, labels, x_test, true)
    other = lens.linear_probe(x * factor + offset, labels, x_test * factor + offset, true)
    assert 0.4 < one.accuracy < 0.9
    assert one.accuracy == other.accuracy


def test_features_that_never_vary_are_left_out() -> None:
    x, labels = clouds(90, 8.0, 1)
    found = lens.linear_probe(np.c_[x, np.full(90, 7.0)], labels, np.c_[x, np.full(90, 9.0)], labels)
    assert (found.features, found.accuracy) == (4, 1.0)
    constant = lens.linear_probe(np.ones((90, 2)), labels, np.ones((90, 2)), labels)
    assert constant.accuracy == pytest.approx(1 / 3)


def test_pooling_averages_squares() -> None:
    maps = np.random.default_rng(0).standard_normal((2, 5, 7, 3))
    found = pooled(maps, most=40).reshape(2, 3, 4, 3)
    for i in range(3):
        for j in range(4):
            square = maps[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            np.testing.assert_allclose(found[:, i, j], square.mean(axis=(1, 2)))
    assert pooled(maps, most=1).shape == (2, 3)
    assert pooled(maps).shape == (2, 105)
    np.testing.assert_array_equal(pooled(maps[:, 0, 0]), maps[:, 0, 0])


def test_probes_of_a_network() -> None:
    model, images, labels = small(), pixels(60), np.arange(60) % 3
    images[labels == 1, :6] //= 4
    images[labels == 2, 6:] //= 4
    found = lens.probes(model, (images[:40], labels[:40]), (images[40:], labels[40:]))
    assert [one.node for one in found.probes] == ["input", *(n.name for n in model.program.nodes if n.op != "reshape")]
    assert found.probes[1].accuracy > 0.8
    values = lens.activations(model, images, ["pool1"])["pool1"].reshape(60, -1)
    alone = lens.linear_probe(values[:40], labels[:40], values[40:], labels[40:], node="pool1")
    assert alone == found.probes[3]


def test_wrong_requests() -> None:
    x, labels = clouds(9, 1.0, 0)
    with pytest.raises(ShapeError, match="takes features"):
        lens.linear_probe(x, labels, x[:, :2], labels)
    with pytest.raises(DataError, match="one label each"):
        lens.linear_probe(x, labels[:4], x, labels)
    with pytest.raises(DataError, match="finite"):
        lens.linear_probe(x * np.nan, labels, x, labels)
    with pytest.raises(ConfigurationError, match="no node"):
        lens.probes(small(), (pixels(3), [0, 1, 2]), (pixels(3), [0, 1, 2]), ["conv7"])
