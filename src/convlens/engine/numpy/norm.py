"""Kernels of layers that behave differently in training and in prediction: batch normalisation and dropout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...typing import Array
from ..arena import Arena
from ..interpreter import keep_running
from ..kernel import Barrier, Kernel, Wiring
from .products import as_rows


class DropoutKernel(Kernel):
    """Multiplies by the mask that was drawn for the whole batch; in prediction, copies."""

    in_place = True
    uses_blas = False

    def forward(self) -> None:
        x, y, mask = self.wiring.inputs[0], self.wiring.output, self.wiring.drawn
        if mask is not None:
            np.multiply(x, mask, out=y)
        elif not np.shares_memory(x, y):
            np.copyto(y, x)

    def backward(self) -> None:
        dx, dy, mask = self.wiring.dinputs[0], self.wiring.doutput, self.wiring.drawn
        if dx is not None and dy is not None and mask is not None:
            np.multiply(dy, mask, out=dx)


class BatchNormKernel(Barrier):
    """Normalises with the statistics of the whole batch, which all micro-batches measure first."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.x = as_rows(wiring.inputs[0])
        self.y = as_rows(wiring.output)
        self.dx = None if wiring.dinputs[0] is None else as_rows(wiring.dinputs[0])
        self.dy = None if wiring.doutput is None else as_rows(wiring.doutput)
        self.ones = np.ones(len(self.x), np.float32)
        self.epsilon = np.float32(wiring.node.attributes["epsilon"])

    def keep(self, arena: Arena) -> None:
        if self.dy is not None:
            self.x_hat = arena.take(self.x.shape)
            self.shift, self.mean, self.inverse, self.dgamma, self.dbeta, self.squares = (
                arena.take(self.x.shape[1:]) for _ in range(6)
            )

    def scratch(self, arena: Arena) -> None:
        if self.dy is not None:
            self.product = arena.take(self.x.shape)

    def measure(self) -> None:
        """Measure this micro-batch's mean, and its sum of squares about that mean.

        The mean is relative to a shift, the channel's first value: even where the mean is far above the deviation, the
        summands have the size of the deviation, and no digits are lost.
        """
        np.copyto(self.shift, self.x[0])
        np.subtract(self.x, self.shift, out=self.product)
        np.matmul(self.ones, self.product, out=self.mean)
        np.multiply(self.mean, np.float32(1 / len(self.x)), out=self.mean)
        np.subtract(self.product, self.mean, out=self.product)
        np.multiply(self.product, self.product, out=self.product)
        np.matmul(self.ones, self.product, out=self.squares)

    @staticmethod
    def merge(kernels: Sequence[BatchNormKernel], buffers: Array) -> None:
        """Combine the shares of all micro-batches, and update the running statistics.

        Two groups of a and b values together have the mean m_a + d b/(a+b) and the sum of squares S_a + S_b + d**2
        ab/(a+b), d = m_b - m_a. Source: Chan, Golub & LeVeque, 1979. Computed in float64: there are only a few numbers.
        """
        count = 0
        mean, squares = np.zeros((2, kernels[0].mean.size))
        for kernel in kernels:
            more = len(kernel.x)
            difference = kernel.shift.astype(np.float64) + kernel.mean - mean
            mean += difference * (more / (count + more))
            squares += kernel.squares + np.square(difference) * (count * more / (count + more))
            count += more
        variance = squares / count
        keep_running(kernels[0].wiring.node, buffers, mean, variance, count)
        inverse = 1 / np.sqrt(variance + kernels[0].epsilon)
        for kernel in kernels:
            kernel.mean[...], kernel.inverse[...] = mean, inverse

    def forward(self) -> None:
        gamma, beta = self.wiring.parameter("gamma"), self.wiring.parameter("beta")
        if self.dy is None:  # prediction: with the running statistics, as they are now
            scale = gamma / np.sqrt(self.wiring.buffer("variance") + self.epsilon)
            np.subtract(self.x, self.wiring.buffer("mean"), out=self.y)
            np.multiply(self.y, scale, out=self.y)
        else:
            np.subtract(self.x, self.mean, out=self.x_hat)
            np.multiply(self.x_hat, self.inverse, out=self.x_hat)
            np.multiply(self.x_hat, gamma, out=self.y)
        np.add(self.y, beta, out=self.y)

    def measure_back(self) -> None:
        """Measure this micro-batch's share of the gradients of scale and shift, and add it to the lane's."""
        assert self.dy is not None, "a plan for prediction has no backward pass"
        np.multiply(self.dy, self.x_hat, out=self.product)
        np.matmul(self.ones, self.product, out=self.dgamma)
        np.matmul(self.ones, self.dy, out=self.dbeta)
        for key, share in (("gamma", self.dgamma), ("beta", self.dbeta)):
            total = self.wiring.dparameter(key)
            if self.wiring.accumulate:
                np.add(total, share, out=total)
            else:
                np.copyto(total, share)

    @staticmethod
    def merge_back(kernels: Sequence[BatchNormKernel]) -> None:
        """Hand every kernel the means of dy * x_hat and of dy over the whole batch."""
        count = sum(len(kernel.x) for kernel in kernels)
        dgamma = sum((kernel.dgamma.astype(np.float64) for kernel in kernels), np.float64(0)) / count
        dbeta = sum((kernel.dbeta.astype(np.float64) for kernel in kernels), np.float64(0)) / count
        for kernel in kernels:
            kernel.dgamma[...], kernel.dbeta[...] = dgamma, dbeta

    def backward(self) -> None:
        if self.dx is None or self.dy is None:
            return
        np.multiply(self.x_hat, self.dgamma, out=self.product)
        np.subtract(self.dy, self.product, out=self.dx)
        np.subtract(self.dx, self.dbeta, out=self.dx)
        np.multiply(self.dx, self.wiring.parameter("gamma") * self.inverse, out=self.dx)
