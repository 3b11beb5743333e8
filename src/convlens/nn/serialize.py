"""Layers as plain data (for artifacts, checkpoints, results and TOML files), and back.

A layer is a mapping with its class's name under ``layer`` and its settings beside it::

    {"layer": "Conv2D", "filters": 16, "kernel_size": 3}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..errors import ConfigurationError, nearest
from ..plain import check_keys
from .layers import LAYERS, Layer


def layer_to_dict(layer: Layer, *, defaults: bool = False) -> dict[str, Any]:
    """Return a layer as plain data, with `defaults` also those settings that have their default value.

    An artifact leaves them out, for people to read. What identifies a training states them, so that a default that
    is changed one day does not change what is meant.
    """
    settings = {field.name: (getattr(layer, field.name), field.default) for field in fields(layer)}
    return {"layer": type(layer).__name__} | {
        name: _plain(value, defaults=defaults)
        for name, (value, default) in settings.items()
        if defaults or value != default
    }


def _plain(value: Any, *, defaults: bool) -> Any:
    """Return a setting as plain data, layers within a layer included."""
    if isinstance(value, Layer):
        return layer_to_dict(value, defaults=defaults)
    return [_plain(one, defaults=defaults) for one in value] if isinstance(value, tuple) else value


def layer_from_dict(data: Mapping[str, Any]) -> Layer:
    """Return the layer that plain data describes.

    Raises
    ------
    ConfigurationError
        If the layer or one of its settings is unknown, missing or out of range.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("layer"), str):
        raise ConfigurationError(f"a layer is a table such as {{layer = 'ReLU'}}, not {data!r}")
    name = data["layer"]
    if name not in LAYERS:
        raise ConfigurationError(f"unknown layer {name!r}{nearest(name, LAYERS)}")
    settings = {key: value for key, value in data.items() if key != "layer"}
    check_keys(LAYERS[name], settings, name)
    if isinstance(settings.get("layers"), list):
        settings["layers"] = layers_from_data(settings["layers"])
    try:
        return LAYERS[name](**settings)
    except TypeError as error:  # a value of a type that the layer does not expect
        raise ConfigurationError(f"{name}: {error}") from error


def layers_from_data(data: Sequence[Any]) -> tuple[Layer, ...]:
    """Return layers from a list of plain data; an error names the layer's position, counted from 1."""
    if not isinstance(data, list | tuple):
        raise ConfigurationError(f"layers are a list of tables such as {{layer = 'ReLU'}}, not {data!r}")
    layers = []
    for position, one in enumerate(data, 1):
        try:
            layers.append(layer_from_dict(one))
        except ConfigurationError as error:
            raise type(error)(f"layer {position}: {error}") from error
    return tuple(layers)
