"""Layers, and the model that is built from them.

Reading order: `layers.base` (what a layer is), `layers.conv`, `initializers`, `model`, `summary`, `serialize`.
"""

from .layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    MaxPool2D,
    ReLU,
)
from .model import Model, load

__all__ = [
    "AveragePool2D",
    "Conv2D",
    "Dense",
    "Flatten",
    "GlobalAveragePool2D",
    "Layer",
    "MaxPool2D",
    "Model",
    "ReLU",
    "load",
]
