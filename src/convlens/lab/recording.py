"""A training as plain data, to be shown again without a server: its curves, filters and confusion matrices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import lens
from ..nn import Model
from ..train.hooks import Hook
from ..train.run import Run
from ..train.training import Training
from ..typing import FloatArray

STEPS_A_POINT = 12  # of the curves, which are means: three epochs of 844 steps have 211 points
DIGITS = 4  # significant ones of what is drawn only
_NONE: FloatArray = np.zeros(3)  # sums of loss, right images and images


class Recording(Hook):
    """Records one training: loss and accuracy all along, and at chosen steps the filters and what validation says.

    Loss and accuracy are those of the training batches, each with the weights before its step: means over
    `STEPS_A_POINT` steps, weighted by the number of images; the last point may have fewer steps.

    Parameters
    ----------
    steps
        Numbers of steps after which filters are recorded and validation is evaluated, counted over all epochs; 0 is
        before the first.
    """

    def __init__(self, steps: Iterable[int]) -> None:
        self.steps = frozenset(steps)
        self.points: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self._sums = _NONE  # of the steps since the last point
        self._seen = _NONE  # of the epoch under way, as the training counts them

    def on_training_begin(self, training: Training) -> None:
        self._look(training)

    def on_epoch_begin(self, training: Training) -> None:
        del training  # which counts anew in every epoch
        self._seen = _NONE

    def on_step_end(self, training: Training) -> None:
        progress = training.progress
        now = np.array([progress.loss_sum, progress.correct, progress.seen], np.float64)
        self._sums, self._seen = self._sums + now - self._seen, now
        loss, right, images = self._sums.tolist()
        taken = training.steps_taken
        if taken % STEPS_A_POINT == 0 or taken == training.steps * training.recipe.epochs:
            self.points.append({"step": taken, "loss": shortened(loss / images), "accuracy": shortened(right / images)})
            self._sums = _NONE
        self._look(training)

    def _look(self, training: Training) -> None:
        """Record the state after a chosen step."""
        if training.steps_taken not in self.steps:
            return
        found = training.evaluated(training.dataset.validation)
        self.states.append(
            {
                "step": training.steps_taken,
                "validation.loss": shortened(found.loss),
                "validation.accuracy": found.accuracy,
                "confusion": found.confusion.tolist(),
                "filters": first_filters(training.model),
            }
        )

    def to_dict(self, run: Run) -> dict[str, Any]:
        """Return what was recorded, with the result of the training, as plain data."""
        columns = ("step", "loss", "accuracy")
        return {
            "seed": run.seed,
            "curve": {name: [point[name] for point in self.points] for name in columns},
            "states": self.states,
            "epochs": [{name: value for name, value in row.items() if name != "seconds"} for row in run.history],
            "validation.accuracy": run.validation.accuracy,
            "test.accuracy": None if run.test is None else run.test.accuracy,
            "test.confusion": None if run.test is None else run.test.confusion.tolist(),
        }


def first_filters(model: Model) -> list[Any] | None:
    """Return the kernels (C_out, KH, KW, C_in) of the first convolution as lists; None if there is none."""
    for kernels in lens.filters(model).values():
        if kernels.ndim == 4:  # a locally connected layer has thousands
            rounded: list[Any] = np.reshape([shortened(one) for one in kernels.flat], kernels.shape).tolist()
            return rounded
        break
    return None


def shortened(value: float) -> float:
    """Round to a few significant digits."""
    return float(f"{value:.{DIGITS}g}")
