"""Activations and filters, against the interpreter."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import lens, models
from convlens.engine import interpreter
from convlens.errors import ConfigurationError, DataError
from convlens.nn import Conv2D, LocallyConnected2D
from tests.layer_cases import CASES, LayerCase
from tests.lens.networks import pixels, pooled, small


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.name)
def test_every_value_is_the_interpreters(row: LayerCase) -> None:
    model = row.build()
    images, _ = row.batch(5)
    context = interpreter.Context(model.flat_buffers)
    wanted = interpreter.forward(model.program, model.flat, images, context).values
    found = lens.activations(model, images)
    assert list(found) == [node.name for node in model.program.nodes]
    for name, value in found.items():
        assert value.shape == wanted[name].shape
        assert np.abs(value - wanted[name]).max() <= 1e-5 * np.abs(wanted[name]).max(), name


def test_bits_do_not_depend_on_threads() -> None:
    images = pixels(70, (28, 28, 1))
    found = [
        lens.activations(models.build("cnn", seed=1).use(threads=n), images, ["relu1", "pool2", "dense1"])
        for n in (1, 2, 3)
    ]
    for name, value in found[0].items():
        assert all(np.array_equal(value, other[name]) for other in found[1:]), name


def test_pixels_are_prepared_and_floats_taken_as_they_are() -> None:
    model, images = small(), pixels(3)
    prepared = lens.activations(model, images, ["input"])["input"]
    np.testing.assert_allclose(prepared, images / 255, rtol=1e-6)
    both = [lens.activations(model, one, ["conv1"])["conv1"] for one in (images, prepared)]
    np.testing.assert_allclose(*both, rtol=1e-6)


def test_only_the_asked_for_and_in_order() -> None:
    assert list(lens.activations(small(), pixels(1), ["relu2", "input", "conv1"])) == ["input", "conv1", "relu2"]


def test_no_images() -> None:
    assert lens.activations(small(), pixels(0), ["pool1"])["pool1"].shape == (0, 6, 6, 4)


def test_wrong_requests() -> None:
    with pytest.raises(ConfigurationError, match="no node 'conv3'; did you mean 'conv"):
        lens.activations(small(), pixels(1), ["conv3"])
    with pytest.raises(ConfigurationError, match=r"such as \['conv1'\]"):
        lens.activations(small(), pixels(1), "conv1")
    trained = small()
    trained.training = {"data": {"dtype": "float32", "provenance": {"range": [-3.0, 3.0]}}}
    with pytest.raises(ConfigurationError, match="trained on floats"):
        lens.activations(trained, pixels(1))
    with pytest.raises(DataError, match="images must be"):
        lens.activations(small(), "digit.png")


def test_filters() -> None:
    model = pooled(Conv2D(4), Conv2D(2, (1, 5)), LocallyConnected2D(3))
    found = lens.filters(model)
    assert {name: one.shape for name, one in found.items()} == {
        "conv1": (4, 3, 3, 1),
        "conv2": (2, 1, 5, 4),
        "local1": (12, 12, 3, 3, 3, 2),
    }
    assert found["conv2"][1, 0, 4, 2] == model.parameters["conv2.w"][0, 4, 2, 1]
    assert found["local1"][7, 3, 2, 0, 1, 1] == model.parameters["local1.w"][7, 3, 0, 1, 1, 2]
    found["conv1"][...] = 0
    assert model.parameters["conv1.w"].any()
