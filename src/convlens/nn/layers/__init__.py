"""One file a family of layers; `LAYERS` is the table by which a file or a TOML names them."""

from .activation import ReLU, Tanh
from .base import Layer
from .conv import Conv2D
from .dense import Dense
from .local import LocallyConnected2D
from .norm import BatchNorm, Dropout
from .pooling import AveragePool2D, BlurPool2D, GlobalAveragePool2D, MaxPool2D
from .residual import Residual
from .shape import Flatten, Reshape

LAYERS: dict[str, type[Layer]] = {
    layer.__name__: layer
    for layer in (
        AveragePool2D,
        BatchNorm,
        BlurPool2D,
        Conv2D,
        Dense,
        Dropout,
        Flatten,
        GlobalAveragePool2D,
        LocallyConnected2D,
        MaxPool2D,
        ReLU,
        Reshape,
        Residual,
        Tanh,
    )
}

__all__ = [
    "LAYERS",
    "AveragePool2D",
    "BatchNorm",
    "BlurPool2D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool2D",
    "Layer",
    "LocallyConnected2D",
    "MaxPool2D",
    "ReLU",
    "Reshape",
    "Residual",
    "Tanh",
]
