"""The kernel of every op that has none of its own: the interpreter's, one node at a time."""

from __future__ import annotations

import numpy as np

from .interpreter import OPS, Context
from .kernel import Kernel


class FallbackKernel(Kernel):
    """Runs a node through `convlens.ops`, allocating as that does."""

    def forward(self) -> None:
        wiring = self.wiring
        views = {key: wiring.parameter(key) for key in wiring.node.parameters}
        y, self.saved = OPS[wiring.node.op].forward(wiring.node, wiring.inputs, views, Context(wiring.buffers))
        np.copyto(wiring.output, y)

    def backward(self) -> None:
        wiring = self.wiring
        assert wiring.doutput is not None, "a plan for prediction has no backward pass"
        dinputs, dparameters = OPS[wiring.node.op].backward(wiring.node, wiring.doutput, self.saved)
        for into, dinput in zip(wiring.dinputs, dinputs, strict=True):
            if into is not None:
                np.copyto(into, dinput)
        for key, dparameter in dparameters.items():
            into = wiring.dparameter(key)
            if wiring.accumulate:
                np.add(into, dparameter, out=into)
            else:
                np.copyto(into, dparameter)
