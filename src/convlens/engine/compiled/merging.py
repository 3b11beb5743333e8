"""Merging what the micro-batches of a batch normalisation have measured: threads wait for it at every barrier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ...fast import merging
from ...fast.script import Script
from ...typing import Array, Float32
from ..interpreter import keep_running


class Merging:
    """The barrier of one batch normalisation, in which all its kernels meet, in the order of the images.

    It does what `convlens.engine.numpy.norm.BatchNormKernel` does to merge, in a few calls whatever their number.
    """

    def __init__(self, kernels: Sequence[Any]) -> None:
        wiring, counts = kernels[0].wiring, [len(kernel.x) for kernel in kernels]
        self._node, self._epsilon, self._count = wiring.node, kernels[0].epsilon, sum(counts)
        self._gamma, channels = wiring.parameter("gamma"), len(kernels[0].mean)
        self._statistics, self._sums = np.zeros((2, channels)), np.zeros((2, channels))
        terms = np.zeros((5, channels), np.float32)
        self._mean, self._inverse, self._scale, self._slope, self._level = terms
        before = accumulate(counts, initial=0)
        self._add_statistics = Script(
            [
                merging.add_statistics(kernel.shift, kernel.mean, kernel.squares, count, more, *self._statistics)
                for kernel, count, more in zip(kernels, before, counts, strict=False)
            ]
        )
        self._add_sums = Script(
            [merging.add_sums(kernel.dgamma, kernel.dbeta, kernel is kernels[0], *self._sums) for kernel in kernels]
        )
        mean, inverse, scale, beta = self._mean, self._inverse, self._scale, wiring.parameter("beta")
        self._hand_out = _repeat(
            pair
            for one in kernels
            for pair in (
                *((mean, one.middle), (scale, one.scale), (beta, one.level)),
                *((mean, one.means_y), (inverse, one.inverses_y)),
            )
        )
        self._hand_back = _repeat(
            pair for one in kernels for pair in ((self._slope, one.slope), (self._level, one.level))
        )

    def forward(self, buffers: Array) -> None:
        """Hand out the statistics of the whole batch, and update the running ones."""
        self._add_statistics()
        mean, squares = self._statistics
        variance = squares / self._count
        keep_running(self._node, buffers, mean, variance, self._count)
        self._mean[...], self._inverse[...] = mean, 1 / np.sqrt(variance + self._epsilon)
        np.multiply(self._gamma, self._inverse, out=self._scale)
        self._hand_out()

    def backward(self) -> None:
        """Hand out the terms of the derivative that depend on the whole batch."""
        self._add_sums()
        dgamma, dbeta = (self._sums / self._count).astype(np.float32)
        self._slope[...], self._level[...] = -self._scale * self._inverse * dgamma, -self._scale * dbeta
        self._hand_back()


def _repeat(pairs: Iterable[tuple[Float32, Float32]]) -> Script:
    """Return the script that writes the first array of each pair to the second, over and over."""
    return Script([merging.repeat(values, into) for values, into in pairs])
