"""Input gradients, by finite differences in float64 for every layer, and against known answers."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import lens, ops
from convlens.errors import ConfigurationError, ShapeError
from convlens.lens import gradient as module
from convlens.nn import Dense, Flatten
from tests.gradcheck import check_direction
from tests.layer_cases import CASES, LayerCase
from tests.lens.networks import pixels, small


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.name)
def test_every_layer_by_finite_differences(row: LayerCase) -> None:
    """From the output, and from the end of the stack: prediction mode, so batch norm and dropout too."""
    model = row.build(np.float64)
    images, _ = row.batch(3, np.float64)
    draw = np.random.default_rng(1)
    names = [node.name for node in model.program.nodes]
    for name in {names[-1], names[len(names) // 2]}:
        weights = draw.standard_normal(lens.activations(model, images, [name])[name].shape)
        found = lens.input_gradient(model, images, weights, name)

        def weighed(name: str = name, weights: np.ndarray = weights) -> float:
            return float((lens.activations(model, images, [name])[name] * weights).sum())

        check_direction(weighed, images, found, draw, name)


def test_a_unit_is_a_weight_of_one() -> None:
    model, images = small(), pixels(4)
    for name, unit, shape in (("dense2", 2, (3,)), ("conv2", (1, 4, 3), (6, 6, 5)), ("relu1", (0, 0, 0), (12, 12, 4))):
        weights = np.zeros(shape)
        weights[unit] = 1
        np.testing.assert_array_equal(
            lens.input_gradient(model, images, unit, name), lens.input_gradient(model, images, weights, name)
        )
    np.testing.assert_array_equal(
        lens.input_gradient(model, images, 2), lens.input_gradient(model, images, 2, "dense2")
    )


def test_a_linear_network_has_its_weights_for_gradient() -> None:
    model = small(Flatten(), Dense(3), shape=(4, 5, 2))
    found = lens.input_gradient(model, pixels(2, (4, 5, 2)), 1)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        found, np.broadcast_to(model.parameters["dense1.w"][:, 1].reshape(4, 5, 2), found.shape)
    )


def test_weights_of_each_image() -> None:
    model, images = small(), pixels(3)
    weights = np.random.default_rng(0).standard_normal((3, 6, 6, 5))
    together = lens.input_gradient(model, images, weights, "relu2")
    for place in range(3):
        alone = lens.input_gradient(model, images[[place]], weights[place], "relu2")
        np.testing.assert_allclose(together[[place]], alone, rtol=1e-6)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, images = small(), pixels(5)
    weights = np.random.default_rng(0).standard_normal((5, 3))
    whole = lens.input_gradient(model, images, weights)
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)
    np.testing.assert_allclose(lens.input_gradient(model, images, weights), whole, rtol=1e-6)


def test_wrong_units() -> None:
    model, images = small(), pixels(2)
    for unit, node in ((3, None), (-1, None), ((0, 0), "conv1"), ((0, 12, 0), "conv1"), (0, "conv1"), (True, "conv1")):
        with pytest.raises((ConfigurationError, ShapeError)):
            lens.input_gradient(model, images, unit, node)
    with pytest.raises(ShapeError, match=r"\(3,\) or \(2, 3\), not \(4,\)"):
        lens.input_gradient(model, images, np.ones(4))
    with pytest.raises(ConfigurationError, match="did you mean 'dense2'"):
        lens.input_gradient(model, images, 0, "dense_2")


def test_batch_norm_in_prediction_gives_the_derivatives_of_scale_and_shift_too() -> None:
    draw = np.random.default_rng(2)
    x, dy = draw.standard_normal((2, 4, 3, 3, 2))
    gamma, beta, mean = draw.standard_normal((3, 2))
    given = gamma, beta, mean, draw.random(2) + 0.1, 1e-3
    derivatives = ops.normalize_backward(dy, x, given)
    for variable, derivative in zip((x, gamma, beta), derivatives, strict=True):
        check_direction(lambda: float((ops.normalize(x, *given) * dy).sum()), variable, derivative, draw, "norm")
