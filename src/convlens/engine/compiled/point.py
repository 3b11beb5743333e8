"""The compiled kernels of ReLU, tanh, dropout and sums."""

from __future__ import annotations

import numpy as np

from ...fast import point
from ...fast.script import Call
from ...typing import Float32
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


class CompiledDropoutKernel(CompiledKernel):
    """x * mask, written over x, and dy * mask over dy; in prediction, x."""

    in_place = True

    def forward_calls(self) -> list[Call]:
        return self._multiply(self.wiring.inputs[0], self.wiring.output)

    def backward_calls(self) -> list[Call]:
        dx, dy = self.wiring.dinputs[0], self.wiring.doutput
        return [] if dx is None or dy is None else self._multiply(dy, dx)

    def _multiply(self, x: Float32, y: Float32) -> list[Call]:
        mask = self.wiring.drawn
        if mask is not None:
            return [point.multiply(x.reshape(-1), mask.reshape(-1), y.reshape(-1))]
        return [] if np.shares_memory(x, y) else [point.copy(x.reshape(-1), y.reshape(-1))]


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
