"""Attributions, against loops, known answers of linear networks, and completeness; and the check beside each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from convlens import lens
from convlens.errors import ConfigurationError
from convlens.lens import relevance
from convlens.lens.attribution import ATTRIBUTIONS, rank_correlation, with_redrawn_weights
from convlens.nn import BatchNorm, Conv2D, Dense, Dropout, Flatten, GlobalAveragePool2D, Model, ReLU
from convlens.preprocessing import Preprocessing
from tests.gradcheck import check_direction
from tests.layer_cases import CASES, LayerCase
from tests.lens.networks import pixels, small

SCALED = Preprocessing((6, 7, 2), mean=0.25, deviation=0.5)


def linear() -> tuple[Model, np.ndarray]:
    """Return a linear network, and its weights (H, W, C, K)."""
    model = small(Flatten(), Dense(3), shape=(6, 7, 2), preprocessing=SCALED)
    return model, model.parameters["dense1.w"].reshape(6, 7, 2, 3)


def test_a_linear_network_is_attributed_its_weights() -> None:
    model, weights = linear()
    images, target = pixels(3, (6, 7, 2)), [2, 0, 1]
    own = np.moveaxis(weights[..., target], -1, 0)  # (N, H, W, C)
    ink = images.astype(np.float64) / 255 / 0.5  # how far a prepared pixel is from a blank one
    np.testing.assert_allclose(lens.saliency(model, images, target), np.abs(own).max(axis=3), rtol=1e-6)
    found = lens.integrated_gradients(model, images, target, steps=1)
    np.testing.assert_allclose(found, (ink * own).sum(axis=3), rtol=1e-4, atol=1e-6)
    fall = lens.occlusion(model, images, target, size=3)
    for i in range(6):
        for j in range(7):
            square = np.s_[:, max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
            np.testing.assert_allclose(fall[:, i, j], (ink * own)[square].sum(axis=(1, 2, 3)), rtol=1e-3, atol=1e-4)


def test_grad_cam_of_global_average_pooling_is_the_class_activation_map() -> None:
    """Zhou et al., CVPR 2016: the maps, weighted by the weights from the pooled values to the class."""
    model = small(Conv2D(5), ReLU(), GlobalAveragePool2D(), Dense(3))
    images = pixels(2)
    maps, weights = lens.activations(model, images, ["relu1"])["relu1"], model.parameters["dense1.w"]
    for target in range(3):
        wanted = np.maximum(0, maps @ weights[:, target]) / 144
        np.testing.assert_allclose(lens.grad_cam(model, images, target), wanted, rtol=1e-4, atol=1e-7)


def test_grad_cam_is_interpolated_between_the_centres_of_pixels() -> None:
    model, images = small(), pixels(2)
    coarse = np.empty((2, 6, 6))
    slopes = lens.value_gradient(model, images, np.eye(3)[[1, 1]], of="relu2")
    values = lens.activations(model, images, ["relu2"])["relu2"]
    for n in range(2):
        for i in range(6):
            for j in range(6):
                coarse[n, i, j] = max(0.0, sum(slopes[n, ..., k].mean() * values[n, i, j, k] for k in range(5)))
    found = lens.grad_cam(model, images, 1)
    assert found.max() > 0
    for i in range(12):
        for j in range(12):
            y, x = (min(max((place + 0.5) / 2 - 0.5, 0), 5) for place in (i, j))
            top, left = int(y), int(x)
            below, right = min(top + 1, 5), min(left + 1, 5)
            a, b = y - top, x - left
            upper = coarse[:, top, left] * (1 - b) + coarse[:, top, right] * b
            lower = coarse[:, below, left] * (1 - b) + coarse[:, below, right] * b
            np.testing.assert_allclose(found[:, i, j], upper * (1 - a) + lower * a, rtol=1e-4, atol=1e-7)


def test_integrated_gradients_are_complete() -> None:
    model, images = small(), pixels(3)
    found = lens.integrated_gradients(model, images, 1, steps=600).sum(axis=(1, 2))
    blank = model.logits(np.zeros_like(images))[:, 1]
    np.testing.assert_allclose(found, model.logits(images)[:, 1] - blank, rtol=0.01, atol=0.01)


def test_integrated_gradients_are_the_mean_slope_at_midpoints() -> None:
    model, images = small(preprocessing=Preprocessing((12, 12, 1), mean=0.2)), pixels(1)
    x, start = (model.preprocessing(one) for one in (images, np.zeros_like(images)))
    slopes = [lens.input_gradient(model, start + part * (x - start), 2) for part in np.float32([1 / 6, 3 / 6, 5 / 6])]
    wanted = ((x - start) * sum(slopes) / 3)[..., 0]
    np.testing.assert_allclose(lens.integrated_gradients(model, images, 2, steps=3), wanted, rtol=1e-4, atol=1e-6)


def test_occlusion_against_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    model, images = small(), pixels(2)
    for numbers in (2**21, 144 * 5):  # all pixels together, five together
        monkeypatch.setattr(relevance, "_NUMBERS", numbers)
        found = lens.occlusion(model, images, [2, 0])
        for image, label, fall in zip(images, (2, 0), found, strict=True):
            for i in range(0, 12, 3):
                for j in range(12):
                    covered = image.copy()
                    covered[max(0, i - 2) : i + 3, max(0, j - 2) : j + 3] = 0
                    wanted = model.logits(image[None])[0, label] - model.logits(covered[None])[0, label]
                    assert fall[i, j] == pytest.approx(wanted, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("stride", [2, 3, 4, 12, 30])
def test_occlusion_with_a_stride_has_the_value_of_the_nearest_centre(stride: int) -> None:
    model, images = small(), pixels(1)
    every, some = lens.occlusion(model, images, 1)[0], lens.occlusion(model, images, 1, stride=stride)[0]
    centres = [c for c in range(12) if c % stride == min(stride // 2, 11) % stride]
    for i, j in np.ndindex(12, 12):
        down, across = (min(centres, key=lambda c, place=place: abs(c - place)) for place in (i, j))  # type: ignore[misc]
        assert some[i, j] == pytest.approx(every[down, across], rel=1e-4, abs=1e-5)


def test_the_target_is_the_prediction_unless_it_is_named() -> None:
    model, images = small(), pixels(6)
    predicted = model.predict(images)
    for method in ATTRIBUTIONS.values():
        np.testing.assert_array_equal(method(model, images), method(model, images, predicted))
    for wrong in (3, -1, [0, 1], 0.5, "0"):
        with pytest.raises(ConfigurationError):
            lens.saliency(model, images, wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.name)
def test_the_derivative_with_respect_to_a_value_inside(row: LayerCase) -> None:
    """A bias is added to its node's value: its derivative is that value's, summed. By finite differences."""
    model, draw = row.build(np.float64), np.random.default_rng(3)
    images = row.batch(2, np.float64)[0]
    weights = draw.standard_normal((2, model.classes))
    for node in model.program.nodes:
        if "b" not in node.parameters:
            continue
        slot, bias = node.parameters["b"], model.parameters[node.parameters["b"].name]
        slopes = lens.value_gradient(model, images, weights, of=node.name)
        assert slopes.shape == (2, *node.output_shape)
        summed = slopes.sum(axis=0) if slot.shape == node.output_shape else slopes.sum(axis=(0, 1, 2))
        check_direction(lambda: float((model.logits(images) * weights).sum()), bias, summed, draw, node.name)


def test_a_value_that_the_unit_does_not_depend_on() -> None:
    model, images = small(), pixels(2)
    assert not lens.value_gradient(model, images, (0, 0, 0), "conv1", of="conv2").any()
    np.testing.assert_array_equal(lens.value_gradient(model, images, 1, of="dense2")[0], [0, 1, 0])
    with pytest.raises(ConfigurationError, match="did you mean 'pool1'"):
        lens.value_gradient(model, images, 1, of="pool_1")


@given(arrays(np.float32, 9, elements=st.sampled_from([0.0, 1.0, 2.5, -3.0])),
       arrays(np.float32, 9, elements=st.sampled_from([0.0, 1.0, 2.5, -3.0])))  # fmt: skip
def test_rank_correlation_is_scipys(one: np.ndarray, other: np.ndarray) -> None:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert np.isnan(rank_correlation(one, other))
    else:
        assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-12)


def test_the_check_redraws_all_weights_and_keeps_the_rest() -> None:
    model = small(
        Conv2D(3),
        BatchNorm(),
        ReLU(),
        Dropout(0.5),
        Flatten(),
        Dense(3),
        preprocessing=Preprocessing((12, 12, 1), mean=0.1),
    )
    trained = model.flat.copy()
    redrawn = [with_redrawn_weights(model, seed) for seed in range(5)]
    np.testing.assert_array_equal(model.flat, trained)
    assert 3 not in [one.seed for one in redrawn]  # its own: training began with those
    for name, weights in model.parameters.items():
        if name.endswith(".w"):
            for one in redrawn:
                assert abs(np.corrcoef(one.parameters[name].ravel(), weights.ravel())[0, 1]) < 0.5
    assert len({one.flat.tobytes() for one in redrawn}) == 5
    assert all(one.preprocessing == model.preprocessing and one.engine.name == model.engine.name for one in redrawn)


def test_attribution_puts_the_check_beside_the_map() -> None:
    model, images = small(), pixels(2)
    for name, method in ATTRIBUTIONS.items():
        found = lens.attribution(model, images, name, redraws=2)
        target = model.predict(images)
        others = [with_redrawn_weights(model, seed) for seed in range(2)]
        np.testing.assert_array_equal(found.maps, method(model, images, target))
        np.testing.assert_array_equal(found.redrawn, method(others[0], images, target))
        for n in range(2):
            for r, other in enumerate(others):
                again = method(other, images, target)[n]
                for change, known in ((np.array, found.correlations), (np.abs, found.absolute_correlations)):
                    if np.ptp(again):
                        wanted = spearmanr(change(found.maps[n]).ravel(), change(again).ravel()).statistic
                        assert known[n, r] == pytest.approx(wanted, abs=1e-9)
                    else:
                        assert np.isnan(known[n, r])


def test_what_the_check_tells() -> None:
    """The gradient of a dense network depends on its weights; what multiplies by the image keeps the image's shape."""
    model = small(Flatten(), Dense(16), ReLU(), Dense(3))
    image = pixels(1)
    image[:, :, 5:] = 0
    of_gradient, integrated = (
        lens.attribution(model, image, name, redraws=8) for name in ("gradient", "integrated-gradients")
    )
    assert of_gradient.correlation is not None
    assert integrated.correlation is not None
    assert integrated.absolute_correlation is not None
    assert abs(of_gradient.correlation) < 0.15
    assert abs(integrated.correlation) < 0.3
    assert integrated.absolute_correlation > 0.6


def test_a_constant_map_has_no_correlation() -> None:
    model = small()
    found = lens.attribution(model, np.zeros((1, 12, 12, 1), np.uint8), "occlusion")
    assert found.correlation is None
    assert found.to_dict()["correlations"] == found.to_dict()["absolute_correlations"] == [[None, None, None]]
    assert "undefined" in str(found.table())


def test_wrong_requests() -> None:
    model, images = small(), pixels(1)
    with pytest.raises(ConfigurationError, match="did you mean 'occlusion'"):
        lens.attribution(model, images, "oclusion")
    with pytest.raises(ConfigurationError, match="once or more"):
        lens.attribution(model, images, "gradient", redraws=0)
    for size in (0, 4, 2.0):
        with pytest.raises(ConfigurationError, match="odd number"):
            lens.occlusion(model, images, size=size)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="a stride is a number of pixels"):
        lens.occlusion(model, images, stride=0)
    with pytest.raises(ConfigurationError, match="steps"):
        lens.integrated_gradients(model, images, steps=0)
    with pytest.raises(ConfigurationError, match="the model has none"):
        lens.grad_cam(small(Flatten(), Dense(3)), images)
    with pytest.raises(ConfigurationError, match="needs a map, and 'dense1'"):
        lens.grad_cam(model, images, node="dense1")
