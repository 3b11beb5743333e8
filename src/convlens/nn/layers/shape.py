"""Layers that change only the shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...program import ProgramBuilder
from .base import Layer


@dataclass(frozen=True)
class Flatten(Layer):
    """All values of an image as one vector: (H, W, C) -> (H*W*C,), rows first, channels last."""

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``flatten`` node."""
        return builder.add(builder.name("flatten"), "flatten", (value,), (math.prod(builder.shape(value)),))
