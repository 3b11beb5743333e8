"""Optimiser updates as scripts: bound to their arrays once, with settings that change from step to step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...elementary import power
from ...fast import update
from ...fast.script import Script
from ..kernel import Step
from ..updates import Update
from .base import NONE


def _sgd(rate: float, momentum: float = 0.0, nesterov: float = 0) -> tuple[float, ...]:
    return rate, momentum, float(nesterov)


def _adam(
    rate: float,
    step: int,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    decoupled: float = 0,
) -> tuple[float, ...]:
    correction = math.sqrt(1 - power(beta2, step))
    length = rate * correction / (1 - power(beta1, step))
    return beta1, 1 - beta1, beta2, 1 - beta2, epsilon * correction, length, rate if decoupled else 0.0


def _average(decay: float, step: int) -> tuple[float, ...]:
    return ((1 - decay) / (1 - power(decay, step)),)


# for each update: the compiled function, its arrays in order, and the function that turns settings into numbers
_UPDATES: dict[str, tuple[Any, tuple[str, ...], Callable[..., tuple[float, ...]]]] = {
    "sgd": (update.sgd, ("p", "g", "velocity", "decay"), _sgd),
    "adam": (update.adam, ("p", "g", "m", "v", "decay"), _adam),
    "average": (update.average, ("mean", "p"), _average),
}


class CompiledUpdate:
    """See `convlens.engine.updates.BoundUpdate`."""

    def __init__(self, change: Update, parts: Sequence[Sequence[slice]]) -> None:
        function, names, self._numbers = _UPDATES[change.name]
        given = [change.arrays.get(name) for name in names]
        arrays = [NONE if array is None else array for array in given]
        self._settings = np.zeros(len(self._numbers(**change.settings)), np.float32)
        ranges = [np.array([(part.start, part.stop) for part in mine], np.int32).reshape(-1) for mine in parts]
        self.tasks: Sequence[Step] = [Script([function(*arrays, mine, self._settings)]) for mine in ranges if mine.size]

    def set(self, settings: Mapping[str, float]) -> None:
        """Take the settings for the next time that the tasks run."""
        self._settings[:] = self._numbers(**settings)
