"""The compiled kernels of ReLU, tanh and sums; NumPy's dropout and reshaping take only one pass over memory already."""

from __future__ import annotations

from ...fast import point
from ...fast.script import Call
from ..kernel import Wiring
from .base import CompiledKernel


class CompiledReluKernel(CompiledKernel):
    """max(x, 0), written over x, and over dy backwards."""

    in_place = True
    needs_output = True

    def forward_calls(self) -> list[Call]:
        return [point.relu(self.wiring.inputs[0].reshape(-1), self.wiring.output.reshape(-1))]

    def backward_calls(self) -> list[Call]:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is None or dy is None:
            return []
        return [point.relu_back(dy.reshape(-1), self.wiring.output.reshape(-1), dx.reshape(-1))]


class CompiledTanhKernel(CompiledKernel):
    """tanh(x), written over x; dx = dy * (1 - y**2), written over dy."""

    in_place = True
    needs_output = True

    def forward_calls(self) -> list[Call]:
        return [point.tanh(self.wiring.inputs[0].reshape(-1), self.wiring.output.reshape(-1))]

    def backward_calls(self) -> list[Call]:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        if dx is None or dy is None:
            return []
        return [point.tanh_back(dy.reshape(-1), self.wiring.output.reshape(-1), dx.reshape(-1))]


class CompiledAddKernel(CompiledKernel):
    """The sum of two values, rectified or not; each gets the whole derivative."""

    needs_output = True

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.relu, self.y = bool(wiring.node.attributes.get("relu", False)), wiring.output.reshape(-1)

    def forward_calls(self) -> list[Call]:
        one, other = (x.reshape(-1) for x in self.wiring.inputs)
        return [point.add(one, other, self.relu, self.y)]

    def backward_calls(self) -> list[Call]:
        dy = self.wiring.doutput
        assert dy is not None, "a plan for prediction has no backward pass"
        dxs = [dx.reshape(-1) for dx in self.wiring.dinputs if dx is not None]
        if self.relu:
            return [point.relu_back(dy.reshape(-1), self.y, dx) for dx in dxs]
        return [point.copy(dy.reshape(-1), dx) for dx in dxs]
