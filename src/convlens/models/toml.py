"""An architecture from a TOML file.

::

    input_shape = [28, 28, 1]      # optional; by default the data set's

    [[layers]]
    layer = "Conv2D"
    filters = 16

    [[layers]]
    layer = "Flatten"

    [[layers]]
    layer = "Dense"
    units = 10
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError
from ..nn.layers import Layer
from ..nn.serialize import layers_from_data
from ..plain import check_keys, read_toml

_KEYS = ("input_shape", "layers")


@dataclass(frozen=True)
class Description:
    """The architecture of a TOML file: its layers, and the input shape where it names one."""

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...] | None


def read(path: Path) -> Description:
    """Read an architecture.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, is not TOML, or names something unknown; a wrong layer is named by its position.
    """
    data = read_toml(path)
    if "layers" not in data and ("base" in data or {"optimizer", "schedule"} & data.keys()):
        raise ConfigurationError(f"{path} describes a recipe, not a model; name it with --recipe")
    check_keys(_KEYS, data, str(path))
    if not isinstance(data.get("layers"), list) or not data["layers"]:
        raise ConfigurationError(f"{path}: no [[layers]]; write one such table for each layer")
    try:
        layers = layers_from_data(data["layers"])
    except ConfigurationError as error:
        raise type(error)(f"{path}: {error}") from error
    return Description(layers, _input_shape(data["input_shape"], path) if "input_shape" in data else None)


def _input_shape(shape: object, path: Path) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(size) is int and size > 0 for size in shape):
        raise ConfigurationError(
            f"{path}: input_shape is [height, width, channels], such as [28, 28, 1], not {shape!r}"
        )
    return tuple(shape)
