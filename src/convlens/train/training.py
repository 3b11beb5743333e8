"""One training under way: its state, a step, and the end of an epoch."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..data import Dataset, Examples
from ..engine import Address, BatchResult
from ..errors import ConfigurationError, DataError, TrainingDiverged
from ..metrics import Evaluation
from ..nn import Model
from ..nn.model import Parameters, architecture
from ..optim import clip_by_norm
from ..program import aligned_zeros
from ..typing import FloatArray, IntArray
from .batches import Batches
from .hooks import Hook
from .recipes import Recipe
from .state import Progress, State


class Training:
    """One training under way, which the loop advances and hooks may read.

    Attributes
    ----------
    model, dataset, recipe, seed
        What is trained, on what, how, and the seed of the order of the images, dropout and augmentation.
    state, progress
        Everything that changes, and the position of training.
    gradient, gradients
        Of the step under way: the flat array, and views of it by parameter name.
    stop_requested, stopped
        Whether `stop` was called, and whether it ended training before the recipe did.
    """

    def __init__(self, model: Model, dataset: Dataset, recipe: Recipe, seed: int, hooks: Sequence[Hook] = ()) -> None:
        if model.input_shape != tuple(dataset.input_shape) or model.classes != len(dataset.class_names):
            raise ConfigurationError(
                f"the model takes {model.input_shape} and {model.classes} classes, but {dataset.name} has "
                f"{tuple(dataset.input_shape)} and {len(dataset.class_names)} classes; build it for this data set"
            )
        _name_classes(model, dataset)
        model.intake = dataset.intake
        self.model, self.dataset, self.recipe, self.seed = model, dataset, recipe, seed
        self.hooks, self.stop_requested, self.stopped = tuple(hooks), False, False
        self.engine = model.engine
        self.batches = Batches(
            dataset.train, model.preprocessing, recipe.batch_size, seed, recipe.augmentation, model.engine
        )
        self.gradient = aligned_zeros(model.flat.size, model.flat.dtype.type)
        self.gradients = Parameters(model.program.slots, self.gradient)
        self.state = State(
            Progress(),
            parameters=model.flat,
            buffers=model.flat_buffers,
            best=model.flat.copy(),
            best_buffers=model.flat_buffers.copy(),
            optimizer=recipe.optimizer.start(model.program, model.flat),
            average=None if recipe.ema_decay is None else model.flat.copy(),
            average_buffers=None if recipe.ema_decay is None else model.flat_buffers.copy(),
        )
        self.test_reads_before = dataset.test.reads
        self.validation: Evaluation | None = None  # of the last epoch, if its weights are still the final ones
        self.configuration: dict[str, Any] = {
            "model": architecture(model),
            "data": dataset.describe(),
            "preprocessing": model.preprocessing.to_dict(),
            "recipe": recipe.to_dict(),
            "seed": seed,
            **({"start": _weights_sum(model)} if model.training else {}),  # trained before: not the seed's weights
        }
        model.training = {"data": self.configuration["data"]}  # what an earlier training recorded holds no longer

    @property
    def progress(self) -> Progress:
        """The position of training, and its results so far."""
        return self.state.progress

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.batches.steps_per_epoch

    @property
    def steps_taken(self) -> int:
        """Steps taken since the first epoch began: the number of the next step, counted from 0."""
        return self.progress.epoch * self.steps + self.progress.step

    def stop(self) -> None:
        """End training after the step under way, with a complete result; from a hook, or from another thread.

        The epoch under way gets its row of the history, over the steps taken. A checkpoint, if one was asked for, holds
        the position, so `fit` with ``resume=True`` continues to the same bits as a training that was never stopped.
        """
        self.stop_requested = True

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Add the time spent inside the context to ``progress.seconds[what]``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.progress.seconds[what] = self.progress.seconds.get(what, 0.0) + time.perf_counter() - start

    def step(self, x: FloatArray, labels: IntArray) -> None:
        """Take one step on a batch: gradient, learning rate, update of the weights and of their average.

        Raises
        ------
        TrainingDiverged
            If the loss is not finite; the weights are those before the step.
        """
        for hook in self.hooks:
            hook.on_step_begin(self)
        with self.timed("train"):
            result = self._compute_gradient(x, labels)
        for hook in self.hooks:
            hook.on_gradient(self)
        with self.timed("train"):
            self._update_weights()
        progress = self.progress
        progress.loss_sum += result.loss * len(x)
        progress.correct += result.correct
        progress.seen += len(x)
        progress.images += len(x)
        progress.step += 1
        for hook in self.hooks:
            hook.on_step_end(self)

    def _compute_gradient(self, x: FloatArray, labels: IntArray) -> BatchResult:
        """Write the batch's gradient to `gradient`."""
        progress = self.progress
        progress.rate = self.recipe.schedule.at(self.steps_taken / (self.recipe.epochs * self.steps))
        address, smoothing = Address(self.seed, progress.epoch, progress.step), self.recipe.label_smoothing
        result = self.engine.gradient(x, labels, self.gradient, address, smoothing)
        if not math.isfinite(result.loss):
            raise self._diverged(
                f"the loss became {result.loss} in epoch {progress.epoch + 1}, step {progress.step + 1}"
            )
        return result

    def _diverged(self, what: str) -> TrainingDiverged:
        """Return the error that training diverged: what was seen, and what to do."""
        advice = "use a smaller learning rate (--learning-rate)"
        return TrainingDiverged(f"{what} (learning rate {self.progress.rate:.3g}); {advice}")

    @property
    def _after(self) -> str:
        """What the weights are those after: an epoch, or a step within one."""
        epochs, step = divmod(self.steps_taken, self.steps)
        return f"after epoch {epochs + 1}, step {step}" if step else f"after epoch {epochs}"

    def _update_weights(self) -> None:
        """Update the weights by `gradient`, then their average."""
        if self.recipe.clip_norm is not None:
            clip_by_norm(self.engine, self.gradient, self.recipe.clip_norm)
        self.recipe.optimizer.step(self.engine, self.gradient, self.state.optimizer, self.progress.rate)
        if self.recipe.ema_decay is not None:
            self.state.follow(self.engine, self.recipe.ema_decay)

    def require_finite(self) -> None:
        """Raise TrainingDiverged if the state is not finite: `step` sees only what was before its update."""
        if not all(np.isfinite(array).all() for array in self.state.arrays().values()):
            raise self._diverged(f"the weights are not finite {self._after}")

    def evaluated(self, examples: Examples) -> Evaluation:
        """Return the evaluation of the present weights.

        Raises
        ------
        TrainingDiverged
            If the state, or the logits, are not finite.
        """
        self.require_finite()
        try:
            return self.model.evaluate(examples)
        except DataError as error:
            if not len(examples):
                raise
            raise self._diverged(
                f"the network's output is not finite {self._after}"
            ) from error  # the data were checked when they were loaded

    def finish_epoch(self) -> dict[str, Any]:
        """Evaluate on validation, append a row to the history, and advance to the next epoch.

        The row of an epoch that was cut short has the number of ``steps`` taken.
        """
        progress = self.progress
        with self.timed("validation"), self.state.averaged():
            self.validation = validation = self.evaluated(self.dataset.validation)
            if validation.accuracy > progress.best_accuracy:
                progress.best_accuracy, progress.best_epoch = validation.accuracy, progress.epoch
                self.state.remember_best()
        row = {
            "epoch": progress.epoch + 1,
            "train.loss": progress.loss_sum / progress.seen,
            "train.accuracy": progress.correct / progress.seen,
            "validation.loss": validation.loss,
            "validation.accuracy": validation.accuracy,
            "learning_rate": progress.rate,
        }
        if progress.step < self.steps:
            row["steps"] = progress.step
        progress.history.append(row)
        patience = self.recipe.patience
        progress.stopped = patience is not None and progress.epoch - progress.best_epoch >= patience
        progress.epoch, progress.step = progress.epoch + 1, 0
        progress.loss_sum, progress.correct, progress.seen = 0.0, 0, 0
        return row

    @property
    def finished(self) -> bool:
        """Whether the recipe has ended, by its number of epochs or its patience."""
        return self.progress.stopped or self.progress.epoch >= self.recipe.epochs


def _weights_sum(model: Model) -> str:
    """Return the SHA-256 of a model's weights and running statistics."""
    found = hashlib.sha256(model.flat.tobytes())
    found.update(model.flat_buffers.tobytes())
    return found.hexdigest()


def _name_classes(model: Model, dataset: Dataset) -> None:
    """Let the model take over the names of the classes, or check that its own are these, in this order."""
    names = tuple(dataset.class_names)
    if model.class_names == tuple(map(str, range(model.classes))):  # those of a model that was given none
        model.class_names = names
    if model.class_names != names:
        raise ConfigurationError(
            f"the model's classes are {', '.join(model.class_names)}, and those of {dataset.name} "
            f"{', '.join(names)}; give the model the data's names in the data's order, or none"
        )
