"""The training loop: `fit` runs epochs, `run_epoch` runs steps, `step` is one update of the weights."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data import Dataset
from ..errors import OutputError, TrainingDiverged, TrainingInterrupted
from ..files import require_writable
from ..nn import Model
from . import checkpoint as checkpoints
from .hooks import Hook
from .interrupt import InterruptGuard
from .recipes import Recipe
from .recipes import recipe as named_recipe
from .run import Run
from .training import Training

CHECKPOINT_SECONDS = 60.0  # between checkpoints within an epoch


class Saver:
    """Writes the checkpoint of a training: now and then, at every epoch, and when training is interrupted.

    Where `on_interrupt_only` is set, the file is written in the last case alone, and after the last epoch if that can
    be, so that no failure to write the result costs the training.
    """

    def __init__(self, training: Training, path: Path | None, *, on_interrupt_only: bool = False) -> None:
        self.training, self.path, self._rare = training, path, on_interrupt_only
        self._last = time.perf_counter()

    def save(self) -> None:
        """Write the checkpoint now."""
        if self.path is not None:
            with self.training.timed("checkpoint"):
                checkpoints.save(self.path, self.training.state, self.training.configuration)
            self._last = time.perf_counter()

    def after_step(self) -> None:
        """Write it if the last one is old."""
        if not self._rare and time.perf_counter() - self._last > CHECKPOINT_SECONDS:
            self.save()

    def after_epoch(self) -> None:
        """Write it."""
        if not self._rare:
            self.save()
        elif self.training.finished:
            with suppress(OutputError):  # nobody asked for this file
                self.save()

    def interrupted(self) -> TrainingInterrupted:
        """Write it and return the error that says so."""
        progress, recipe = self.training.progress, self.training.recipe
        where = f"in epoch {progress.epoch + 1} of {recipe.epochs}, step {progress.step} of {self.training.steps}"
        if self.training.finished:
            where = "after the last epoch, before the result was reported"
        if self.path is None:
            return TrainingInterrupted(f"stopped {where}; nothing is saved (name a checkpoint to be able to go on)")
        self.save()
        return TrainingInterrupted(f"stopped {where}; saved to {self.path}; resume from there to go on")


def run_epoch(training: Training, saver: Saver, hooks: Sequence[Hook], guard: InterruptGuard) -> None:
    """Run the steps that are left of the present epoch, then finish it.

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C; the last step is whole and saved.
    """
    progress = training.progress
    batches = training.batches.epoch(progress.epoch, progress.step)
    while progress.step < training.steps:
        with training.timed("train"):
            batch = next(batches)
            training.step(batch.images, batch.labels)
        for hook in hooks:
            hook.on_step(training)
        if guard.requested:
            raise saver.interrupted()
        saver.after_step()
    row = training.finish_epoch()
    saver.after_epoch()
    for hook in hooks:
        hook.on_epoch(training, row)
    if guard.requested:
        raise saver.interrupted()


def fit(
    model: Model,
    dataset: Dataset,
    recipe: str | Recipe = "good",
    *,
    epochs: int | None = None,
    seed: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    checkpoint_on_interrupt_only: bool = False,
    test: bool = True,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Train a model.

    Parameters
    ----------
    model
        Trained in place, with the engine it has (see `Model.use`).
    dataset
        Validation is evaluated after every epoch; the test set once, at the very end.
    recipe
        A recipe, or the name of one (`convlens.train.RECIPES`).
    epochs
        Passes over the training images; where None, the recipe's.
    seed
        Of the order of the images; where None, the model's.
    checkpoint
        File to save to as training goes on.
    resume
        Go on from the checkpoint if there is one; the result has the same bits as without the interruption.
    checkpoint_on_interrupt_only
        Write the checkpoint only when Ctrl-C stops training, and after the last epoch.
    test
        Whether to read the test set at all; a search for settings must not.
    hooks
        Told of every step and epoch.

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C (SIGINT, SIGTERM or SIGHUP), once the checkpoint is saved.
    TrainingDiverged
        If the loss stops being a finite number; the last checkpoint stands.
    ConfigurationError, ShapeError
        If model, data and recipe do not fit together, or the checkpoint belongs to another training.
    OutputError
        If the checkpoint cannot be written.
    """
    chosen = named_recipe(recipe) if isinstance(recipe, str) else recipe
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    training = Training(model, dataset, chosen, model.seed if seed is None else seed)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None:
        require_writable(path)
        if resume and path.exists():
            checkpoints.restore(path, training.state, training.configuration)
    saver = Saver(training, path, on_interrupt_only=checkpoint_on_interrupt_only)
    with InterruptGuard() as guard:
        _train(training, saver, hooks, guard)
        if chosen.patience is not None:
            training.state.restore_best()
            training.validation = None
        else:
            training.state.take_average()
        run = Run.of(training, test=test)
        if guard.requested:
            raise saver.interrupted()
    model.training = run.summary()
    return run


def _train(training: Training, saver: Saver, hooks: Sequence[Hook], guard: InterruptGuard) -> None:
    """Run epochs until training is finished."""
    # a loss that overflows is found and named by `step`; NumPy's own warnings would only come before it
    with np.errstate(all="ignore"):
        try:
            for hook in hooks:
                hook.on_start(training)
            while not training.finished:
                run_epoch(training, saver, hooks, guard)
        except TrainingDiverged as error:
            stands = f"; the last good checkpoint is {saver.path}" if saver.path and saver.path.exists() else ""
            raise TrainingDiverged(f"{error}{stands}") from error
        finally:
            for hook in hooks:
                hook.on_end(training)
