"""The compiled dense kernel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...fast import dense, point
from ...fast.product import WIDE
from ...fast.script import Call
from ...fast.vector import WIDTH
from ...typing import Array, Float32
from ..arena import Arena
from ..kernel import Step, Wiring
from ..lanes import Share
from .base import WORTH_SHARING, CompiledKernel


@lru_cache(maxsize=256)
def table(count: int, step: int = 1) -> Array:
    """Return `count` offsets that are `step` apart."""
    return np.arange(0, count * step, step, dtype=np.int32)


class CompiledDenseKernel(CompiledKernel):
    """y = x w + b, rectified or not; `convlens.engine.numpy.dense` says when the weights' gradient is computed."""

    whole_batch = True
    needs_output = True

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.relu = bool(wiring.node.attributes.get("relu", False))
        self.x, self.y = wiring.inputs[0].reshape(-1), wiring.output.reshape(-1)
        self.n, (self.d_in, self.d_out) = len(wiring.output), wiring.parameter("w").shape
        self.w, self.no_bias = wiring.parameter("w").reshape(-1), np.zeros(WIDE, np.float32)

    def scratch(self, arena: Arena) -> None:
        if self.wiring.dinputs[0] is not None:
            whole = -(-self.n // WIDTH) * WIDTH
            self.turned_dy, self.turned_dx = arena.take((self.d_out * whole,)), arena.take((self.d_in * whole,))

    def forward_calls(self) -> list[Call]:
        return [self._columns(slice(0, self.d_out))]

    def calls_of_share(self, share: Share) -> list[Call]:
        if self.n * self.wiring.node.flops < WORTH_SHARING:
            return super().calls_of_share(share)
        strips = share.part(-(-self.d_out // WIDTH))
        columns = slice(strips.start * WIDTH, min(strips.stop * WIDTH, self.d_out))
        return [self._columns(columns)] if columns.start < columns.stop else []

    def _columns(self, columns: slice) -> Call:
        """Return the call that computes some columns of y."""
        row, tap, strip = table(self.n, self.d_in), table(self.d_in), table(self.d_in, self.d_out)
        b, begin, end = self.wiring.parameter("b"), columns.start, columns.stop
        return dense.forward(self.x, self.w, b, row, tap, strip, self.n, self.d_out, begin, end, self.relu, self.y)

    def backward_calls(self) -> list[Call]:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        assert dy is not None, "a plan for prediction has no backward pass"
        calls = [point.relu_back(dy.reshape(-1), self.y, dy.reshape(-1))] if self.relu else []
        if dx is None:
            return calls
        row, tap = table(self.d_in, self.d_out), table(self.d_out)
        strip = table(self.d_out, len(self.turned_dy) // self.d_out)
        call = dense.backward(
            dy=dy.reshape(-1),
            w=self.w,
            row=row,
            tap=tap,
            strip=strip,
            no_bias=self.no_bias,
            n=self.n,
            d_in=self.d_in,
            d_out=self.d_out,
            turned_dy=self.turned_dy,
            turned_dx=self.turned_dx,
            dx=dx.reshape(-1),
        )
        return [*calls, call]

    def finishing(self, x: Float32, dy: Float32, gradient: Array, share: Share) -> list[Step]:
        n, flat_x, flat_dy, parameters = len(x), x.reshape(-1), dy.reshape(-1), self.wiring.node.parameters
        part = share.part(self.d_in)
        rows, dw = table(self.d_in)[part], parameters["w"].view(gradient)[part].reshape(-1)
        tables = rows, table(n, self.d_in), table(n, self.d_out)
        calls = [dense.weights(flat_x, flat_dy, *tables, self.no_bias, n, self.d_out, dw)] if len(rows) else []
        if share.number == 0:
            calls.append(dense.biases(flat_dy, n, self.d_out, parameters["b"].view(gradient)))
        return [*calls]
