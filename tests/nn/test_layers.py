"""Layers as configuration: what is rejected, the messages, and round trips through plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from convlens import nn
from convlens.errors import ConfigurationError, ShapeError
from convlens.nn.layers import LAYERS
from convlens.nn.model import lower
from convlens.nn.serialize import layer_from_dict, layer_to_dict, layers_from_data
from convlens.plain import canonical, check_keys
from tests.layer_cases import CASES

# as the table has them: with many settings, and within one another
EVERY_LAYER = sorted({layer for case in CASES for layer in case.layers}, key=repr)


@pytest.mark.parametrize("layer", EVERY_LAYER, ids=str)
def test_plain_data_and_back(layer: nn.Layer) -> None:
    whole = json.loads(json.dumps(layer_to_dict(layer, defaults=True)))
    assert set(whole) == {"layer", *(field.name for field in fields(layer))}
    assert layer_from_dict(whole) == layer
    again = layer_from_dict(json.loads(json.dumps(layer_to_dict(layer))))
    assert again == layer
    assert hash(again) == hash(layer)
    assert type(again) is type(layer)


JUNK = [
    None,
    "16",
    "",
    2.5,
    -1,
    0,
    True,
    float("nan"),
    float("inf"),
    1j,
    10**400,
    b"same",
    [],
    (3,),
    [[3]],
    {"a": 1},
    {3},
]
JUNK += [nn.ReLU, nn.ReLU(), ["ReLU"], [nn.ReLU], np.zeros((2, 2)), np.array(3.5), np.array(["a"]), object()]


def problem(make: Callable[[], object]) -> str | None:
    """Return the message of the ConfigurationError that a call raises; None if it raises nothing."""
    try:
        make()
    except ConfigurationError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "layer", {type(layer): layer for layer in EVERY_LAYER}.values(), ids=lambda one: type(one).__name__
)
def test_a_setting_of_any_type_is_taken_or_refused_in_a_line(layer: nn.Layer) -> None:
    """And a layer that is taken can be hashed, kept in a file, and lowered or refused."""
    settings = {field.name: getattr(layer, field.name) for field in fields(layer)}

    def use(name: str, value: object) -> None:
        made = type(layer)(**{**settings, name: value})
        assert layer_from_dict(json.loads(canonical(layer_to_dict(made, defaults=True)))) == made
        assert isinstance(hash(made), int)
        lower([made, nn.Flatten(), nn.Dense(2)], (8, 8, 1))

    for name, value in product(settings, JUNK):
        message = problem(partial(use, name, value))
        if message is not None:
            assert "\n" not in message, name
            assert type(layer).__name__ in message, (name, value)


def test_every_layer_has_a_case() -> None:
    assert {type(layer).__name__ for layer in EVERY_LAYER} == set(LAYERS), "a row is missing in tests/layer_cases.py"


def test_names_of_cases_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_defaults_are_left_out() -> None:
    assert layer_to_dict(nn.Conv2D(16)) == {"layer": "Conv2D", "filters": 16}
    assert layer_to_dict(nn.Conv2D(16, (3, 5))) == {"layer": "Conv2D", "filters": 16, "kernel_size": [3, 5]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"layer": "Conv2d", "filters": 3}, "unknown layer 'Conv2d'; did you mean 'Conv2D'?"),
        ({"layer": "MaxPool"}, "unknown layer 'MaxPool'; did you mean 'MaxPool2D'?"),
        ({"layer": "Conv2D", "filter": 3}, "Conv2D: unknown key 'filter'; did you mean 'filters'?"),
        ({"layer": "Conv2D", "filters": 3, "stride": 2}, "Conv2D: unknown key 'stride'; did you mean 'strides'?"),
        ({"layer": "ReLU", "units": 2}, "ReLU: unknown key 'units'"),
        ({"layer": "Conv2D"}, "Conv2D lacks 'filters'"),
        ({"filters": 3}, "a layer is a table such as {layer = 'ReLU'}, not {'filters': 3}"),
        ({"layer": 5}, "a layer is a table such as"),
        ("ReLU", "a layer is a table such as {layer = 'ReLU'}, not 'ReLU'"),
        ({"layer": "Dense", "units": "many"}, "Dense: units is a whole number above 0, not 'many'"),
        ({"layer": "Dense", "units": 3, "kernel_initializer": []}, "Dense: "),
    ],
)
def test_plain_data_that_is_refused(data: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        layer_from_dict(data)
    assert str(caught.value).startswith(message)


def test_an_error_in_a_list_says_which() -> None:
    with pytest.raises(ConfigurationError, match="layer 2: unknown layer 'Conv3D'; did you mean 'Conv2D'"):
        layers_from_data([{"layer": "Flatten"}, {"layer": "Conv3D"}])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2D(0), "Conv2D: filters is a whole number above 0, not 0"),
        (lambda: nn.Conv2D(True), "Conv2D: filters is a whole number above 0, not True"),
        (lambda: nn.Conv2D(2.0), "Conv2D: filters is a whole number above 0, not 2.0"),
        (
            lambda: nn.Conv2D(2, (3, 0)),
            "Conv2D: kernel_size is a whole number above 0, or two of them (height, width), ",
        ),
        (lambda: nn.Conv2D(2, (3, 3, 3)), "Conv2D: kernel_size is a whole number above 0, or two of them"),
        (lambda: nn.Conv2D(2, strides=-1), "Conv2D: strides is a whole number above 0"),
        (lambda: nn.MaxPool2D("2"), "MaxPool2D: pool_size is a whole number above 0"),
        (lambda: nn.AveragePool2D(2, 0), "AveragePool2D: strides is a whole number above 0"),
        (lambda: nn.Dense(-3), "Dense: units is a whole number above 0, not -3"),
        (
            lambda: nn.Conv2D(2, kernel_initializer="he"),
            "Conv2D: unknown initialiser 'he'; known: glorot_normal, glorot_uniform, he_normal, he_uniform",
        ),
        (
            lambda: nn.Dense(2, kernel_initializer="glorot_norml"),
            "Dense: unknown initialiser 'glorot_norml'; did you mean 'glorot_normal'?",
        ),
    ],
)
def test_settings_out_of_range_are_refused_when_the_layer_is_made(make: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("layers", "parts"),
    [
        (
            [nn.Conv2D(2), nn.Dense(3)],
            ["layer 2, Dense(", "flat input", "'conv1' has shape (4, 5, 2)", "put Flatten()"],
        ),
        ([nn.Flatten(), nn.Conv2D(2)], ["layer 2, Conv2D(", "needs images", "'flatten1' has shape (20,)"]),
        ([nn.Flatten(), nn.MaxPool2D()], ["layer 2, MaxPool2D(", "needs images", "(20,)"]),
        ([nn.Flatten(), nn.AveragePool2D()], ["layer 2, AveragePool2D(", "needs images", "(20,)"]),
        ([nn.Flatten(), nn.GlobalAveragePool2D()], ["layer 2, GlobalAveragePool2D", "needs images", "(20,)"]),
        ([nn.MaxPool2D(5)], ["layer 1, MaxPool2D(", "5x5 does not fit into 4x5"]),
        ([nn.MaxPool2D(), nn.MaxPool2D(3)], ["layer 2, MaxPool2D(", "3x3 does not fit into 2x2"]),
        ([nn.Conv2D(2, 6, padding="valid")], ["layer 1, Conv2D(", "6x6 does not fit into 4x5"]),
        ([nn.Conv2D(2, 9, padding_mode="reflect")], ["layer 1, Conv2D(", "larger image than 4x5", "'zeros'"]),
        ([nn.Conv2D(2)], ["the last layer gives shape (4, 5, 2)", "put Flatten()"]),
        ([], ["the last layer gives shape (4, 5, 1)"]),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit_are_refused_when_the_model_is_built(layers: list[nn.Layer], parts: list[str]) -> None:
    with pytest.raises(ShapeError) as caught:
        nn.Model(layers, (4, 5, 1))
    for part in parts:
        assert part in str(caught.value)


def test_unknown_padding_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="unknown padding 'sam'; did you mean 'same'"):
        nn.Model([nn.Conv2D(2, padding="sam"), nn.Flatten()], (4, 5, 1))


@pytest.mark.parametrize(
    ("known", "given", "message"),
    [
        (nn.Dense, {"unit": 3}, "here: unknown key 'unit'; did you mean 'units'?"),
        (nn.Dense, {}, "here lacks 'units'"),
        (nn.Dense, {"units": 3, 5: 1}, "here: unknown key 5; known: kernel_initializer, units"),
        (nn.Dense, [3], "here: expected settings by name (units, kernel_initializer), not [3]"),
        (("rate", "size"), {"rte": 1}, "here: unknown key 'rte'; did you mean 'rate'?"),
        (("rate", "size"), None, "here: expected settings by name (rate, size), not None"),
    ],
)
def test_the_one_check_of_keys(known: Any, given: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_keys(known, given, "here")
    assert str(caught.value) == message
    check_keys(nn.Dense, {"units": 3}, "here")
    check_keys(("rate", "size"), {}, "here")
