"""The compiled pooling kernels: the maximum, the mean, and the blur."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...fast import pool
from ...fast.script import Call
from ...ops.pool import binomial
from ...ops.window import Pair, Window
from ...typing import Array, Float32
from ..arena import Arena
from ..kernel import Wiring
from .base import NONE, CompiledKernel


@dataclass(frozen=True)
class Table:
    """Which pixels each output is made of, or which outputs each pixel goes into; see `convlens.fast.pool`.

    `positions` is the position of the pixel in the window.
    """

    starts: Array  # int32
    places: Array  # int32
    positions: Array  # int

    @classmethod
    def make(cls, by: Array, places: Array, positions: Array, count: int, channels: int) -> Table:
        """Return a table of `count` rows; `by`, ascending, is the row of each entry."""
        starts = np.searchsorted(by, np.arange(count + 1)).astype(np.int32)
        return cls(starts, (places * channels).astype(np.int32), positions)


@lru_cache(maxsize=256)
def tables(window: Window, size: Pair, channels: int) -> tuple[Table, Table]:
    """Return the table by output, and the one by pixel; zero padding is in neither."""
    height, width = size
    numbers = np.arange(1.0, height * width + 1).reshape(1, height, width, 1)  # 0 is the padding
    seen = window.patches(window.pad(numbers)).astype(np.int64) - 1  # (1, H_out, W_out, KH, KW, 1)
    outputs = seen.shape[1] * seen.shape[2]
    output, position = np.nonzero(seen.reshape(outputs, -1) >= 0)
    pixel = seen.reshape(outputs, -1)[output, position]
    order = np.argsort(pixel, kind="stable")
    by_output = Table.make(output, pixel, position, outputs, channels)
    return by_output, Table.make(pixel[order], output[order], position[order], height * width, channels)


class _PoolKernel(CompiledKernel):
    """What the kernels below have in common."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        height, width, self.channels = wiring.node.input_shapes[0]
        self.table, self.back = tables(wiring.node.window, (height, width), self.channels)
        self.x, self.y = wiring.inputs[0].reshape(-1), wiring.output.reshape(-1)
        self.dx = None if wiring.dinputs[0] is None else wiring.dinputs[0].reshape(-1)
        self.dy = None if wiring.doutput is None else wiring.doutput.reshape(-1)
        self.size_x, self.size_y = self.x.size // len(wiring.output), self.y.size // len(wiring.output)


class CompiledMaxPoolKernel(_PoolKernel):
    """Node ``max_pool2d``, rectified or not."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.relu = bool(wiring.node.attributes.get("relu", False))
        self.winners, self.positions = NONE, self.back.positions.astype(np.float32)

    def keep(self, arena: Arena) -> None:
        if self.dx is not None:
            self.winners = arena.take((self.y.size,))

    def forward_calls(self) -> list[Call]:
        t = self.table
        return [pool.largest(self.x, self.size_x, self.channels, t.starts, t.places, self.relu, self.y, self.winners)]

    def backward_calls(self) -> list[Call]:
        if self.dx is None or self.dy is None:
            return []
        t = self.back
        tables = (t.starts, t.places, self.positions)
        return [pool.give_back(self.dy, self.size_y, self.channels, *tables, self.winners, self.dx)]


class WeighingPoolKernel(_PoolKernel):
    """Nodes ``average_pool2d`` and ``blur_pool2d``."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        window = wiring.node.window
        self.share, weights = np.float32(1), binomial(window, np.float32).reshape(-1)
        if wiring.node.op == "average_pool2d":
            self.share, weights = np.float32(1 / weights.size), np.ones_like(weights)
        self.weights, self.weights_back = weights[self.table.positions], weights[self.back.positions]

    def forward_calls(self) -> list[Call]:
        return [self._gather(self.x, self.size_x, self.table, self.weights, self.y)]

    def backward_calls(self) -> list[Call]:
        if self.dx is None or self.dy is None:
            return []
        return [self._gather(self.dy, self.size_y, self.back, self.weights_back, self.dx)]

    def _gather(self, x: Float32, size: int, table: Table, weights: Array, y: Float32) -> Call:
        return pool.gather(x, size, self.channels, table.starts, table.places, weights, self.share, y)
