"""The training loop: `fit` runs epochs, `run_epoch` runs steps; `Training.step` is one update of the weights."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import NoneType

import numpy as np

from ..data import Dataset
from ..errors import TrainingDiverged
from ..nn import Model
from ..nn.doubt import Doubt
from ..plain import require
from ..signals import StopRequest
from .hooks import Hook
from .progress import TrainingProgress
from .recipes import Recipe
from .recipes import recipe as named_recipe
from .run import Run
from .saver import Saver
from .snapshots import Snapshots
from .training import Training


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
    recipe: str | os.PathLike[str] | Recipe = "good",
    *,
    epochs: int | None = None,
    seed: int | None = None,
    checkpoint: str | os.PathLike[str] | Saver | None = None,
    resume: bool = False,
    checkpoint_on_interrupt_only: bool = False,
    test: bool = True,
    doubt: bool = True,
    snapshots: Iterable[int] = (),
    snapshot_folder: str | os.PathLike[str] | None = None,
    progress: bool = True,
    hooks: Iterable[Hook] = (),
) -> Run:
    """Train a model.

    Parameters
    ----------
    model
        Trained in place, with its engine (see `Model.use`).
    dataset
        Validation is evaluated after every epoch; the test set once, at the very end.
    recipe
        A recipe, the name of one (`convlens.train.RECIPES`), or the path of a TOML file that describes one.
    epochs
        Passes over the training images; if None, the recipe's.
    seed
        Of the order of the images, dropout and augmentation; if None, the model's.
    checkpoint
        File to save to during training; or a `Saver`, which knows afterwards where it has saved. A file that exists is
        only overwritten by a training that resumes from it.
    resume
        Continue from the checkpoint if there is one; the result has the same bits as without the interruption. A
        training can also be extended, by more epochs, if its schedule gave the steps already taken the rates that the
        longer one gives them: see `convlens.train.checkpoint`.
    checkpoint_on_interrupt_only
        Write the checkpoint only when training is interrupted or stopped, and after the last epoch.
    test
        Whether to read the test set; a search for settings must not.
    doubt
        Whether to find out at the end, on validation, how to recognise pictures unlike the training images, and how
        often an answer is right, and keep it with the model (see `convlens.nn.doubt`); studies, which predict no
        pictures, save the time.
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
        If an argument is not what it should be, model, data and recipe do not fit together, or the checkpoint belongs
        to another training.
    OutputError
        If the checkpoint or a snapshot cannot be written.
    """
    require(model, Model, "model", "convlens.models.build('cnn')")
    require(dataset, Dataset, "dataset", "convlens.data.load('mnist')")
    require(checkpoint, (str, os.PathLike, Saver, NoneType), "checkpoint", "'cnn.checkpoint'")
    require(snapshot_folder, (str, os.PathLike, NoneType), "snapshot_folder", "'steps'")
    require(snapshots, Iterable, "snapshots", "[0, 100, 200]")
    chosen = recipe if isinstance(recipe, Recipe) else named_recipe(recipe)
    if epochs is not None:
        chosen = replace(chosen, epochs=epochs)
    own = [*Snapshots.wanted(snapshots, snapshot_folder), *([TrainingProgress()] if progress else [])]
    training = Training(model, dataset, chosen, model.seed if seed is None else seed, [*own, *_checked(hooks)])
    saver = _saver(checkpoint, on_interrupt_only=checkpoint_on_interrupt_only)
    saver.begin(training, resume=resume)
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
        model.doubt = None  # what an earlier training recorded holds no longer
        if doubt:
            with training.timed("doubt"):
                model.doubt = Doubt.of(model, dataset.train, dataset.validation)
        run = Run.of(training, test=test)
        if request.made:
            raise saver.interrupted()
    model.training = run.summary()
    return run


def _checked(hooks: Iterable[Hook]) -> list[Hook]:
    """Return hooks as a list; ConfigurationError if one is something else, such as the class of a hook."""
    require(hooks, Iterable, "hooks", "[Snapshots([100], 'steps')]")
    found = list(hooks)
    for hook in found:
        require(hook, Hook, "a hook", "Snapshots([100], 'steps')")
    return found


def _saver(checkpoint: str | os.PathLike[str] | Saver | None, *, on_interrupt_only: bool) -> Saver:
    if isinstance(checkpoint, Saver):
        return checkpoint
    return Saver(None if checkpoint is None else Path(checkpoint), on_interrupt_only=on_interrupt_only)


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
            stands = "" if saver.written is None else f"; the last good checkpoint is {saver.written}"
            raise TrainingDiverged(f"{error}{stands}") from error
