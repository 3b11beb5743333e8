"""The work that all peers do: real digits in a fixed order, on the same network from the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import data, models, nn
from ...errors import ConfigurationError
from ...program import INPUT, Node
from ...typing import Float32, FloatArray, Labels
from ..cells import Cell

RATE = 1e-3  # learning rate of Adam, in every peer
BATCHES = 16  # number of batches, through which each peer cycles


def batches(size: int, count: int = BATCHES) -> list[tuple[Float32, Labels]]:
    """Return `count` batches of images (N, 28, 28, 1) in [0, 1] and labels (N,)."""
    digits = data.load("mnist")
    images, labels = digits.train.images, digits.train.labels
    parts = [slice(size * i, size * (i + 1)) for i in range(min(count, len(labels) // size))]
    return [(digits.preprocessing(images[part]), np.array(labels[part], np.int64)) for part in parts]


def model(cell: Cell) -> nn.Model:
    """Return the cell's network with its initial weights."""
    if cell.network == "cnn":
        return models.build("cnn", kernel_size=cell.kernel_size)
    if cell.network == "dense":
        return models.build("baseline")
    if cell.network == "lenet":
        return nn.Model(_lenet(), (28, 28, 1))
    blocks = [
        layer
        for filters in (32, 64, 128)
        for layer in (nn.Conv2D(filters, cell.kernel_size), nn.BatchNorm(), nn.ReLU(), nn.MaxPool2D())
    ]
    head = nn.Dense(10, kernel_initializer="glorot_uniform")
    return nn.Model([*blocks, nn.Flatten(), head], (28, 28, 1))


def _lenet() -> list[nn.Layer]:
    """Return the layers of LeNet-5 as SimpleChains.jl times it: 44,426 parameters."""
    blocks = [
        layer for filters in (6, 16) for layer in (nn.Conv2D(filters, 5, padding="valid"), nn.ReLU(), nn.MaxPool2D())
    ]
    hidden = [layer for units in (120, 84) for layer in (nn.Dense(units), nn.ReLU())]
    return [*blocks, nn.Flatten(), *hidden, nn.Dense(10, kernel_initializer="glorot_uniform")]


def chain(network: nn.Model) -> Sequence[Node]:
    """Return the nodes of a network in order; ConfigurationError if it is not a chain."""
    before = INPUT
    for node in network.program.nodes:
        if node.inputs != (before,):
            raise ConfigurationError(f"peers support only chains of layers, and {node.name} reads {node.inputs}")
        before = node.name
    return network.program.nodes


def channels_first_rows(node: Node, network: nn.Model) -> FloatArray:
    """Return a dense layer's weights (D_in, D_out) for a peer that flattens images (C, H, W), not (H, W, C)."""
    w: FloatArray = network.parameters[f"{node.name}.w"]
    before = next((other for other in network.program.nodes if other.name == node.inputs[0]), None)
    if before is None or before.op != "reshape" or len(before.input_shapes[0]) != 3:
        return w
    height, width, channels = before.input_shapes[0]
    return w.reshape(height, width, channels, -1).transpose(2, 0, 1, 3).reshape(w.shape)


def unknown(node: Node) -> ConfigurationError:
    """Return the error for a layer without a counterpart in a peer."""
    return ConfigurationError(f"this peer has no counterpart of {node.op!r} as {node.name} uses it")


def require_usual_convolution(node: Node) -> Any:
    """Return the window of a convolution with stride 1 and as many zeros on either side of an axis, or raise.

    That is padding "same" with an odd kernel, and "valid": no padding.
    """
    window = node.sight
    if (
        isinstance(window, str)
        or window.stride != (1, 1)
        or window.mode != "zeros"
        or window.rows[0] != window.rows[1]
        or window.columns[0] != window.columns[1]
    ):
        raise unknown(node)
    return window


def require_usual_pool(node: Node) -> Any:
    """Return the window of a 2x2 pooling without overlap, or raise."""
    window = node.sight
    if isinstance(window, str) or window.stride != window.kernel or window.kernel != (2, 2):
        raise unknown(node)
    return window
