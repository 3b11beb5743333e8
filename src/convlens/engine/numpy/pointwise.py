"""Kernels of pointwise ops, in place where possible."""

from __future__ import annotations

import numpy as np

from ...typing import Float32
from ..arena import Arena, bits, sign_mask
from ..kernel import Kernel, Stage, Step


class ReluKernel(Kernel):
    """max(x, 0), written over x, and over dy backwards."""

    in_place = True
    uses_blas = False
    needs_output = True

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


class TanhKernel(Kernel):
    """tanh(x), written over x; dx = dy * (1 - y**2), written over dy."""

    in_place = True
    uses_blas = False
    needs_output = True

    def scratch(self, arena: Arena) -> None:
        if self.wiring.doutput is not None:
            self.slope = arena.take(self.wiring.output.shape)

    def forward(self) -> None:
        np.tanh(self.wiring.inputs[0], out=self.wiring.output)

    def backward(self) -> None:
        dx, dy, y = self.wiring.dinputs[0], self.wiring.doutput, self.wiring.output
        if dx is None or dy is None:
            return
        np.multiply(y, y, out=self.slope)
        np.subtract(np.float32(1), self.slope, out=self.slope)
        np.multiply(dy, self.slope, out=dx)


class AddKernel(Kernel):
    """The sum of two values; each gets the whole derivative."""

    uses_blas = False

    def forward(self) -> None:
        np.add(self.wiring.inputs[0], self.wiring.inputs[1], out=self.wiring.output)

    def backward(self) -> None:
        dy = self.wiring.doutput
        for dx in self.wiring.dinputs:
            if dx is not None and dy is not None:
                np.copyto(dx, dy)


class ReshapeKernel(Kernel):
    """The same memory in another shape; copies only where memory cannot be shared."""

    in_place = True
    uses_blas = False

    def forward(self) -> None:
        x, y = self.wiring.inputs[0], self.wiring.output
        if not np.shares_memory(x, y):
            np.copyto(y, x.reshape(y.shape))

    def backward(self) -> None:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is not None and dy is not None and not np.shares_memory(dx, dy):
            np.copyto(dx, dy.reshape(dx.shape))

    def steps(self, stage: Stage) -> list[Step]:
        into: Float32 | None = self.wiring.output
        of: Float32 | None = self.wiring.inputs[0]
        if stage == "backward":
            into, of = self.wiring.doutput, self.wiring.dinputs[0]
        return [] if into is None or of is None or np.shares_memory(into, of) else super().steps(stage)
