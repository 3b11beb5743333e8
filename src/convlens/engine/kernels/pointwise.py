"""Kernels that work on each value alone, in place where they can."""

from __future__ import annotations

import numpy as np

from ..arena import Arena, bits, sign_mask
from .base import Kernel


class ReluKernel(Kernel):
    """max(x, 0), written over x, and over dy backwards."""

    in_place = True

    def scratch(self, arena: Arena) -> None:
        if self.wiring.doutput is not None:
            self.mask = arena.take(self.wiring.output.shape)

    def forward(self) -> None:
        np.maximum(self.wiring.inputs[0], np.float32(0), out=self.wiring.output)

    def backward(self) -> None:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is None or dy is None:
            return
        # 0 - y has its sign bit exactly where y > 0 (y is never negative, and 0 - 0 is +0)
        np.subtract(np.float32(0), self.wiring.output, out=self.mask)
        sign_mask(self.mask, out=self.mask)
        np.bitwise_and(bits(dy), bits(self.mask), out=bits(dx))


class FlattenKernel(Kernel):
    """The same memory under another shape; copies only where memory could not be shared."""

    in_place = True

    def forward(self) -> None:
        x, y = self.wiring.inputs[0], self.wiring.output
        if not np.shares_memory(x, y):
            np.copyto(y, x.reshape(y.shape))

    def backward(self) -> None:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is not None and dy is not None and not np.shares_memory(dx, dy):
            np.copyto(dx, dy.reshape(dx.shape))
