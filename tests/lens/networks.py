"""Small networks for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np

from convlens.nn import Conv2D, Dense, Flatten, GlobalAveragePool2D, Layer, MaxPool2D, Model, ReLU
from convlens.typing import Shape, UInt8


def pixels(count: int, shape: Shape = (12, 12, 1), seed: int = 0) -> UInt8:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


def small(*layers: Layer, shape: Shape = (12, 12, 1), **options: Any) -> Model:
    """Return a network with these layers, or a small CNN, whose biases are not 0."""
    chosen = layers or (Conv2D(4), ReLU(), MaxPool2D(), Conv2D(5), ReLU(), Flatten(), Dense(6), ReLU(), Dense(3))
    model = Model(chosen, shape, seed=3, **options)
    draw = np.random.default_rng(5)
    for name, view in model.parameters.items():
        if name.endswith(".b"):
            view[...] = 0.2 * draw.standard_normal(view.shape)
    return model


def pooled(*layers: Layer, shape: Shape = (12, 12, 1), **options: Any) -> Model:
    """Return a network whose layers end in a map."""
    return small(*layers, GlobalAveragePool2D(), Dense(3), shape=shape, **options)
