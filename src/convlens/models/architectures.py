"""The named architectures: each is a frozen dataclass of options that returns layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias, get_args

from ..errors import ConfigurationError, nearest
from ..nn import AveragePool2D, Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU
from ..nn.layers.base import Size
from ..ops.window import Padding, PaddingMode

Pooling: TypeAlias = Literal["max", "average", "strided", "none"]


@dataclass(frozen=True)
class Architecture(ABC):
    """Base of the named architectures."""

    name: ClassVar[str]
    about: ClassVar[str]

    @abstractmethod
    def layers(self, classes: int) -> tuple[Layer, ...]:
        """Return the layers, from the image to one score for each class."""


def head(classes: int) -> Dense:
    """Return the last layer; it feeds no ReLU, so Glorot's variance is the right one."""
    return Dense(classes, kernel_initializer="glorot_uniform")


@dataclass(frozen=True)
class DenseNet(Architecture):
    """Dense layers with ReLUs: the baseline, which has no notion of where pixels are.

    Parameters
    ----------
    hidden
        Units of each hidden layer.
    """

    hidden: tuple[int, ...] = (128, 64)

    name = "baseline"
    about = "dense 128-64: the baseline"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))

    def layers(self, classes: int) -> tuple[Layer, ...]:
        hidden = [layer for units in self.hidden for layer in (Dense(units), ReLU())]
        return (Flatten(), *hidden, head(classes))


@dataclass(frozen=True)
class CNN(Architecture):
    """Blocks of convolution, ReLU and 2x2 pooling, then a dense layer.

    Parameters
    ----------
    kernel_size
        Of every convolution.
    filters
        Of each block.
    padding, padding_mode
        Of every convolution; see `convlens.nn.Conv2D`.
    pooling
        ``"max"``, ``"average"``, ``"strided"`` (the block's last convolution has stride 2 instead) or ``"none"``.
    convolutions
        Number of convolutions, each with its ReLU, in a block.
    hidden
        Units of the dense layer.
    """

    kernel_size: Size = 3
    filters: tuple[int, ...] = (16, 32)
    padding: Padding = "same"
    padding_mode: PaddingMode = "zeros"
    pooling: Pooling = "max"
    convolutions: int = 1
    hidden: int = 128

    name = "cnn"
    about = "two blocks of 3x3 convolution (16, then 32 filters), ReLU and 2x2 max-pooling; dense 128"

    def __post_init__(self) -> None:
        if not isinstance(self.filters, tuple | list):
            raise ConfigurationError(f"filters are a number for each block, such as (16, 32), not {self.filters!r}")
        object.__setattr__(self, "filters", tuple(self.filters))
        if self.pooling not in get_args(Pooling):
            raise ConfigurationError(f"unknown pooling {self.pooling!r}{nearest(self.pooling, get_args(Pooling))}")
        if not self.filters or self.convolutions < 1:
            raise ConfigurationError("a CNN has at least one block of filters and one convolution in a block")

    def layers(self, classes: int) -> tuple[Layer, ...]:
        blocks = [layer for filters in self.filters for layer in self._block(filters)]
        return (*blocks, Flatten(), Dense(self.hidden), ReLU(), head(classes))

    def _block(self, filters: int) -> list[Layer]:
        layers: list[Layer] = []
        for position in range(self.convolutions):
            last = position == self.convolutions - 1
            strides = 2 if self.pooling == "strided" and last else 1
            layers += [Conv2D(filters, self.kernel_size, strides, self.padding, self.padding_mode), ReLU()]
        if self.pooling in ("max", "average"):
            layers.append(MaxPool2D() if self.pooling == "max" else AveragePool2D())
        return layers
