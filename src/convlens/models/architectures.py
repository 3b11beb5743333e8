"""The named architectures: each is a frozen dataclass of options that returns layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from ..errors import ConfigurationError, nearest
from ..nn import (
    AveragePool2D,
    BlurPool2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LocallyConnected2D,
    MaxPool2D,
    ReLU,
)
from ..nn.layers.base import Size
from ..ops.window import Padding, PaddingMode

Pooling: TypeAlias = Literal["max", "average", "blur", "strided", "none"]
_POOLING: dict[Pooling, tuple[Layer, ...]] = {  # what follows a block's convolutions
    "max": (MaxPool2D(),),
    "average": (AveragePool2D(),),
    "blur": (MaxPool2D(2, strides=1), BlurPool2D()),
    "strided": (),
    "none": (),
}


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
    """Blocks of convolution, ReLU and pooling, then a dense layer.

    Parameters
    ----------
    kernel_size
        Of the first convolution of every block.
    filters
        Of each block.
    padding, padding_mode
        Of every convolution; see `convlens.nn.Conv2D`.
    pooling
        How a block halves its image. ``"max"`` and ``"average"``: windows of 2x2; ``"blur"``: the maximum at every
        position, blurred before every second one is kept, so that nothing is lost between them (Zhang, ICML 2019);
        ``"strided"``: the block's last convolution has stride 2; ``"none"``: it does not. The first four give images
        of one size, if height and width are even.
    further
        Kernel sizes of further convolutions in every block, each with its ReLU. ``(3,)`` makes two of 3x3, which see
        what one of 5x5 does; ``kernel_size=5, further=(1,)`` is that one with the depth of the two.
    shared
        Whether a kernel is the same everywhere. If not, every position has a kernel of its own (locally connected):
        the same shapes and FLOPs, many more parameters.
    global_average
        Whether the dense layer gets the mean of each channel (global average pooling) instead of every pixel.
    hidden
        Units of the dense layer.

    Examples
    --------
    >>> from convlens.models import measure
    >>> [measure(CNN(shared=shared), "parameters", (28, 28, 1), 10) for shared in (True, False)]
    [206922, 1237002]
    """

    kernel_size: Size = 3
    filters: tuple[int, ...] = (16, 32)
    padding: Padding = "same"
    padding_mode: PaddingMode = "zeros"
    pooling: Pooling = "max"
    further: tuple[Size, ...] = ()
    shared: bool = True
    global_average: bool = False
    hidden: int = 128

    name = "cnn"
    about = "two blocks of 3x3 convolution (16, then 32 filters), ReLU and 2x2 max-pooling; dense 128"

    def __post_init__(self) -> None:
        for field, example in (("filters", "a number for each block, such as (16, 32)"), ("further", "such as (3,)")):
            value = getattr(self, field)
            if not isinstance(value, tuple | list):
                raise ConfigurationError(f"{field} of a CNN: {example}, not {value!r}")
            object.__setattr__(self, field, tuple(tuple(one) if isinstance(one, list) else one for one in value))
        if self.pooling not in _POOLING:
            raise ConfigurationError(f"unknown pooling {self.pooling!r}{nearest(str(self.pooling), _POOLING)}")
        if not self.filters:
            raise ConfigurationError("a CNN has at least one block of filters")

    def layers(self, classes: int) -> tuple[Layer, ...]:
        blocks = [layer for filters in self.filters for layer in self._block(filters)]
        flat = GlobalAveragePool2D() if self.global_average else Flatten()
        return (*blocks, flat, Dense(self.hidden), ReLU(), head(classes))

    def _block(self, filters: int) -> tuple[Layer, ...]:
        kind = Conv2D if self.shared else LocallyConnected2D
        strides = [1] * len(self.further) + [2 if self.pooling == "strided" else 1]
        layers: list[Layer] = []
        for size, stride in zip((self.kernel_size, *self.further), strides, strict=True):
            layers += [kind(filters, size, stride, self.padding, self.padding_mode), ReLU()]
        return (*layers, *_POOLING[self.pooling])
