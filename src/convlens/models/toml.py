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

import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError
from ..nn.layers import Layer
from ..nn.serialize import layers_from_data
from ..plain import check_keys

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
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error
    check_keys(_KEYS, data, str(path))
    if not isinstance(data.get("layers"), list) or not data["layers"]:
        raise ConfigurationError(f"{path}: no [[layers]]; write one such table for each layer")
    try:
        layers = layers_from_data(data["layers"])
    except ConfigurationError as error:
        raise type(error)(f"{path}: {error}") from error
    shape = data.get("input_shape")
    return Description(layers, tuple(shape) if isinstance(shape, list) else None)
