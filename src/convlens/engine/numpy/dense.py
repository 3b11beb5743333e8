"""The dense kernel: one matrix product forward, one backward, and one per batch for the weights."""

from __future__ import annotations

import numpy as np

from ...typing import Array, Float32
from ..arena import Arena
from ..kernel import Kernel
from ..lanes import Share
from .products import block_rows, blocks


class DenseKernel(Kernel):
    """y = x w + b.

    The gradient of the weights, x^T dy, is as large as the weights for any number of images; so it is computed once per
    batch (`finish`), not summed over micro-batches and lanes.
    """

    whole_batch = True

    def scratch(self, arena: Arena) -> None:
        if self.wiring.dinputs[0] is not None:
            self.turned_dx = arena.take(self.wiring.dinputs[0].shape[::-1])

    def forward(self) -> None:
        x, w, y = self.wiring.inputs[0], self.wiring.parameter("w"), self.wiring.output
        block = block_rows(len(x), w.shape[0], w.shape[1], smallest=2)
        np.matmul(blocks(x, block), w, out=blocks(y, block))
        np.add(y, self.wiring.parameter("b"), out=y)

    def backward(self) -> None:
        dx, dy, w = self.wiring.dinputs[0], self.wiring.doutput, self.wiring.parameter("w")
        if dx is None or dy is None:
            return
        # dx = dy w^T, computed as dx^T = w dy^T: BLAS reads the large matrix in memory order, twice as fast
        block = block_rows(len(w), w.shape[1], len(dy))
        np.matmul(blocks(w, block), dy.T, out=blocks(self.turned_dx, block))
        np.copyto(dx, self.turned_dx.T)

    def finish(self, x: Float32, dy: Float32, gradient: Array, share: Share) -> None:
        parameters, rows = self.wiring.node.parameters, share.part(x.shape[1])
        part = x.T[rows]
        if part.size:
            block = block_rows(len(part), len(x), dy.shape[1])
            np.matmul(blocks(part, block), dy, out=blocks(parameters["w"].view(gradient)[rows], block))
        if share.number == 0:
            np.add.reduce(dy, axis=0, out=parameters["b"].view(gradient))
