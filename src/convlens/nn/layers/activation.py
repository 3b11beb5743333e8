"""Activations."""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import ProgramBuilder
from .base import Layer


@dataclass(frozen=True)
class ReLU(Layer):
    """Rectified linear unit, max(x, 0), of any shape. See `convlens.ops.activation`."""

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``relu`` node."""
        return builder.add(builder.name("relu"), "relu", (value,), builder.shape(value))


@dataclass(frozen=True)
class Tanh(Layer):
    """Hyperbolic tangent, of any shape. See `convlens.ops.activation`."""

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``tanh`` node."""
        return builder.add(builder.name("tanh"), "tanh", (value,), builder.shape(value))
