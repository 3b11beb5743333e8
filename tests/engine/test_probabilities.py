"""Probabilities are the softmax of the logits, on every engine."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import nn
from convlens.engine import ENGINES


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("classes", [1, 2, 10, 16, 17, 40])
def test_probabilities_are_the_softmax_of_the_logits(name: str, classes: int) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(classes)], (4, 4, 1)).use(name, 2)
    x = np.random.default_rng(0).normal(0, 20, (600, 4, 4, 1)).astype(np.float32)
    for images in (x[:1], x):
        logits = model.engine.logits(images).astype(np.float64)
        wanted = np.exp(logits - logits.max(axis=1, keepdims=True))
        wanted /= wanted.sum(axis=1, keepdims=True)
        found = model.engine.probabilities(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-37)
        np.testing.assert_array_equal(model.predict_proba(images), found)


@pytest.mark.parametrize("name", ENGINES)
def test_an_image_without_finite_logits_has_none(name: str) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (2, 2, 1)).use(name)
    x = np.ones((5, 2, 2, 1), np.float32)
    model.flat[:] = 1
    for wrong, value in ((1, np.nan), (2, np.inf), (4, -np.inf)):
        x[wrong, 0, 0, 0] = value
    with np.errstate(all="ignore"):
        found = model.engine.probabilities(x)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False, True]
    np.testing.assert_allclose(found[0], 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("name", ENGINES)
def test_images_stay_as_they_are(name: str) -> None:
    """Also where a network only reshapes them, so that its logits are the images themselves."""
    model = nn.Model([nn.Flatten()], (28, 28, 1)).use(name)
    images = np.random.default_rng(0).random((2, 60, 28, 28, 1), np.float32)
    before = images.copy()
    for x, wanted in zip(images, before, strict=True):
        assert not np.allclose(model.engine.probabilities(x), wanted.reshape(60, -1))
        np.testing.assert_array_equal(x, wanted)
        np.testing.assert_array_equal(model.engine.logits(x), wanted.reshape(60, -1))
