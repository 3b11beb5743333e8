"""Layers, and the model that is built from them.

Reading order: `layers.base` (what a layer is), `layers.conv`, `initializers`, `model`, `summary`, `serialize`.
"""

from .layers import (
    AveragePool2D,
    BatchNorm,
    BlurPool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LocallyConnected2D,
    MaxPool2D,
    ReLU,
    Reshape,
    Residual,
    Tanh,
)
from .model import Model, load

__all__ = [
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
    "Model",
    "ReLU",
    "Reshape",
    "Residual",
    "Tanh",
    "load",
]
