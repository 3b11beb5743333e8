"""Compiled kernels: what they do is calls of `convlens.fast`, bound to their arrays."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ...fast.script import Call
from ..kernel import Kernel, Stage, Step

NONE = np.zeros(0, np.float32)


class CompiledKernel(Kernel):
    """A kernel whose stages are calls, so that a plan can run many of them at once."""

    uses_blas = False

    def prepare_calls(self) -> list[Call]:
        """Return what is done once a lane and step."""
        return []

    @abstractmethod
    def forward_calls(self) -> list[Call]:
        """Return what computes the output."""

    @abstractmethod
    def backward_calls(self) -> list[Call]:
        """Return what computes the derivatives."""

    def steps(self, stage: Stage) -> list[Step]:
        calls = {"prepare": self.prepare_calls, "forward": self.forward_calls, "backward": self.backward_calls}
        return [*calls[stage]()]

    def forward(self) -> None:
        for call in self.forward_calls():
            call()

    def backward(self) -> None:
        for call in self.backward_calls():
            call()
