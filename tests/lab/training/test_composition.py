"""What a list of layers comes to, against the model that is built of them; and errors at the layer that causes them."""

from __future__ import annotations

from typing import Any

import pytest

from convlens import models
from convlens.data import load
from convlens.errors import ConfigurationError
from convlens.lab.training.choices import about, choices, start
from convlens.lab.training.composition import MOST_LAYERS, compose, layer_words
from convlens.models import ARCHITECTURES
from convlens.nn import Model
from convlens.nn.layers import LAYERS
from convlens.nn.serialize import layers_from_data

SHAPE = (28, 28, 1)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_layers_come_to_what_the_model_has(name: str) -> None:
    layers = start(name, load("mnist"))["layers"]
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
        ([{"layer": "Flatten"}, {"layer": "Conv2D", "filters": 4}], (1,), "needs images"),
        ([{"layer": "Flaten"}], (0,), "did you mean 'Flatten'"),
        ([{"layer": "ReLU"}, {"layer": "Conv2D", "filter": 4}], (1,), "did you mean 'filters'"),
        ([{"layer": "Conv2D", "filters": 0}], (0,), "whole number above 0"),
        ([{"layer": "Conv2D", "filters": 4}], (0,), "maps of 28 x 28 x 4"),
        ([{"layer": "Flatten"}, {"layer": "Dense", "units": 7}], (1,), "7 scores, and the data have 10 classes"),
        ([{"layer": "Flatten"}, {"layer": "Dense", "units": 10**12}, {"layer": "Dense", "units": 10}], (1,), "memory"),
        ([5], (0,), "a layer is a table"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_wrong(layers: Any, at: tuple[int] | None, words: str) -> None:
    found = compose(layers, SHAPE, 10)
    assert found.at == at
    assert words in found.problem
    assert at is None or len(found.layers) >= at[0]


def branch(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"layer": "Residual", "layers": list(layers)}


CONV = {"layer": "Conv2D", "filters": 8}
END = [{"layer": "GlobalAveragePool2D"}, {"layer": "Dense", "units": 10}]


def test_a_branch_comes_to_what_its_layers_do() -> None:
    layers = [CONV, branch(CONV, {"layer": "ReLU"}, {"layer": "BatchNorm"}, CONV), {"layer": "ReLU"}, *END]
    found = compose(layers, SHAPE, 10)
    assert found.problem == ""
    assert [one.place for one in found.layers] == [(0,), (1, 0), (1, 1), (1, 2), (1, 3), (1,), (2,), (3,), (4,)]
    program = Model(layers_from_data(layers), SHAPE, 0).program
    fields, nodes = program.receptive_fields(), {node.name: node for node in program.nodes}
    rows = {one.place: one for one in found.layers}
    total = found.to_dict()
    assert (total["parameters"], total["flops"]) == (program.parameter_count, program.flops)
    assert rows[1, 3].parameters == nodes["conv3"].parameter_count == 8 * 9 * 8 + 8
    assert rows[1,].parameters == sum(rows[1, one].parameters for one in range(4))
    assert rows[1,].flops == sum(rows[1, one].flops for one in range(4)) + nodes["add1"].flops
    assert rows[1,].shape == nodes["add1"].output_shape == (28, 28, 8)
    assert (rows[1, 3].field, rows[1,].field) == (fields["conv3"], fields["add1"])
    assert (rows[1,].field.height, rows[2,].field.width) == (7, 7)  # three convolutions of 3 x 3


@pytest.mark.parametrize(
    ("layers", "at", "words"),
    [
        ([branch()], (0,), "at least one layer"),
        ([{"layer": "Residual"}], (0,), "layers"),
        ([branch({"layer": "ReLU"}) | {"filters": 3}], (0,), "filters"),
        ([CONV, branch(CONV, {"layer": "Conv2D", "filters": 4})], (1,), "8 channels at its end"),
        ([CONV, branch({"layer": "Flatten"}, CONV)], (1, 1), "needs images"),
        ([CONV, branch(CONV, branch({"layer": "ReLu"}))], (1, 1, 0), "did you mean 'ReLU'"),
        ([branch({"layer": "ReLU", "layers": [CONV]})], (0, 0), "unknown key 'layers'"),
        ([branch(*[{"layer": "ReLU"}] * MOST_LAYERS)], (0,), "at most 100 layers"),
    ],
)
def test_what_is_wrong_in_a_branch_is_said_there(layers: Any, at: tuple[int, ...], words: str) -> None:
    found = compose(layers, SHAPE, 10)
    assert found.at == at
    assert words in found.problem
    assert all(one.place < at or one.place[: len(at)] == at for one in found.layers)


def test_a_place_is_said_as_one_counts() -> None:
    assert layer_words((3,)) == "layer 4"
    assert layer_words((3, 1)) == "layer 4.2"


def test_deep_nesting_is_refused_in_words() -> None:
    nested: dict[str, Any] = {"layer": "ReLU"}
    for _ in range(3000):
        nested = {"layer": "Residual", "layers": [nested]}
    found = compose([nested], SHAPE, 10)
    assert (found.at, "at most 100 layers" in found.problem) == ((0,), True)


@pytest.mark.parametrize("layers", [None, {"layer": "ReLU"}, [{"layer": "ReLU"}] * (MOST_LAYERS + 1)])
def test_no_list_of_layers_is_refused(layers: Any) -> None:
    with pytest.raises(ConfigurationError, match="layers"):
        compose(layers, SHAPE, 10)


def test_every_layer_can_be_chosen_and_added_as_it_is_offered() -> None:
    offered = choices()["layers"]
    assert set(offered) == set(LAYERS)
    for name, settings in offered.items():
        needed = {one["name"]: one["default"] for one in settings if one["needed"]}
        (layer,) = layers_from_data([{"layer": name, **needed}])
        for one in settings:
            assert one["needed"] or getattr(layer, one["name"]) == one["default"]
    assert {one["name"]: one.get("options") for one in offered["Conv2D"]}["padding"] is not None


def test_about_a_data_set() -> None:
    found = about(load("mnist"))
    assert (found["shape"], found["classes"], found["train"]) == ([28, 28, 1], [*"0123456789"], 54000)
