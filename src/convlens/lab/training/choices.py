"""What can be chosen in the room Train: layers and their settings, recipes and all that is in one, data, and starts."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ... import data as datasets
from ...data import Dataset
from ...models import ARCHITECTURES, architecture
from ...nn.initializers import INITIALIZERS
from ...nn.layers import LAYERS, Layer
from ...nn.serialize import layer_to_dict
from ...optim import OPTIMIZERS, SCHEDULES
from ...train.augmentation import Augmentation
from ...train.recipes import RECIPES

_USUAL: Mapping[str, Any] = {"filters": 16, "units": 64, "shape": [784], "layers": [{"layer": "ReLU"}]}  # if needed


def choices() -> dict[str, Any]:
    """Return all of it as plain JSON."""
    return {
        "layers": {name: _settings(cls) for name, cls in LAYERS.items()},
        "recipes": {name: one.to_dict() for name, one in RECIPES.items()},
        "optimizers": {name: _settings(cls) for name, cls in OPTIMIZERS.items()},
        "schedules": {name: _settings(cls) for name, cls in SCHEDULES.items()},
        "augmentation": _settings(Augmentation),
        "data": list(datasets.names()),
        "starts": {name: about for name, (_, about, _) in ARCHITECTURES.items()},
    }


def start(name: str, data: Dataset) -> dict[str, Any]:
    """Return the layers of a named architecture for a data set, as plain data.

    Raises
    ------
    ConfigurationError
        If there is no such architecture.
    """
    classes = len(data.class_names)
    layers = architecture(name, data.input_shape, classes).layers(classes)
    return {"layers": [layer_to_dict(layer) for layer in layers]}


def about(data: Dataset) -> dict[str, Any]:
    """Return what has to be known of a data set to compose a network for it."""
    return {
        "name": data.name,
        "shape": list(data.input_shape),
        "classes": list(data.class_names),
        "train": len(data.train),
        "validation": len(data.validation),
        "notes": list(data.notes),
    }


def _settings(cls: type[Any]) -> list[dict[str, Any]]:
    """Return the settings of a dataclass: name, kind, default, and what it can be."""
    hints = get_type_hints(cls)
    found = []
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING
        default = _USUAL.get(field.name) if missing else field.default
        options = sorted(INITIALIZERS) if field.name == "kernel_initializer" else _options(hints[field.name])
        one = {"name": field.name, "kind": _kind(hints[field.name], options), "default": default, "needed": missing}
        found.append({**one, **({"options": options} if options else {})})
    return found


def _options(hint: Any) -> list[str]:
    """Return the words that a setting can be."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if get_origin(hint) in (types.UnionType, typing.Union):
        return [word for one in get_args(hint) for word in _options(one)]
    return []


def _kind(hint: Any, options: list[str]) -> str:
    """Return how a setting is entered: chosen, switched, written as a number or several, or composed of layers."""
    if options:
        return "choice"
    if Layer in get_args(hint):
        return "layers"
    if hint is bool:
        return "switch"
    return {int: "whole", float: "number"}.get(hint, "numbers")
