"""What a layer is: a frozen dataclass of configuration that knows how to lower itself to nodes of a Program.

It holds no weights and computes nothing, so comparison, hashing, printing and serialising come for free. A layer object
used twice in a model has two sets of parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

from ...errors import ConfigurationError
from ...ops.window import Pair
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


def pair(size: Size) -> Pair:
    """Return (height, width) of a size given as one number or as two."""
    return (size, size) if isinstance(size, int) else size


def require_size(layer: Layer, field: str) -> None:
    """Check that a field is a whole number above zero, or two of them; a list (from JSON or TOML) becomes a tuple.

    Raises
    ------
    ConfigurationError
        Names the layer, the field and its value.
    """
    value = getattr(layer, field)
    if isinstance(value, list):
        value = tuple(value)
        object.__setattr__(layer, field, value)
    sizes = value if isinstance(value, tuple) else (value, value)
    if len(sizes) != 2 or not all(_is_count(size) for size in sizes):
        raise ConfigurationError(
            f"{type(layer).__name__}: {field} is a whole number above 0, or two of them (height, width), not {value!r}"
        )


def require_count(layer: Layer, field: str) -> None:
    """Check that a field is a whole number above zero; ConfigurationError if not."""
    value = getattr(layer, field)
    if not _is_count(value):
        raise ConfigurationError(f"{type(layer).__name__}: {field} is a whole number above 0, not {value!r}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
