"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import ShapeError
from ..builder import ProgramBuilder
from ..initializers import INITIALIZERS
from .base import Layer, require_choice, require_count


@dataclass(frozen=True)
class Dense(Layer):
    """Every output sees every input: (D_in,) -> (units,). See `convlens.ops.dense`.

    Parameters
    ----------
    units
        Number of outputs.
    kernel_initializer
        A key of `convlens.nn.initializers.INITIALIZERS`.
    """

    units: int
    kernel_initializer: str = "he_normal"

    def __post_init__(self) -> None:
        require_count(self, "units")
        require_choice(self, "kernel_initializer", INITIALIZERS, "initialiser")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``dense`` node."""
        shape = builder.shape(value)
        if len(shape) != 1:
            raise ShapeError(
                f"Dense needs a flat input (features,), but {value!r} has shape {shape}; put Flatten() before it"
            )
        name, features = builder.name("dense"), shape[0]
        w = builder.parameter(
            f"{name}.w",
            (features, self.units),
            self.kernel_initializer,
            fan_in=features,
            fan_out=self.units,
            decay=True,
        )
        b = builder.parameter(f"{name}.b", (self.units,), "zeros")
        return builder.add(
            name,
            "dense",
            (value,),
            (self.units,),
            sight="all",
            parameters={"w": w, "b": b},
            macs=features * self.units,
        )
