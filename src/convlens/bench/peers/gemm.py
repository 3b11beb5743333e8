"""A yardstick, not a peer: float32 matrix products, the fastest work of this machine's BLAS."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from ..cells import Cell

SIZE = 1024
FLOPS = 2 * SIZE**3  # per call


class Gemm:
    """Multiplies two square matrices, for either work."""

    def __init__(self, cell: Cell) -> None:
        rng = np.random.default_rng(0)
        self.limit = threadpool_limits(cell.threads)
        self.a, self.b = (rng.standard_normal((SIZE, SIZE), np.float32) for _ in range(2))
        self.out = np.empty_like(self.a)

    def train(self) -> None:
        np.matmul(self.a, self.b, out=self.out)

    predict = train
