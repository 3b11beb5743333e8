"""The base of compiled kernels, whose work is calls of `convlens.fast`, bound to their arrays."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ...fast.script import Call
from ..kernel import Kernel, Stage, Step

NONE = np.zeros(0, np.float32)


class CompiledKernel(Kernel):
    """A kernel whose stages are calls, so that a plan can join many of them into one script."""

    uses_blas = False

    def prepare_calls(self) -> list[Call]:
        """Return the calls that depend on the parameters alone, made once per thread and step."""
        return []

    @abstractmethod
    def forward_calls(self) -> list[Call]:
        """Return the calls that compute the output."""

    @abstractmethod
    def backward_calls(self) -> list[Call]:
        """Return the calls that compute the derivatives."""

    def steps(self, stage: Stage) -> list[Step]:
        calls = {"prepare": self.prepare_calls, "forward": self.forward_calls, "backward": self.backward_calls}
        return [*calls[stage]()]

    def forward(self) -> None:
        for call in self.forward_calls():
            call()

    def backward(self) -> None:
        for call in self.backward_calls():
            call()
