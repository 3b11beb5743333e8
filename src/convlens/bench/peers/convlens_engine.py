"""convlens itself."""

from __future__ import annotations

from itertools import cycle
from typing import ClassVar

from ... import optim
from ...program import aligned_zeros
from ...typing import FloatArray
from ..cells import Cell
from . import work


class NumpyPeer:
    """The NumPy engine."""

    engine: ClassVar[str] = "numpy"

    def __init__(self, cell: Cell) -> None:
        self.model = work.model(cell).use(self.engine, cell.threads)
        self.optimizer = optim.Adam()
        self.state = self.optimizer.start(self.model.program, self.model.flat)
        self.gradient = aligned_zeros(self.model.flat.size)
        self.data = cycle(work.batches(cell.batch))

    def train(self) -> None:
        x, labels = next(self.data)
        self.model.engine.gradient(x, labels, self.gradient)
        self.optimizer.step(self.model.engine, self.gradient, self.state, work.RATE)

    def predict(self) -> None:
        self.model.engine.logits(next(self.data)[0])

    def logits(self, x: FloatArray) -> FloatArray:
        return self.model.engine.logits(x)


class NumbaPeer(NumpyPeer):
    """The compiled engine."""

    engine = "numba"
