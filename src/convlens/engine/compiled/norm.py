"""The compiled batch normalisation, alone or fused with the max-pooling and ReLU that follow."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

import numpy as np

from ...fast import norm
from ...fast.script import Call
from ...fast.vector import WIDTH
from ...ops.window import Pair
from ...typing import Array
from ..arena import Arena
from ..kernel import Stage, Step, Wiring
from ..numpy.norm import BatchNormKernel
from .base import NONE
from .merging import Merging


class CompiledBatchNormKernel(BatchNormKernel):
    """Nodes ``batch_norm`` and ``batch_norm_max_pool2d``, rectified or not.

    Vectors have sixteen values. Where the number of channels is not a multiple of that, neighbouring rows are treated
    as one with more channels, if the number of rows allows it: as few rows as give a multiple of sixteen.
    """

    needs_output = True
    uses_blas = False

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        node, channels = wiring.node, self.x.shape[1]
        self.pool: Pair = node.attributes.get("pool", (1, 1))
        self.relu = bool(node.attributes.get("relu", False))
        self.pooled = self.pool != (1, 1)
        # numbers of channels, repeated: where x is measured, where y is measured, and where x is normalised
        rows = len(self.x) // (len(wiring.output) if self.dy is None else 1)  # in prediction, of an image
        self.wide_x = channels * self._repeats(rows)
        self.wide_y = channels * self._repeats(len(self.y))
        self.wide = channels if self.pooled else self.wide_x
        self.windows = self._windows() if self.pooled else self._single()
        self.flat_x, self.flat_y, self.best = self.x.reshape(-1), self.y.reshape(-1), NONE
        self.merging: Merging | None = None  # of all micro-batches; the first has it

    def _repeats(self, rows: int) -> int:
        wanted = WIDTH // gcd(self.x.shape[1], WIDTH)
        return wanted if rows % wanted == 0 else 1

    def _windows(self) -> dict[str, Any]:
        """Return the windows of a pool, by name; see `norm.forward`."""
        (height, width, channels), (h, w, _) = self.wiring.node.input_shapes[0], self.wiring.node.output_shape
        ph, pw = self.pool
        i, j = np.ogrid[:ph, :pw]
        taps = np.ascontiguousarray(((i * width + j) * channels).reshape(-1), np.int32)
        self.line = width * channels if (h * ph, w * pw) != (height, width) else 0
        across = {"windows": len(self.y), "width": w, "step": pw * channels}
        return across | {"down": ph * width * channels, "rows": h, "size": height * width * channels, "taps": taps}

    def _single(self) -> dict[str, Any]:
        """Return windows of one value each, in rows that stay in the cache."""
        self.line, windows = 0, self.x.size // self.wide
        width = max(1, norm.BLOCK // self.wide)
        across = {"windows": windows, "width": width, "step": self.wide}
        return across | {"down": width * self.wide, "rows": windows, "size": 0, "taps": np.zeros(1, np.int32)}

    def keep(self, arena: Arena) -> None:
        # one for each channel, repeated: mean, scale, and the terms of the backward and forward pass
        if self.dy is None:  # all micro-batches use the same
            shared = (self.wiring.memory(key, (self.wide,)) for key in ("mean", "scale", "level"))
            self.middle, self.scale, self.level = shared
            return
        self.middle, self.scale, self.slope, self.level = (arena.take((self.wide,)) for _ in range(4))
        channels = self.x.shape[1:]
        self.shift, self.mean, self.squares, self.dgamma, self.dbeta = (arena.take(channels) for _ in range(5))
        self.means_y, self.inverses_y = arena.take((self.wide_y,)), arena.take((self.wide_y,))
        if self.pooled:
            self.best = arena.take((self.y.size,))

    def scratch(self, arena: Arena) -> None:
        self.sums_x = arena.take((self.wide_x,)), arena.take((self.wide_x,)), arena.take((self.wide_x,))
        self.sums_y = arena.take((self.wide_y,)), arena.take((self.wide_y,))

    @staticmethod
    def merge(kernels: Sequence[Any], buffers: Array) -> None:
        if kernels[0].merging is None:
            kernels[0].merging = Merging(kernels)
        kernels[0].merging.forward(buffers)

    @staticmethod
    def merge_back(kernels: Sequence[Any]) -> None:
        kernels[0].merging.backward()

    def steps(self, stage: Stage) -> list[Step]:
        calls = {
            "prepare": self._prepare,
            "measure": self._measure,
            "forward": self._forward,
            "measure_back": self._measure_back,
            "backward": self._backward,
        }
        return [*calls[stage]()]

    def _prepare(self) -> list[Call]:
        if self.dy is not None:
            return []
        call = norm.running(
            gamma=self.wiring.parameter("gamma"),
            beta=self.wiring.parameter("beta"),
            mean=self.wiring.buffer("mean"),
            variance=self.wiring.buffer("variance"),
            epsilon=self.epsilon,
            middle=self.middle,
            scale=self.scale,
            level=self.level,
        )
        return [call]

    def _measure(self) -> list[Call]:
        shift, mean, squares = self.sums_x
        call = norm.measure(
            x=self.flat_x,
            channels=self.wide_x,
            shift=shift,
            mean=mean,
            squares=squares,
            all_shift=self.shift,
            all_mean=self.mean,
            all_squares=self.squares,
        )
        return [call]

    def _forward(self) -> list[Call]:
        call = norm.forward(
            x=self.flat_x,
            channels=self.wide,
            **self.windows,
            mean=self.middle,
            scale=self.scale,
            shift=self.level,
            relu=self.relu,
            y=self.flat_y,
            best=self.best,
        )
        return [call]

    def _measure_back(self) -> list[Call]:
        assert self.dy is not None, "a plan for prediction has no backward pass"
        dgamma, dbeta = self.sums_y
        call = norm.measure_back(
            x=self.best if self.pooled else self.flat_x,
            dy=self.dy.reshape(-1),
            y=self.flat_y,
            relu=self.relu,
            channels=self.wide_y,
            mean=self.means_y,
            inverse=self.inverses_y,
            dgamma=dgamma,
            dbeta=dbeta,
            all_dgamma=self.dgamma,
            all_dbeta=self.dbeta,
            lane_dgamma=self.wiring.dparameter("gamma"),
            lane_dbeta=self.wiring.dparameter("beta"),
            accumulate=self.wiring.accumulate,
        )
        return [call]

    def _backward(self) -> list[Call]:
        if self.dx is None or self.dy is None:
            return []
        call = norm.backward(
            x=self.flat_x,
            channels=self.wide,
            **self.windows,
            line=self.line,
            mean=self.middle,
            factor=self.scale,
            slope=self.slope,
            level=self.level,
            dy=self.dy.reshape(-1),
            y=self.flat_y,
            best=self.best,
            relu=self.relu,
            dx=self.dx.reshape(-1),
        )
        return [call]
