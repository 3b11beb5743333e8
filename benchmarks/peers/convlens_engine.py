"""convlens itself."""

from __future__ import annotations

from itertools import cycle

import convlens as cl
from convlens.program import aligned_zeros

from .work import batches


class NumpyPlan:
    """The NumPy plan."""

    name = "convlens-numpy"
    engine = "numpy"

    def __init__(self, batch: int, kernel_size: int, threads: int) -> None:
        self.model = cl.models.build("cnn", kernel_size=kernel_size).use(self.engine, threads)
        self.optimizer = cl.optim.Adam()
        self.state = self.optimizer.start(self.model.program, self.model.flat)
        self.gradient = aligned_zeros(self.model.flat.size)
        self.data = cycle(batches(batch))

    def train(self) -> None:
        x, labels = next(self.data)
        self.model.engine.gradient(x, labels, self.gradient)
        self.optimizer.step(self.model.engine, self.gradient, self.state, 1e-3)

    def predict(self) -> None:
        self.model.engine.logits(next(self.data)[0])


class NumbaPlan(NumpyPlan):
    """The compiled plan."""

    name = "convlens-numba"
    engine = "numba"
