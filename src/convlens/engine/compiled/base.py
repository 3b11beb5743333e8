"""The base of compiled kernels, whose work is calls of `convlens.fast`, bound to their arrays."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from ...fast.script import Call
from ..kernel import Kernel, Stage, Step
from ..lanes import Share

NONE = np.zeros(0, np.float32)
WORTH_SHARING = 100_000  # floating-point operations that are worth a meeting of threads


class CompiledKernel(Kernel):
    """A kernel whose stages are calls, so that a plan can join many of them into one script."""

    uses_blas = False

    def prepare_calls(self) -> list[Call]:
        """Return the calls that depend on the parameters alone, made once per thread and step."""
        return []

    @abstractmethod
    def forward_calls(self) -> list[Call]:
        """Return the calls that compute the output."""

    def calls_of_share(self, share: Share) -> list[Call]:
        """Return the calls that compute a share of the output; kernels that others share are bound to the same arrays.

        By default the first share is everything.
        """
        return self.forward_calls() if share.number == 0 else []

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
