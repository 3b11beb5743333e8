"""Pooling: fewer pixels, each standing for a neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...ops.window import Window
from ..builder import ProgramBuilder
from .base import Layer, Size, pair, require_size


@dataclass(frozen=True)
class _Pool2D(Layer):
    """A window that slides over each channel; windows that would reach beyond the edge are dropped."""

    pool_size: Size = 2
    strides: Size | None = None

    _op: ClassVar[str] = ""

    def __post_init__(self) -> None:
        require_size(self, "pool_size")
        if self.strides is not None:
            require_size(self, "strides")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one pooling node."""
        height, width, channels = builder.image_shape(value, type(self).__name__)
        stride = self.pool_size if self.strides is None else self.strides
        window = Window.resolve(pair(self.pool_size), pair(stride), "valid", (height, width))
        shape = (*window.output_size(height, width), channels)
        return builder.add(builder.name("pool"), self._op, (value,), shape, sight=window)


@dataclass(frozen=True)
class MaxPool2D(_Pool2D):
    """Maximum of each window. See `convlens.ops.pool`.

    Parameters
    ----------
    pool_size
        Window, in pixels: one number, or (height, width).
    strides
        Steps of the window; the window's own size where None, so that windows tile the image.
    """

    _op = "max_pool2d"


@dataclass(frozen=True)
class AveragePool2D(_Pool2D):
    """Mean of each window. See `convlens.ops.pool`.

    Parameters
    ----------
    pool_size
        Window, in pixels: one number, or (height, width).
    strides
        Steps of the window; the window's own size where None, so that windows tile the image.
    """

    _op = "average_pool2d"


@dataclass(frozen=True)
class GlobalAveragePool2D(Layer):
    """Mean of each channel over the whole image: (H, W, C) -> (C,). Position no longer matters."""

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one averaging node over the whole image and one that flattens its single pixel."""
        height, width, channels = builder.image_shape(value, "GlobalAveragePool2D")
        name = builder.name("global_pool")
        pooled = builder.add(
            name, "average_pool2d", (value,), (1, 1, channels), sight=Window((height, width), (height, width))
        )
        return builder.add(f"{name}.flat", "reshape", (pooled,), (channels,))


@dataclass(frozen=True)
class BlurPool2D(Layer):
    """Blur with binomial weights, then keep every s-th pixel; the image is reflected at its edges.

    After a max-pooling of stride 1 it makes anti-aliased max-pooling. See `convlens.ops.pool.blur_pool2d`.

    Parameters
    ----------
    kernel_size
        Size of the blur, in pixels; 3 means the weights 1, 2, 1 along each axis, divided by their sum.
    strides
        Step from one output pixel to the next, in pixels.
    """

    kernel_size: Size = 3
    strides: Size = 2

    def __post_init__(self) -> None:
        require_size(self, "kernel_size")
        require_size(self, "strides")

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``blur_pool2d`` node."""
        height, width, channels = builder.image_shape(value, "BlurPool2D")
        window = Window.resolve(pair(self.kernel_size), pair(self.strides), "same", (height, width), "reflect")
        shape = (*window.output_size(height, width), channels)
        return builder.add(builder.name("blur"), "blur_pool2d", (value,), shape, sight=window)
