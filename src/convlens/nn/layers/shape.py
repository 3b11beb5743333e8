"""Layers that change only the shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...errors import ConfigurationError, ShapeError
from ..builder import ProgramBuilder
from .base import Layer, is_count, plain_field


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of an image as one vector: (H, W, C) -> (H*W*C,), rows first, channels last."""

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``reshape`` node."""
        return builder.add(builder.name("flatten"), "reshape", (value,), (math.prod(builder.shape(value)),))


@dataclass(frozen=True)
class Reshape(Layer):
    """The same values in another shape, such as (6, 6, 4); rows first, channels last.

    Parameters
    ----------
    shape
        (H, W, C) or (D,).
    """

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        shape = plain_field(self, "shape")
        if not isinstance(shape, tuple) or len(shape) not in (1, 3) or not all(map(is_count, shape)):
            raise ConfigurationError(f"Reshape: shape is (height, width, channels) or (features,), not {self.shape!r}")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``reshape`` node."""
        before = builder.shape(value)
        if math.prod(before) != math.prod(self.shape):
            raise ShapeError(
                f"Reshape cannot make {self.shape} ({math.prod(self.shape)} values) of {before} ({math.prod(before)})"
            )
        return builder.add(builder.name("reshape"), "reshape", (value,), self.shape)
