"""Convolution, and the settings that it shares with the locally connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from ...ops.window import Padding, PaddingMode, Window
from ..builder import ProgramBuilder
from ..initializers import INITIALIZERS
from .base import Layer, Size, pair, require_choice, require_count, require_size


@dataclass(frozen=True)
class Patchwise(Layer):
    """The settings shared by layers that apply kernels to patches.

    Parameters
    ----------
    filters
        Number of kernels, and so of output channels.
    kernel_size, strides
        One number for a square, or (height, width).
    padding
        ``"same"`` (output as large as the input, divided by the stride and rounded up, as in Keras), ``"valid"``
        (none) or ``"full"`` (every pixel meets every position of the kernel).
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
        require_choice(self, "padding", get_args(Padding), "padding")
        require_choice(self, "padding_mode", get_args(PaddingMode), "padding mode")
        require_choice(self, "kernel_initializer", INITIALIZERS, "initialiser")

    def window(self, builder: ProgramBuilder, value: str) -> tuple[Window, int]:
        """Return the window over a value, and the value's number of channels."""
        height, width, channels = builder.image_shape(value, type(self).__name__)
        size = (height, width)
        return Window.resolve(
            pair(self.kernel_size), pair(self.strides), self.padding, size, self.padding_mode
        ), channels


@dataclass(frozen=True)
class Conv2D(Patchwise):
    """Convolution with learned kernels: (H, W, C_in) -> (H_out, W_out, filters). See `convlens.ops.conv`.

    Its settings are those of `Patchwise`.
    """

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``conv2d`` node."""
        window, channels = self.window(builder, value)
        h_out, w_out = window.output_size(*builder.shape(value)[:2])
        (kh, kw), name = window.kernel, builder.name("conv")
        w = builder.parameter(
            f"{name}.w",
            (kh, kw, channels, self.filters),
            self.kernel_initializer,
            fan_in=kh * kw * channels,
            fan_out=kh * kw * self.filters,
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
            macs=h_out * w_out * w.size,
        )
