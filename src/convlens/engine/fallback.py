"""The kernels of ops that have none of their own: they call the interpreter's functions, one node at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from ..program import Node
from ..typing import Array, Float32
from .interpreter import OPS, Context
from .kernel import Barrier, Kernel


class FallbackKernel(Kernel):
    """Runs a node through `convlens.ops`, allocating as those functions do."""

    def forward(self) -> None:
        y, self.saved = _forward(self, self.wiring.inputs, self.wiring.drawn)
        np.copyto(self.wiring.output, y)

    def backward(self) -> None:
        wiring = self.wiring
        assert wiring.doutput is not None, "a plan for prediction has no backward pass"
        dinputs, dparameters = OPS[wiring.node.op].backward(wiring.node, wiring.doutput, self.saved)
        _copy_where_wanted(dinputs, wiring.dinputs)
        _write_share(self, dparameters)


class FallbackBarrier(Barrier):
    """Runs a node that couples the images of a batch through `convlens.ops`, on the whole batch, between two segments.

    Its micro-batches measure nothing. `merge` concatenates their images and runs the op; `forward` copies this
    micro-batch's rows of the result. Backward likewise.
    """

    y: Float32  # this micro-batch's rows
    dinputs: list[Float32]
    saved: Any  # for the whole batch; set on the first micro-batch only

    def forward(self) -> None:
        if self.wiring.doutput is None:  # prediction: image by image
            self.y, _ = _forward(self, self.wiring.inputs, self.wiring.drawn)
        np.copyto(self.wiring.output, self.y)

    @staticmethod
    def merge(kernels: Sequence[FallbackBarrier], buffers: Array) -> None:
        del buffers  # the wiring has them
        inputs = tuple(map(np.concatenate, zip(*[kernel.wiring.inputs for kernel in kernels], strict=True)))
        drawn = [kernel.wiring.drawn for kernel in kernels if kernel.wiring.drawn is not None]
        y, kernels[0].saved = _forward(kernels[0], inputs, np.concatenate(drawn) if drawn else None)
        for kernel, rows in zip(kernels, _rows(kernels), strict=True):
            kernel.y = y[rows]

    @staticmethod
    def merge_back(kernels: Sequence[FallbackBarrier]) -> None:
        first = kernels[0]
        dy = np.concatenate([kernel.wiring.doutput for kernel in kernels if kernel.wiring.doutput is not None])
        dinputs, dparameters = OPS[first.wiring.node.op].backward(first.wiring.node, dy, first.saved)
        # the lane of the first micro-batch takes the whole batch's gradient; the others add nothing to it
        nothing = {key: np.zeros_like(value) for key, value in dparameters.items()}
        for kernel, rows in zip(kernels, _rows(kernels), strict=True):
            kernel.dinputs = [dinput[rows] for dinput in dinputs]
            _write_share(kernel, dparameters if kernel is first else nothing)

    def backward(self) -> None:
        _copy_where_wanted(self.dinputs, self.wiring.dinputs)


def kernel_of(node: Node) -> type[Kernel]:
    """Return the kernel class for a node whose op has no kernel of its own."""
    return FallbackBarrier if OPS[node.op].couples else FallbackKernel


def _forward(kernel: Kernel, inputs: tuple[Float32, ...], drawn: Float32 | None) -> tuple[Float32, Any]:
    """Run the node's op on these inputs, in training mode if the plan is for training."""
    wiring = kernel.wiring
    views = {key: wiring.parameter(key) for key in wiring.node.parameters}
    training = wiring.doutput is not None
    everything = ({} if drawn is None else {wiring.node.name: drawn}) if training else None
    return OPS[wiring.node.op].forward(wiring.node, inputs, views, Context(wiring.buffers, everything))


def _rows(kernels: Sequence[Kernel]) -> list[slice]:
    """Return the rows of the batch that belong to each micro-batch."""
    ends = [*accumulate((len(kernel.wiring.output) for kernel in kernels), initial=0)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _copy_where_wanted(dinputs: Sequence[Float32], wanted: Sequence[Float32 | None]) -> None:
    for into, dinput in zip(wanted, dinputs, strict=True):
        if into is not None:
            np.copyto(into, dinput)


def _write_share(kernel: Kernel, dparameters: Mapping[str, Float32]) -> None:
    """Write, or add, a micro-batch's part of its lane's gradient."""
    for key, dparameter in dparameters.items():
        into = kernel.wiring.dparameter(key)
        if kernel.wiring.accumulate:
            np.add(into, dparameter, out=into)
        else:
            np.copyto(into, dparameter)
