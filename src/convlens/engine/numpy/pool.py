"""Pooling kernels: arithmetic over shifted views of the image, one for each position in the window."""

from __future__ import annotations

import numpy as np

from ...typing import Float32
from ..arena import Arena, bits, sign_mask
from ..kernel import Kernel, Wiring


def _views(image: Float32, wiring: Wiring) -> list[Float32]:
    """Return, for each position in the window in reading order, a view (n, H_out, W_out, C) of all windows' pixels."""
    (kh, kw), (sh, sw) = wiring.node.window.kernel, wiring.node.window.stride
    h_out, w_out = wiring.node.output_shape[:2]
    return [image[:, i : i + sh * h_out : sh, j : j + sw * w_out : sw] for i in range(kh) for j in range(kw)]


class MaxPoolKernel(Kernel):
    """Running maximum over the positions of the window; a later one wins only if it is strictly greater."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.x = _views(wiring.inputs[0], wiring)
        self.dx = None if wiring.dinputs[0] is None else _views(wiring.dinputs[0], wiring)

    def keep(self, arena: Arena) -> None:
        wanted = len(self.x) - 1 if self.dx is not None else 0
        self.won = [arena.take(self.wiring.output.shape) for _ in range(wanted)]

    def scratch(self, arena: Arena) -> None:
        self.flow = arena.take(self.wiring.output.shape)

    def forward(self) -> None:
        best = self.wiring.output
        np.copyto(best, self.x[0])
        for q, x in enumerate(self.x[1:]):
            if self.dx is not None:
                np.subtract(best, x, out=self.won[q])
                sign_mask(self.won[q], out=self.won[q])
            np.maximum(best, x, out=best)

    def backward(self) -> None:
        if self.dx is None or self.wiring.doutput is None or self.wiring.dinputs[0] is None:
            return
        self.wiring.dinputs[0].fill(0)
        np.copyto(self.flow, self.wiring.doutput)
        for q in range(len(self.won), 0, -1):
            won = self.won[q - 1]
            np.bitwise_and(bits(self.flow), bits(won), out=bits(won))  # the derivatives that go to position q ...
            np.bitwise_xor(bits(self.flow), bits(won), out=bits(self.flow))  # ... and the rest, for the others
            np.add(self.dx[q], won, out=self.dx[q])
        np.add(self.dx[0], self.flow, out=self.dx[0])


class AveragePoolKernel(Kernel):
    """Sum over the positions of the window, divided by their number."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.x = _views(wiring.inputs[0], wiring)
        self.dx = None if wiring.dinputs[0] is None else _views(wiring.dinputs[0], wiring)
        self.share = np.float32(1 / len(self.x))

    def scratch(self, arena: Arena) -> None:
        self.flow = arena.take(self.wiring.output.shape)

    def forward(self) -> None:
        total = self.wiring.output
        np.copyto(total, self.x[0])
        for x in self.x[1:]:
            np.add(total, x, out=total)
        np.multiply(total, self.share, out=total)

    def backward(self) -> None:
        if self.dx is None or self.wiring.doutput is None or self.wiring.dinputs[0] is None:
            return
        self.wiring.dinputs[0].fill(0)
        np.multiply(self.wiring.doutput, self.share, out=self.flow)
        for dx in self.dx:
            np.add(dx, self.flow, out=dx)
