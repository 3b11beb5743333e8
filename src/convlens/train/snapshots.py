"""Snapshots: the weights at chosen steps of a training, each saved as a model, to see what is learned when."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import artifact
from ..errors import ArtifactError, ConfigurationError
from ..files import make_folder, require_writable
from .hooks import Hook
from .training import Training


class Snapshots(Hook):
    """Saves the weights after some steps, as models that `convlens.load` reads.

    If the recipe averages the weights, the average is saved, as it is what validation measures. A file is written whole
    or not at all. A resumed training writes the remaining ones; one that is written again has the same bytes.

    Parameters
    ----------
    steps
        Numbers of steps, counted over all epochs; 0 is before the first.
    folder
        Where to write ``step-000000.safetensors``; created if it does not exist.

    Raises
    ------
    ConfigurationError
        If a step is not a whole number from 0 to the last step of the training, or if training resumes after a step
        whose snapshot does not exist.
    OutputError
        If they cannot be written there.
    """

    def __init__(self, steps: Iterable[int], folder: str | os.PathLike[str]) -> None:
        self.steps, self.folder = frozenset(map(_step, steps)), Path(folder)
        if not self.steps:
            raise ConfigurationError("snapshots need at least one step after which to be taken")

    @classmethod
    def wanted(cls, steps: Iterable[int], folder: str | os.PathLike[str] | None) -> list[Snapshots]:
        """Return the hooks for these arguments of `fit`: one, or none if there are no steps."""
        chosen = tuple(steps)
        if bool(chosen) != (folder is not None):
            raise ConfigurationError("snapshots need both: the steps (snapshots=) and a folder (snapshot_folder=)")
        return [] if folder is None else [cls(chosen, folder)]

    def path(self, step: int) -> Path:
        """Return the file of a step."""
        return self.folder / f"step-{step:06}.safetensors"

    def on_training_begin(self, training: Training) -> None:
        last, now = training.steps * training.recipe.epochs, training.steps_taken
        if max(self.steps) > last:
            raise ConfigurationError(f"no snapshot can be taken after step {max(self.steps)}: the last step is {last}")
        lacking = sorted(step for step in self.steps if step < now and not self._is_there(training, step))
        if lacking:
            raise ConfigurationError(
                f"training resumes after step {now}, and {self.path(lacking[0])} does not exist, or belongs to another "
                "training; leave out the earlier snapshots, or start again without resume"
            )
        make_folder(self.folder)
        require_writable(self.path(max(self.steps)))
        self._save(training)

    def on_step_end(self, training: Training) -> None:
        self._save(training)

    def _save(self, training: Training) -> None:
        step = training.steps_taken
        if step in self.steps:
            training.require_finite()
            with training.timed("snapshots"), training.state.averaged():
                training.model.save(self.path(step), training=_account(training, step))

    def _is_there(self, training: Training, step: int) -> bool:
        """Return whether the snapshot of a step exists and is this training's."""
        try:
            found = artifact.read(self.path(step), "model").header["training"]
            wanted = json.loads(json.dumps(_account(training, step)))  # lists for tuples, as in the file
            same = [found[key] == wanted[key] for key in ("recipe", "seed", "step")]
            return all(same) and found["data"]["sha256"] == wanted["data"]["sha256"]
        except (ArtifactError, KeyError, TypeError):
            return False


def _account(training: Training, step: int) -> dict[str, Any]:
    """Return what a snapshot says of its training."""
    return {**{key: training.configuration[key] for key in ("data", "recipe", "seed")}, "step": step}


def _step(number: object) -> int:
    try:
        step = operator.index(number)  # type: ignore[arg-type] # whatever it is: NumPy's whole numbers will do
    except TypeError:
        step = -1
    if step < 0 or isinstance(number, bool):
        raise ConfigurationError(f"snapshots are taken after whole numbers of steps, 0 or more, not {number!r}")
    return step
