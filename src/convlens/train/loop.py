"""The training loop: `fit` runs epochs, `run_epoch` runs steps; `Training.step` is one update of the weights."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..data import Dataset
from ..errors import OutputError, TrainingDiverged, TrainingInterrupted
from ..files import require_writable
from ..nn import Model
from ..nn.doubt import Doubt
from ..signals import StopRequest
from . import checkpoint as checkpoints
from .hooks import Hook
from .progress import TrainingProgress
from .recipes import Recipe
from .recipes import recipe as named_recipe
from .run import Run
from .snapshots import Snapshots
from .training import Training

CHECKPOINT_SECONDS = 60.0  # between checkpoints within an epoch


class Saver:
    """Writes the checkpoint of a training: at intervals, after every epoch, and when training ends early.

    With `on_interrupt_only`, the file is written only when training is interrupted or stopped, and, if possible, after
    the last epoch, so that the training is not lost if the result cannot be written.
    """

    def __init__(self, training: Training, path: Path | None, *, on_interrupt_only: bool = False) -> None:
        self.training, self.path, self._rare = training, path, on_interrupt_only
        self._last, self._closed = time.perf_counter(), False

    def save(self) -> None:
        """Write the checkpoint now."""
        if self.path is not None and not self._closed:
            with self.training.timed("checkpoint"):
                checkpoints.save(self.path, self.training.state, self.training.configuration)
            self._last = time.perf_counter()

    def after_step(self) -> None:
        """Write the checkpoint if the last one is older than `CHECKPOINT_SECONDS`."""
        if not self._rare and time.perf_counter() - self._last > CHECKPOINT_SECONDS:
            self.save()

    def after_epoch(self) -> None:
        """Write the checkpoint, unless it is for interrupts only and training is not finished."""
        if not self._rare:
            self.save()
        elif self.training.finished:
            with suppress(OutputError):  # the user did not name this file
                self.save()

    def stopped(self) -> None:
        """Write the position at which `Training.stop` ended training, and nothing after that: resuming starts there."""
        if self._rare:
            with suppress(OutputError):  # as after the last epoch
                self.save()
        else:
            self.save()
        self._closed = True

    def interrupted(self) -> TrainingInterrupted:
        """Write the checkpoint and return the error that says so."""
        progress, recipe = self.training.progress, self.training.recipe
        where = f"in epoch {progress.epoch + 1} of {recipe.epochs}, step {progress.step} of {self.training.steps}"
        if self.training.finished or self._closed:
            where = "after the last epoch, before the result was reported"
        if self.path is None:
            return TrainingInterrupted(f"stopped {where}; nothing is saved (name a checkpoint to be able to resume)")
        self.save()
        return TrainingInterrupted(f"stopped {where}; saved to {self.path}; resume from there")


def run_epoch(training: Training, saver: Saver, request: StopRequest) -> None:
    """Run the remaining steps of the current epoch, then finish it.

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C; the last step is whole and saved.
    """
    progress = training.progress
    for hook in training.hooks:
        hook.on_epoch_begin(training)
    batches = training.batches.epoch(progress.epoch, progress.step)
    while progress.step < training.steps and not training.stop_requested:
        with training.timed("train"):
            x, labels = next(batches)
        training.step(x, labels)
        if request.made:
            raise saver.interrupted()
        saver.after_step()
    if progress.step < training.steps:
        training.stopped = True
        saver.stopped()
    if progress.seen:  # zero if training was stopped before the first step
        row = training.finish_epoch()
        saver.after_epoch()
        for hook in training.hooks:
            hook.on_epoch_end(training, row)
    if request.made:
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
    doubt: bool = True,
    snapshots: Iterable[int] = (),
    snapshot_folder: str | os.PathLike[str] | None = None,
    progress: bool = True,
    hooks: Sequence[Hook] = (),
) -> Run:
    """Train a model.

    Parameters
    ----------
    model
        Trained in place, with its engine (see `Model.use`).
    dataset
        Validation is evaluated after every epoch; the test set once, at the very end.
    recipe
        A recipe, or the name of one (`convlens.train.RECIPES`).
    epochs
        Passes over the training images; if None, the recipe's.
    seed
        Of the order of the images, dropout and augmentation; if None, the model's.
    checkpoint
        File to save to during training.
    resume
        Continue from the checkpoint if there is one; the result has the same bits as without the interruption.
    checkpoint_on_interrupt_only
        Write the checkpoint only when training is interrupted or stopped, and after the last epoch.
    test
        Whether to read the test set; a search for settings must not.
    doubt
        Whether to find out at the end, on validation, how to recognise pictures unlike the training images, and keep
        it with the model (see `convlens.nn.doubt`); studies, which predict no pictures, save the time.
    snapshots
        Numbers of steps after which the weights are saved, counted over all epochs; 0 saves the initial weights.
    snapshot_folder
        Where they are saved, as models that `convlens.load` reads: ``step-000000.safetensors``. See `Snapshots`.
    progress
        Whether to show progress, on standard error or in the notebook. See `TrainingProgress`.
    hooks
        Called at every event of the training; any of them may end it with `Training.stop`. See `Hook`.

    Raises
    ------
    TrainingInterrupted
        After Ctrl-C (SIGINT, SIGTERM or SIGHUP), once the checkpoint is saved.
    TrainingDiverged
        If the loss is no longer finite; the last checkpoint is kept.
    ConfigurationError, ShapeError
        If model, data and recipe do not fit together, or the checkpoint belongs to another training.
    OutputError
        If the checkpoint or a snapshot cannot be written.
    """
    chosen = named_recipe(recipe) if isinstance(recipe, str) else recipe
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    own = [*Snapshots.wanted(snapshots, snapshot_folder), *([TrainingProgress()] if progress else [])]
    training = Training(model, dataset, chosen, model.seed if seed is None else seed, [*own, *hooks])
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None:
        require_writable(path)
        if resume and path.exists():
            checkpoints.restore(path, training.state, training.configuration)
    saver = Saver(training, path, on_interrupt_only=checkpoint_on_interrupt_only)
    with StopRequest() as request:
        _train(training, saver, request)
        if training.stop_requested and not training.finished:
            training.stopped = True
            saver.stopped()
        if chosen.patience is not None:
            training.state.restore_best()
            training.validation = None
        else:
            training.state.take_average()
        run = Run.of(training, test=test)
        if request.made:
            raise saver.interrupted()
    model.doubt = Doubt.of(model, dataset.train, dataset.validation) if doubt else None
    model.training = run.summary()
    return run


def _train(training: Training, saver: Saver, request: StopRequest) -> None:
    """Run epochs until training is finished or stopped."""
    # `step` detects and reports a loss that is not finite; NumPy's warnings would only come before that
    with np.errstate(all="ignore"), ExitStack() as ends:
        try:
            for hook in training.hooks:
                hook.on_training_begin(training)
                ends.callback(hook.on_training_end, training)
            while not training.finished and not training.stop_requested:
                run_epoch(training, saver, request)
        except TrainingDiverged as error:
            stands = f"; the last good checkpoint is {saver.path}" if saver.path and saver.path.exists() else ""
            raise TrainingDiverged(f"{error}{stands}") from error
