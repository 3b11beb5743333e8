"""The compiled kernels of ReLU, tanh and sums.

Forward, NumPy's tanh is as fast as anything; its kernels of dropout and of reshaping are one pass over memory already.
"""

from __future__ import annotations

import numpy as np

from ...fast import point
from ..arena import Arena
from ..kernels.base import Kernel
from ..kernels.pointwise import ReluKernel, TanhKernel


class CompiledReluKernel(ReluKernel):
    """max(x, 0), written over x, and over dy backwards."""

    def scratch(self, arena: Arena) -> None:
        del arena  # no mask is needed

    def forward(self) -> None:
        point.relu(self.wiring.inputs[0].reshape(-1), self.wiring.output.reshape(-1))

    def backward(self) -> None:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is not None and dy is not None:
            point.relu_back(dy.reshape(-1), self.wiring.output.reshape(-1), dx.reshape(-1))


class CompiledTanhKernel(TanhKernel):
    """tanh(x), written over x; dx = dy * (1 - y**2), written over dy."""

    def scratch(self, arena: Arena) -> None:
        del arena  # the slope is in no array

    def backward(self) -> None:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is not None and dy is not None:
            point.tanh_back(dy.reshape(-1), self.wiring.output.reshape(-1), dx.reshape(-1))


class CompiledAddKernel(Kernel):
    """The sum of two values, rectified or not; each gets the whole derivative."""

    needs_output = True

    def forward(self) -> None:
        one, other = (x.reshape(-1) for x in self.wiring.inputs)
        point.add(one, other, bool(self.wiring.node.attributes.get("relu", False)), self.wiring.output.reshape(-1))

    def backward(self) -> None:
        dy = self.wiring.doutput
        for dx in self.wiring.dinputs:
            if dx is None or dy is None:
                continue
            if self.wiring.node.attributes.get("relu", False):
                point.relu_back(dy.reshape(-1), self.wiring.output.reshape(-1), dx.reshape(-1))
            else:
                np.copyto(dx, dy)
