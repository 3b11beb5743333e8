"""The compiled batch normalisation, alone or with the max-pooling and the ReLU behind it."""

from __future__ import annotations

from math import gcd

import numpy as np

from ...fast import norm
from ...fast.vector import LANES
from ...ops.window import Pair
from ...typing import Array, Float32
from ..arena import Arena
from ..kernels import BatchNormKernel
from ..kernels.base import Wiring

_NONE = np.zeros(0, np.float32)


class CompiledBatchNormKernel(BatchNormKernel):
    """Nodes ``batch_norm`` and ``batch_norm_max_pool2d``, rectified or not.

    Vectors are sixteen values long. Where there are fewer channels, or they do not come out even, neighbouring values
    are taken together as if they were more channels, as long as their number allows it: `repeats` of them.
    """

    needs_output = True

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        node, channels = wiring.node, self.x.shape[1]
        self.pool: Pair = node.attributes.get("pool", (1, 1))
        self.relu = bool(node.attributes.get("relu", False))
        self.pooled = self.pool != (1, 1)
        self.measured = self._repeats(len(self.x))
        self.repeats = 1 if self.pooled else self.measured
        self.windows = self._windows(channels) if self.pooled else self._flat(channels * self.repeats)
        self.flat_x, self.flat_y, self.best = self.x.reshape(-1), self.y.reshape(-1), _NONE

    def _repeats(self, rows: int) -> int:
        wanted = LANES // gcd(self.x.shape[1], LANES)
        return wanted if rows % wanted == 0 else 1

    def _windows(self, channels: int) -> tuple[int | Array, ...]:
        """Return the windows of a pool; see `norm.forward`."""
        (height, width, _), (h, w, _) = self.wiring.node.input_shapes[0], self.wiring.node.output_shape
        ph, pw = self.pool
        i, j, c = np.ogrid[:ph, :pw, :1]
        taps = np.ascontiguousarray(((i * width + j) * channels + c).reshape(-1), np.int32)
        self.line = width * channels if (h * ph, w * pw) != (height, width) else 0
        return len(self.y), w, pw * channels, ph * width * channels, h, height * width * channels, taps

    def _flat(self, channels: int) -> tuple[int | Array, ...]:
        """Return windows of one value each, in rows that stay in the cache."""
        self.line, windows = 0, self.x.size // channels
        width = max(1, norm.BLOCK // channels)
        return windows, width, channels, width * channels, windows, 0, np.zeros(1, np.int32)

    def keep(self, arena: Arena) -> None:
        if self.dy is None:
            return
        channels = self.x.shape[1:]
        self.mean, self.inverse, self.dgamma, self.dbeta, self.squares = (arena.take(channels) for _ in range(5))
        if self.pooled:
            self.best = arena.take((self.y.size,))

    def scratch(self, arena: Arena) -> None:
        del arena

    def measure(self) -> None:
        wide = self.measured * self.x.shape[1]
        mean, squares = np.empty((2, wide), np.float32)
        norm.measure(self.flat_x, wide, mean, squares)
        means, sums = mean.reshape(self.measured, -1), squares.reshape(self.measured, -1)
        np.mean(means, axis=0, out=self.mean)
        between = np.square(means - self.mean).sum(axis=0) * np.float32(len(self.x) // self.measured)
        np.add(sums.sum(axis=0), between, out=self.squares)

    def _wide(self, *values: Array) -> list[Float32]:
        """Return values for each channel, repeated."""
        return [np.tile(value, self.repeats) for value in values]

    def forward(self) -> None:
        gamma, beta = self.wiring.parameter("gamma"), self.wiring.parameter("beta")
        if self.dy is None:  # prediction: with the running statistics, as they are now
            mean = self.wiring.buffer("mean")
            scale = gamma / np.sqrt(self.wiring.buffer("variance") + self.epsilon)
        else:
            mean, scale = self.mean, gamma * self.inverse
        norm.forward(
            *(self.flat_x, self.x.shape[1] * self.repeats, *self.windows),
            *(*self._wide(mean, scale, beta), self.relu, self.flat_y, self.best),
        )

    def measure_back(self) -> None:
        assert self.dy is not None, "a plan for prediction has no backward pass"
        repeats, x = self._repeats(len(self.y)), self.best if self.pooled else self.flat_x
        mean, inverse = np.tile(self.mean, repeats), np.tile(self.inverse, repeats)
        dgamma, dbeta = np.empty((2, mean.size), np.float32)
        norm.measure_back(
            *(x, self.dy.reshape(-1), self.flat_y, self.relu, mean.size, mean, inverse, dgamma, dbeta),
        )
        for key, share, sums in (("gamma", self.dgamma, dgamma), ("beta", self.dbeta, dbeta)):
            np.sum(sums.reshape(repeats, -1), axis=0, out=share)
            total = self.wiring.dparameter(key)
            if self.wiring.accumulate:
                np.add(total, share, out=total)
            else:
                np.copyto(total, share)

    def backward(self) -> None:
        if self.dx is None or self.dy is None:
            return
        factor = self.wiring.parameter("gamma") * self.inverse
        slope, level = -factor * self.inverse * self.dgamma, -factor * self.dbeta
        norm.backward(
            *(self.flat_x, self.x.shape[1] * self.repeats, *self.windows, self.line),
            *(*self._wide(self.mean, factor, slope, level), self.dy.reshape(-1), self.flat_y, self.best, self.relu),
            self.dx.reshape(-1),
        )
