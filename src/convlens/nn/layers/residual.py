"""The residual connection: a branch of layers, added to its input."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ConfigurationError, ShapeError
from ..builder import ProgramBuilder
from .base import Layer, checked_layers


@dataclass(frozen=True)
class Residual(Layer):
    """x + f(x), where f is a branch of layers that keeps the shape. Source: He et al., CVPR 2016.

    Parameters
    ----------
    layers
        The branch.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", checked_layers(self.layers, "Residual: layers"))
        if not self.layers:
            raise ConfigurationError("Residual: layers are a list of at least one layer")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append the branch's nodes and one ``add`` node."""
        branch = value
        for layer in self.layers:
            branch = layer.lower(builder, branch)
        before, after = builder.shape(value), builder.shape(branch)
        if before != after:
            raise ShapeError(
                f"Residual adds its branch to its input, but the branch turns {before} into {after}; a branch keeps "
                f"the shape: padding 'same', strides of 1, and {before[-1]} channels at its end"
            )
        return builder.add(builder.name("add"), "add", (branch, value), before)
