"""One file a family of layers; `LAYERS` is the table by which a file or a TOML names them."""

from .activation import ReLU
from .base import Layer
from .conv import Conv2D
from .dense import Dense
from .pooling import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from .shape import Flatten

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer for layer in (AveragePool2D, Conv2D, Dense, Flatten, GlobalAveragePool2D, MaxPool2D, ReLU)
}

__all__ = [
    "LAYERS",
    "AveragePool2D",
    "Conv2D",
    "Dense",
    "Flatten",
    "GlobalAveragePool2D",
    "Layer",
    "MaxPool2D",
    "ReLU",
]
