"""The compiled locally connected kernel; its computation is in `convlens.fast.local`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...fast import local
from ...fast.script import Call
from ...fast.vector import WIDTH
from ...typing import Array
from ..arena import Arena
from ..kernel import Wiring
from .base import NONE, CompiledKernel
from .pool import tables


def _table(values: Array) -> Array:
    return np.ascontiguousarray(values.reshape(-1), np.int32)


class LocalKernel(CompiledKernel):
    """Node ``local2d``, rectified or not."""

    needs_output = True

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        node, n = wiring.node, len(wiring.output)
        height, width, channels = node.input_shapes[0]
        self.filters, self.relu = node.output_shape[2], bool(node.attributes.get("relu", False))
        self.x, self.y = wiring.inputs[0].reshape(-1), wiring.output.reshape(-1)
        self.w, self.b = wiring.parameter("w").reshape(-1), wiring.parameter("b").reshape(-1)
        self.taps = self.w.size // self.b.size
        seen, _ = tables(node.window, (height, width), 1)
        channel = np.arange(channels)
        self.sources = _table(seen.places[:, None] * channels + channel)
        self.kernels = _table((seen.positions[:, None] * channels + channel) * self.filters)
        self.starts = _table(seen.starts * channels)
        self.images = _table(np.arange(n) * (self.x.size // n))
        self.wide, self.side = (-(-count // WIDTH) * WIDTH for count in (self.filters, n))
        self.row_places, self.numbers = _table(np.arange(n) * self.wide), _table(np.arange(self.filters))
        self.column_places = self.numbers * np.int32(self.side)
        self.rows = self.columns = self.turned_dx = self.dx = NONE

    def scratch(self, arena: Arena) -> None:
        if self.wiring.gradient is None:
            return
        self.rows = arena.take((len(self.images) * self.wide,))
        self.columns = arena.take((self.wide * self.side,))
        if self.wiring.dinputs[0] is not None:
            self.dx = self.wiring.dinputs[0].reshape(-1)
            self.turned_dx = arena.take((self.x.size // len(self.images) * self.side,))

    def forward_calls(self) -> list[Call]:
        return [local.forward(**self._common, b=self.b)]

    @property
    def _common(self) -> dict[str, Any]:
        """The arguments that forward and backward share, by name; see `convlens.fast.local.forward`."""
        return {
            "x": self.x,
            "filters": self.filters,
            "starts": self.starts,
            "sources": self.sources,
            "kernels": self.kernels,
            "images": self.images,
            "w": self.w,
            "taps": self.taps,
            "relu": self.relu,
            "y": self.y,
        }

    def backward_calls(self) -> list[Call]:
        dy, wiring = self.wiring.doutput, self.wiring
        assert dy is not None, "a plan for prediction has no backward pass"
        call = local.backward(
            **self._common,
            dy=dy.reshape(-1),
            rows=self.rows,
            row_places=self.row_places,
            columns=self.columns,
            column_places=self.column_places,
            numbers=self.numbers,
            dw=wiring.dparameter("w").reshape(-1),
            db=wiring.dparameter("b").reshape(-1),
            accumulate=wiring.accumulate,
            turned_dx=self.turned_dx,
            dx=self.dx,
        )
        return [call]
