"""Convolution."""

from __future__ import annotations

from dataclasses import dataclass

from ...ops.window import Padding, PaddingMode, Window
from ...program import ProgramBuilder
from ..initializers import require_initializer
from .base import Layer, Size, pair, require_count, require_size


@dataclass(frozen=True)
class Conv2D(Layer):
    """Convolution with learned kernels: (H, W, C_in) -> (H_out, W_out, filters). See `convlens.ops.conv`.

    Parameters
    ----------
    filters
        Number of kernels, and so of output channels.
    kernel_size, strides
        One number for a square, or (height, width).
    padding
        ``"same"`` (output as large as the input, divided by the stride), ``"valid"`` (none) or ``"full"``
        (every pixel meets every position of the kernel).
    padding_mode
        ``"zeros"`` or ``"reflect"``.
    kernel_initializer
        A key of `convlens.nn.initializers.INITIALIZERS`.
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
        """Append one ``conv2d`` node."""
        height, width, channels = builder.image_shape(value, "Conv2D")
        kernel = pair(self.kernel_size)
        window = Window.resolve(kernel, pair(self.strides), self.padding, (height, width), self.padding_mode)
        h_out, w_out = window.output_size(height, width)
        name, seen, area = builder.name("conv"), kernel[0] * kernel[1] * channels, kernel[0] * kernel[1]
        w = builder.parameter(
            f"{name}.w",
            (*kernel, channels, self.filters),
            self.kernel_initializer,
            fan_in=seen,
            fan_out=area * self.filters,
            decay=True,
        )
        b = builder.parameter(f"{name}.b", (self.filters,), "zeros")
        return builder.add(
            name,
            "conv2d",
            (value,),
            (h_out, w_out, self.filters),
            sight=window,
            parameters={"w": w, "b": b},
            macs=h_out * w_out * seen * self.filters,
        )
