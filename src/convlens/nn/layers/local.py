"""The locally connected layer."""

from __future__ import annotations

from dataclasses import dataclass

from ...ops.window import Padding, PaddingMode, Window
from ...program import ProgramBuilder
from ..initializers import require_initializer
from .base import Layer, Size, pair, require_count, require_size


@dataclass(frozen=True)
class LocallyConnected2D(Layer):
    """A convolution without weight sharing: (H, W, C_in) -> (H_out, W_out, filters). See `convlens.ops.local`.

    Its parameters are those of `Conv2D`, times the number of output pixels.

    Parameters
    ----------
    filters, kernel_size, strides, padding, padding_mode, kernel_initializer
        As for `Conv2D`.
    """

    filters: int
    kernel_size: Size = 3
    strides: Size = 1
    padding: Padding = "same"
    padding_mode: PaddingMode = "zeros"
    kernel_initializer: str = "he_normal"

    def __post_init__(self) -> None:
        require_count(self, "filters")
        require_size(self, "kernel_size")
        require_size(self, "strides")
        require_initializer(self.kernel_initializer)

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``local2d`` node."""
        height, width, channels = builder.image_shape(value, "LocallyConnected2D")
        kernel = pair(self.kernel_size)
        window = Window.resolve(kernel, pair(self.strides), self.padding, (height, width), self.padding_mode)
        shape = (*window.output_size(height, width), self.filters)
        name, seen = builder.name("local"), kernel[0] * kernel[1] * channels
        w = builder.parameter(
            f"{name}.w",
            (*shape[:2], *kernel, channels, self.filters),
            self.kernel_initializer,
            fan_in=seen,
            fan_out=kernel[0] * kernel[1] * self.filters,
            decay=True,
        )
        b = builder.parameter(f"{name}.b", shape, "zeros")
        macs = shape[0] * shape[1] * seen * self.filters
        return builder.add(name, "local2d", (value,), shape, sight=window, parameters={"w": w, "b": b}, macs=macs)
