"""When a training is saved, and where: it writes to no checkpoint but its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path

from ..errors import (
    ArtifactError,
    ConfigurationError,
    ConvlensError,
    OutputError,
    TrainingInterrupted,
)
from ..files import require_writable
from . import checkpoint as checkpoints
from .training import Training

CHECKPOINT_SECONDS = 60.0  # between checkpoints within an epoch


class Saver:
    """Writes the checkpoint of a training: at intervals, after every epoch, and when training ends early.

    A checkpoint that this training neither wrote nor resumed from is never overwritten: where training is to start
    anew, a file that exists is refused; with `on_interrupt_only`, where nobody has asked for a checkpoint, it stays,
    and this training is saved beside it, in ``cnn-2.checkpoint``.

    Parameters
    ----------
    path
        The file; None saves nothing.
    on_interrupt_only
        Write only when training is interrupted or stopped, and, if possible, after the last epoch, so that the
        training is not lost if the result cannot be written.

    Attributes
    ----------
    written
        The file that holds this training: written, or resumed from; None if there is none.
    """

    def __init__(self, path: Path | None, *, on_interrupt_only: bool = False) -> None:
        self.path = path
        self.written: Path | None = None
        self._rare, self._last, self._closed = on_interrupt_only, time.perf_counter(), False
        self._training: Training | None = None

    def existing(self) -> list[Path]:
        """Return the files that this training may have been saved to earlier: its own, and those beside it."""
        if self.path is None:
            return []
        beside = takewhile(Path.exists, _beside(self.path)) if self._rare else ()
        return [*([self.path] if self.path.exists() else []), *beside]

    def check(self, *, resume: bool) -> None:
        """Check that the file can be written, and that a training would not overwrite another's.

        Raises
        ------
        ConfigurationError
            If there is a file and training is not to be resumed from it, or it is and no file was named.
        OutputError
            If it cannot be written.
        """
        if self.path is None:
            if resume:
                raise ConfigurationError("resume needs a checkpoint to go on from; name it (checkpoint=)")
            return
        require_writable(self.path)
        if not resume and not self._rare and self.path.exists():
            raise ConfigurationError(
                f"the checkpoint {self.path} exists, and a new training would overwrite it; go on from it with resume "
                "(--resume), or name another file"
            )

    def begin(self, training: Training, *, resume: bool) -> None:
        """Take charge of a training, and restore it from the checkpoint, if there is one and it is to be resumed.

        Raises
        ------
        ConfigurationError
            For the reasons of `check`; also if there are only checkpoints of other trainings.
        ArtifactError
            If the checkpoint is damaged.
        OutputError
            If it cannot be written.
        """
        self.check(resume=resume)
        self._training, self._last = training, time.perf_counter()
        found = self.existing()
        if resume and found:
            self._restore(found)

    def _restore(self, found: list[Path]) -> None:
        """Restore the training from the first of the files that belongs to it; the first one's error if none does."""
        training = self.training
        errors: list[ConvlensError] = []
        for path in found:
            try:
                checkpoints.restore(path, training.state, training.configuration, training.steps)
            except (ArtifactError, ConfigurationError) as error:
                errors.append(error)
            else:
                self.path = self.written = path
                return
        raise errors[0]

    @property
    def training(self) -> Training:
        """The training that is saved."""
        assert self._training is not None, "begin comes first"
        return self._training

    def save(self) -> None:
        """Write the checkpoint now.

        Raises
        ------
        TrainingDiverged
            If the weights are no longer finite: the last checkpoint, which is good, stays.
        OutputError
            If it cannot be written.
        """
        if self.path is None or self._closed:
            return
        training = self.training
        training.require_finite()
        if self.written is None and self.path.exists():
            self.path = next(path for path in _beside(self.path) if not path.exists())
        with training.timed("checkpoint"):
            checkpoints.save(self.path, training.state, training.configuration)
        self.written, self._last = self.path, time.perf_counter()

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

    def remove(self) -> None:
        """Remove the file that holds this training, and no other; where that fails, it stays."""
        if self.written is not None:
            with suppress(OSError):
                self.written.unlink(missing_ok=True)
            self.written = None


def _beside(path: Path) -> Iterator[Path]:
    """Return further names for a file: ``cnn-2.checkpoint``, ``cnn-3.checkpoint``, ..."""
    return (path.with_stem(f"{path.stem}-{number}") for number in count(2))
