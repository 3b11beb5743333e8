"""What a layer is: a frozen dataclass of configuration that knows how to lower itself to nodes of a Program.

It holds no weights and computes nothing, so comparison, hashing, printing and serialising come for free. A layer object
used twice in a model has two sets of parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...errors import ConfigurationError, nearest
from ...ops.window import Pair
from ...plain import is_number
from ..builder import ProgramBuilder

Size: TypeAlias = int | Pair


@dataclass(frozen=True)
class Layer(ABC):
    """Base of all layers."""

    @abstractmethod
    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append this layer's nodes, which read the named value; return the name of the value that they compute.

        Raises
        ------
        ShapeError
            If the value's shape does not suit the layer.
        """


def checked_layers(layers: object, what: str) -> tuple[Layer, ...]:
    """Return layers as a tuple.

    Parameters
    ----------
    layers
        A list of layers, or anything that yields them.
    what
        What they are, for the message: ``"Residual: layers"``.

    Raises
    ------
    ConfigurationError
        If one is no layer; the message says its position, counted from 1, and what to write.
    """
    layers = layers.tolist() if isinstance(layers, np.ndarray) else layers
    if isinstance(layers, Layer | str | Mapping) or not isinstance(layers, Iterable):
        raise ConfigurationError(f"{what} are a list such as [Flatten(), Dense(10)], not {layers!r}")
    found = tuple(layers)
    for position, layer in enumerate(found, 1):
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise ConfigurationError(
                f"{what}: number {position} is the class {layer.__name__}; call it: {layer.__name__}()"
            )
        if not isinstance(layer, Layer):
            raise ConfigurationError(f"{what}: number {position} is {layer!r}, and not a layer such as ReLU()")
    return found


def pair(size: Size) -> Pair:
    """Return (height, width) of a size given as one number or as two."""
    return (size, size) if isinstance(size, int) else size


def require_size(layer: Layer, field: str) -> None:
    """Check that a field is a whole number above zero, or two of them.

    Raises
    ------
    ConfigurationError
        Names the layer, the field and its value.
    """
    value = plain_field(layer, field)
    sizes = value if isinstance(value, tuple) else (value, value)
    if len(sizes) != 2 or not all(is_count(size) for size in sizes):
        raise ConfigurationError(
            f"{type(layer).__name__}: {field} is a whole number above 0, or two of them (height, width), not {value!r}"
        )


def require_count(layer: Layer, field: str) -> None:
    """Check that a field is a whole number above zero; ConfigurationError if not."""
    value = plain_field(layer, field)
    if not is_count(value):
        raise ConfigurationError(f"{type(layer).__name__}: {field} is a whole number above 0, not {value!r}")


def require_share(layer: Layer, field: str) -> None:
    """Check that a field is a number from 0 to below 1; ConfigurationError if not."""
    value = plain_field(layer, field)
    if not (is_number(value) and 0 <= value < 1):
        raise ConfigurationError(f"{type(layer).__name__}: {field} is a number from 0 to below 1, not {value!r}")


def require_positive(layer: Layer, field: str) -> None:
    """Check that a field is a number above 0; ConfigurationError if not."""
    value = plain_field(layer, field)
    if not (is_number(value) and value > 0):
        raise ConfigurationError(f"{type(layer).__name__}: {field} is a number above 0, not {value!r}")


def require_choice(layer: Layer, field: str, choices: Collection[str], what: str) -> None:
    """Check that a field is one of some names; ConfigurationError names the nearest if not."""
    value = plain_field(layer, field)
    if not (isinstance(value, str) and value in choices):
        raise ConfigurationError(f"{type(layer).__name__}: unknown {what} {value!r}{nearest(str(value), choices)}")


def plain_field(layer: Layer, field: str) -> Any:
    """Return a field, with a list (from JSON or TOML) made a tuple, and NumPy's numbers made Python's, for good."""
    value = getattr(layer, field)
    settled: Any = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(settled, list | tuple):
        settled = tuple(one.item() if isinstance(one, np.generic) else one for one in settled)
    object.__setattr__(layer, field, settled)
    return settled


def is_count(value: object) -> bool:
    """Return whether a value is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
