"""What a list of layers comes to, against the model that is built of them; and errors at the layer that causes them."""

from __future__ import annotations

from typing import Any

import pytest

from convlens import models
from convlens.errors import ConfigurationError
from convlens.lab.training.choices import about, choices, start
from convlens.lab.training.composition import MOST_LAYERS, compose
from convlens.models import ARCHITECTURES
from convlens.nn.layers import LAYERS
from convlens.nn.serialize import layers_from_data

SHAPE = (28, 28, 1)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_layers_come_to_what_the_model_has(name: str) -> None:
    layers = start(name, "mnist")["layers"]
    found = compose(layers, SHAPE, 10).to_dict()
    model = models.build(name)
    assert found["problem"] is None
    assert (found["parameters"], found["flops"]) == (model.program.parameter_count, model.program.flops)
    assert len(found["layers"]) == len(model.layers) == len(layers)
    assert sum(one["parameters"] for one in found["layers"]) == model.program.parameter_count


def test_shape_and_receptive_field_after_each_layer() -> None:
    layers = [{"layer": "Conv2D", "filters": 4, "kernel_size": 5, "strides": 2}, {"layer": "MaxPool2D"}]
    first, second = compose(layers, SHAPE, 10).to_dict()["layers"]
    assert (first["shape"], first["size"], first["stride"]) == ([14, 14, 4], [5, 5], [2, 2])
    assert (second["shape"], second["size"], second["stride"]) == ([7, 7, 4], [7, 7], [4, 4])  # 5 + (2 - 1) * 2
    flat = compose([*layers, {"layer": "Flatten"}, {"layer": "Dense", "units": 10}], SHAPE, 10).to_dict()["layers"][3]
    assert (flat["shape"], flat["parameters"], flat["sees"]) == ([10], 7 * 7 * 4 * 10 + 10, "all")


@pytest.mark.parametrize(
    ("layers", "at", "words"),
    [
        ([], None, "no layer yet"),
        ([{"layer": "Flatten"}, {"layer": "Conv2D", "filters": 4}], 1, "needs images"),
        ([{"layer": "Flaten"}], 0, "did you mean 'Flatten'"),
        ([{"layer": "ReLU"}, {"layer": "Conv2D", "filter": 4}], 1, "did you mean 'filters'"),
        ([{"layer": "Conv2D", "filters": 0}], 0, "whole number above 0"),
        ([{"layer": "Conv2D", "filters": 4}], 0, "maps of 28 x 28 x 4"),
        ([{"layer": "Flatten"}, {"layer": "Dense", "units": 7}], 1, "7 scores, and the data have 10 classes"),
        ([{"layer": "Flatten"}, {"layer": "Dense", "units": 10**12}, {"layer": "Dense", "units": 10}], 1, "memory"),
        ([5], 0, "a layer is a table"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_wrong(layers: Any, at: int | None, words: str) -> None:
    found = compose(layers, SHAPE, 10)
    assert found.at == at
    assert words in found.problem
    assert at is None or len(found.layers) >= at


def test_deep_nesting_is_refused_in_words() -> None:
    nested: dict[str, Any] = {"layer": "ReLU"}
    for _ in range(3000):
        nested = {"layer": "Residual", "layers": [nested]}
    assert "nested too deeply" in compose([nested], SHAPE, 10).problem


@pytest.mark.parametrize("layers", [None, {"layer": "ReLU"}, [{"layer": "ReLU"}] * (MOST_LAYERS + 1)])
def test_no_list_of_layers_is_refused(layers: Any) -> None:
    with pytest.raises(ConfigurationError, match="layers"):
        compose(layers, SHAPE, 10)


def test_every_layer_can_be_chosen_and_added_as_it_is_offered() -> None:
    offered = choices()["layers"]
    assert set(offered) == set(LAYERS) - {"Residual"}
    for name, settings in offered.items():
        needed = {one["name"]: one["default"] for one in settings if one["needed"]}
        (layer,) = layers_from_data([{"layer": name, **needed}])
        for one in settings:
            assert one["needed"] or getattr(layer, one["name"]) == one["default"]
    assert {one["name"]: one.get("options") for one in offered["Conv2D"]}["padding"] is not None


def test_about_a_data_set() -> None:
    found = about("mnist")
    assert (found["shape"], found["classes"], found["train"]) == ([28, 28, 1], [*"0123456789"], 54000)
