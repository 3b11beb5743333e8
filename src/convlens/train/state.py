"""Everything that changes during training, in one place: what a checkpoint stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engine import Engine, Update
from ..optim import OptimizerState
from ..typing import Array


@dataclass
class Progress:
    """The position of training, and its results so far.

    `epoch` and `step` are those of the next step, both counted from 0; the sums are over the epoch under way.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    rate: float = 0.0  # learning rate of the last step
    best_epoch: int = -1
    best_accuracy: float = -1.0
    stopped: bool = False  # by the recipe's patience
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: {"train": 0.0, "validation": 0.0, "checkpoint": 0.0})
    images: int = 0  # trained on so far


@dataclass
class State:
    """Everything that changes during training."""

    progress: Progress
    parameters: Array
    buffers: Array
    best: Array
    best_buffers: Array
    optimizer: OptimizerState
    average: Array | None = None  # of the weights over the steps, if the recipe asks for it
    average_buffers: Array | None = None  # and of the running statistics

    def arrays(self) -> dict[str, Array]:
        """Return the arrays that a checkpoint stores."""
        kept = {f"optimizer.{name}": array for name, array in self.optimizer.arrays.items()}
        weights = {"parameters": self.parameters, "best": self.best}
        if self.buffers.size:
            weights |= {"buffers": self.buffers, "best_buffers": self.best_buffers}
        return {**weights, **self._averages(), **kept}

    def _averages(self) -> dict[str, Array]:
        if self.average is None or self.average_buffers is None:
            return {}
        return {"average": self.average} | ({"average_buffers": self.average_buffers} if self.buffers.size else {})

    def follow(self, engine: Engine, decay: float) -> None:
        """Move the average of the weights towards them, and that of the running statistics likewise."""
        mean, buffers, step = self.average, self.average_buffers, self.optimizer.step
        assert mean is not None
        assert buffers is not None
        settings = {"decay": decay, "step": step}
        engine.update(Update("average", {"mean": mean, "p": self.parameters}, settings))
        Update("average", {"mean": buffers, "p": self.buffers}, settings).run(slice(None))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Use the average in place of the weights inside the context, if there is one."""
        training = self.parameters.copy(), self.buffers.copy()
        self.take_average()
        try:
            yield
        finally:
            np.copyto(self.parameters, training[0])
            np.copyto(self.buffers, training[1])

    def take_average(self) -> None:
        """Copy the average into the weights, if there is one."""
        if self.average is not None and self.average_buffers is not None:
            np.copyto(self.parameters, self.average)
            np.copyto(self.buffers, self.average_buffers)

    def remember_best(self) -> None:
        """Store the current weights as the best so far."""
        np.copyto(self.best, self.parameters)
        np.copyto(self.best_buffers, self.buffers)

    def restore_best(self) -> None:
        """Return to the best weights."""
        np.copyto(self.parameters, self.best)
        np.copyto(self.buffers, self.best_buffers)
