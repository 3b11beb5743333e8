"""The convolution kernel, alone or fused with the max-pooling that follows.

Forward, the patches of all outputs are copied into one matrix and multiplied by the kernels. Its rows are ordered by
*phase*: with a 2x2 pool, first all outputs in the top left corner of their pooling window, then all in the top
right, and so on. The product is then four contiguous planes, and pooling is a maximum over them. Without pooling
there is one phase.

Backward, the derivative of the input is itself a convolution: of the output's derivative (spread out by the stride,
with a border of zeros) with the kernels rotated by 180 degrees. So it is again a copy of patches and one matrix
product; nothing is scattered. After the forward pass the planes that held the outputs hold the pooling masks, and in
the backward pass the outputs' derivatives.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ...ops.window import Pair, Window
from ...typing import Array, Float32
from ..arena import Arena, bits, sign_mask
from ..kernel import Kernel, Wiring
from .products import as_rows, block_rows, blocks

NARROW = 16  # floats: if rows of a patch are shorter, rows of the image are copied instead (`Patches`)
SMALLEST_WEIGHT_BLOCK = 128  # rows: below that, adding up the blocks' parts costs more than packing


class ConvKernel(Kernel):
    """Nodes ``conv2d`` and ``conv2d_max_pool2d``."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.window: Window = wiring.node.window
        self.pool: Pair = wiring.node.attributes.get("pool", (1, 1))
        self.n = len(wiring.output)
        self.size: Pair = wiring.node.input_shapes[0][0], wiring.node.input_shapes[0][1]
        self.kernels = wiring.parameter("w").reshape(-1, wiring.node.parameters["w"].shape[3])
        self.ones = np.ones(wiring.output[..., 0].size, np.float32)

    def keep(self, arena: Arena) -> None:
        x, (h, w, filters) = self.wiring.inputs[0], self.wiring.output.shape[1:]
        self.padded = self._take_padded(arena) if self.window.is_padded else x
        self.patches = Patches(arena, self.padded, self.window.kernel, self.window.stride, self.pool, (h, w))
        self.planes = arena.take((self.pool[0] * self.pool[1], self.n, h, w, filters))

    def _take_padded(self, arena: Arena) -> Float32:
        channels = self.wiring.inputs[0].shape[3]
        return arena.take((self.n, *self.window.padded_size(*self.size), channels))

    def scratch(self, arena: Arena) -> None:
        self.difference = arena.take(self.wiring.output.shape)
        if self.wiring.gradient is not None:
            self._scratch_dw(arena)
        if self.wiring.dinputs[0] is not None:
            self._scratch_dx(arena, self.wiring.dinputs[0])

    def _scratch_dw(self, arena: Arena) -> None:
        rows, planes = self.patches.rows, as_rows(self.planes)
        block = block_rows(len(rows), *self.kernels.shape, SMALLEST_WEIGHT_BLOCK)
        self.dw_factors = blocks(rows, block).transpose(0, 2, 1), blocks(planes, block)
        self.dw_parts = arena.take((len(rows) // block, *self.kernels.shape))
        self.dw = arena.take(self.kernels.shape)
        self.db = arena.take(self.kernels.shape[1:])

    def _scratch_dx(self, arena: Arena, dx: Float32) -> None:
        """Prepare the convolution that computes dx or, where padding reflects, the derivative of the padded image."""
        (kh, kw), (sh, sw) = self.window.kernel, self.window.stride
        reflects = self.window.is_padded and self.window.mode == "reflect"
        self.dpadded = self._take_padded(arena) if reflects else dx
        top, left = (0, 0) if reflects else (self.window.rows[0], self.window.columns[0])
        height, width = self.dpadded.shape[1:3]
        filters, (h, w) = self.kernels.shape[1], self.wiring.output.shape[1:3]
        self.spread = arena.take((self.n, height + kh - 1, width + kw - 1, filters))
        ph, pw = self.pool
        self.spread_planes = [
            self.spread[:, row : row + sh * ph * h : sh * ph, column : column + sw * pw * w : sw * pw]
            for row in (kh - 1 - top + sh * i for i in range(ph))
            for column in (kw - 1 - left + sw * j for j in range(pw))
        ]
        self.spread_patches = Patches(arena, self.spread, (kh, kw), (1, 1), (1, 1), (height, width))
        self.turned = self.wiring.memory("turned", (kh, kw, filters, dx.shape[3]))

    def prepare(self) -> None:
        if self.wiring.dinputs[0] is not None:
            np.copyto(self.turned, self.wiring.parameter("w")[::-1, ::-1].transpose(0, 1, 3, 2))

    def forward(self) -> None:
        if self.window.is_padded:
            pad_into(self.padded, self.wiring.inputs[0], self.window)
        self.patches.gather()
        self.patches.multiply(self.kernels, as_rows(self.planes))
        best = self.planes[0]
        for plane in self.planes[1:]:
            np.subtract(best, plane, out=self.difference)
            np.maximum(best, plane, out=best)
            sign_mask(self.difference, out=plane)  # all ones where this phase wins: it is strictly greater
        # a constant commutes with the maximum, so the bias is added once for each window
        np.add(best, self.wiring.parameter("b"), out=self.wiring.output)

    def backward(self) -> None:
        dy = self.wiring.doutput
        assert dy is not None, "a plan for prediction has no backward pass"
        flow = self.planes[0]
        np.copyto(flow, dy)
        for plane in self.planes[:0:-1]:
            np.bitwise_and(bits(flow), bits(plane), out=bits(plane))  # the derivatives that go to this phase ...
            np.bitwise_xor(bits(flow), bits(plane), out=bits(flow))  # ... and the rest, for the phases before it
        self._weights(dy)
        if self.wiring.dinputs[0] is not None:
            self._inputs(self.wiring.dinputs[0])

    def _weights(self, dy: Float32) -> None:
        """Add this micro-batch's share to the gradients of kernels and biases, or write it if it is the first."""
        dw, db = self.wiring.dparameter("w").reshape(self.kernels.shape), self.wiring.dparameter("b")
        add = self.wiring.accumulate
        np.matmul(*self.dw_factors, out=self.dw_parts)
        np.add.reduce(self.dw_parts, axis=0, out=self.dw if add else dw)
        np.matmul(self.ones, as_rows(dy), out=self.db if add else db)  # a sum over rows, several times as fast
        if add:
            np.add(dw, self.dw, out=dw)
            np.add(db, self.db, out=db)

    def _inputs(self, dx: Float32) -> None:
        self.spread.fill(0)
        for plane, place in zip(self.planes, self.spread_planes, strict=True):
            np.copyto(place, plane)
        self.spread_patches.gather()
        self.spread_patches.multiply(as_rows(self.turned), as_rows(self.dpadded))
        if self.dpadded is not dx:
            np.copyto(dx, self.window.unpad(self.dpadded, *self.size))


class Patches:
    """The patches of an image (n, H, W, C) as a matrix `rows`: (PH*PW*n*h*w, KH*KW*C), rows ordered by phase.

    Where rows of a patch are long runs of memory, a patch is stored as one row. Where they are short (the first
    layer has one channel), the matrix is stored transposed, so that each copy moves a row of the image instead.
    """

    def __init__(self, arena: Arena, image: Float32, kernel: Pair, stride: Pair, pool: Pair, output: Pair) -> None:
        (kh, kw), (sh, sw), (ph, pw), (h, w) = kernel, stride, pool, output
        n, _, _, channels = image.shape
        by_image, by_row, by_column, by_channel = image.strides
        places = (ph, pw, n, h, w)
        steps = (sh * by_row, sw * by_column, by_image, ph * sh * by_row, pw * sw * by_column)
        narrow = kw * channels < NARROW
        if narrow:
            seen, within = (kh, kw, channels), (by_row, by_column, by_channel)
            self.target = arena.take((*seen, *places))
            self.source = as_strided(image, (*seen, *places), (*within, *steps), writeable=False)
            self.rows: Array = self.target.reshape(kh * kw * channels, -1).T
        else:  # neighbouring pixels are neighbours in memory, so a row of a patch is one run of KW*C values
            self.target = arena.take((*places, kh, kw * channels))
            self.source = as_strided(image, self.target.shape, (*steps, by_row, by_channel), writeable=False)
            self.rows = self.target.reshape(-1, kh * kw * channels)

    def gather(self) -> None:
        """Copy the patches out of the image."""
        np.copyto(self.target, self.source)

    def multiply(self, weights: Array, out: Array) -> None:
        """Write rows @ weights to `out`."""
        block = block_rows(len(self.rows), *weights.shape)
        np.matmul(blocks(self.rows, block), weights, out=blocks(out, block))


def pad_into(padded: Float32, x: Float32, window: Window) -> None:
    """Write x and its padding into an array, overwriting all of it."""
    (top, bottom), (left, right) = window.rows, window.columns
    height, width = x.shape[1:3]
    rows, columns = slice(top, top + height), slice(left, left + width)
    padded[:, rows, columns] = x
    if window.mode == "zeros":
        padded[:, :top] = 0
        padded[:, top + height :] = 0
        padded[:, rows, :left] = 0
        padded[:, rows, left + width :] = 0
        return
    for i in range(1, top + 1):
        padded[:, top - i, columns] = x[:, i]
    for i in range(1, bottom + 1):
        padded[:, top + height - 1 + i, columns] = x[:, height - 1 - i]
    for j in range(1, left + 1):
        padded[:, :, left - j] = padded[:, :, left + j]
    for j in range(1, right + 1):
        padded[:, :, left + width - 1 + j] = padded[:, :, left + width - 1 - j]
