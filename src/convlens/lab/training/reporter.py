"""The hook that writes a training's journal, and heeds what the page asks for between two steps."""

from __future__ import annotations

import io
import queue
import time
from typing import Any

import numpy as np

from ...files import write_atomically
from ...train.hooks import Hook
from ...train.saver import Saver
from ...train.training import Training
from ..recording import first_filters, shortened
from .configuration import StopWhen
from .session import Session

POINTS = 400  # of a curve, about
SECONDS = 0.25  # between events of progress
FILTER_SECONDS, FILTER_SHARE = 2.0, 1 / 60  # between events of filters, which are longer: at least; of the time so far
MOST_FILTERS = 64
MOST_CLASSES = 50  # of a confusion matrix


class Ended(Exception):  # noqa: N818 - an event, and named as one
    """The lab is gone, or is ending: the training is saved, and its process ends."""


class Reporter(Hook):
    """Writes the journal of a session, and heeds its commands.

    Parameters
    ----------
    session
        Whose journal.
    commands
        Words as they arrive: ``"pause"``, ``"step"``, ``"resume"``, ``"stop"``; ``"end"`` when nobody sends any more.
    saver
        Saves the training when it is paused, and before it ends.
    stop
        When to stop early; what is true at the beginning already, of a training that was taken up again, is ignored.
    """

    def __init__(self, session: Session, commands: queue.Queue[str], saver: Saver, stop: StopWhen) -> None:
        self._session, self._commands, self._saver, self._stop = session, commands, saver, stop
        self._points: list[list[float]] = []
        self._sums = self._before = np.zeros(3)  # of loss, right images and images: since the last point; in the epoch
        self._spoke = self._showed = self._began = 0.0
        self._images = 0
        self._taken = 0  # steps; of an epoch that was cut short, training itself counts all when it has ended
        self._every = 1
        self.why = ""  # training was stopped early, as a sentence

    def on_training_begin(self, training: Training) -> None:
        model = training.model
        total = training.steps * training.recipe.epochs
        self._every = max(1, total // POINTS)
        self._taken = training.steps_taken
        self._session.journal.append(
            {
                "kind": "start",
                "step": self._taken,
                "steps": total,
                "epoch_steps": training.steps,
                "images": len(training.dataset.train),
                "validation": len(training.dataset.validation),
                "classes": list(model.class_names),
                "shape": list(model.input_shape),
                "parameters": model.program.parameter_count,
                "flops": model.program.flops,
                "engine": training.engine.name,
                "threads": training.engine.threads,
            }
        )
        self._session.tell("running")
        self._began = time.monotonic()
        self._stop = _still_open(self._stop, training)
        self._continue(training)
        self._show_filters(training)
        self._heed(training)

    def on_epoch_begin(self, training: Training) -> None:
        progress = training.progress
        self._before = np.array([progress.loss_sum, progress.correct, progress.seen], np.float64)

    def on_step_end(self, training: Training) -> None:
        progress = training.progress
        self._taken = taken = training.steps_taken
        now = np.array([progress.loss_sum, progress.correct, progress.seen], np.float64)
        self._sums, self._before = self._sums + now - self._before, now
        if taken % self._every == 0 or progress.step == training.steps:
            loss, right, images = self._sums.tolist()
            self._points.append([taken, shortened(loss / images), shortened(right / images)])
            self._sums = np.zeros(3)
        if time.monotonic() - self._spoke >= SECONDS:
            self._report(training)
        time_now = time.monotonic()
        if time_now - self._showed >= max(FILTER_SECONDS, FILTER_SHARE * (time_now - self._began)):
            self._show_filters(training)
        self._stop_early(training)
        self._heed(training)

    def on_epoch_end(self, training: Training, row: dict[str, Any]) -> None:
        self._report(training, row)
        found, epoch = training.validation, row["epoch"]
        assert found is not None
        stream = io.BytesIO()
        np.save(stream, found.predictions.astype(np.int32))
        write_atomically(self._session.predictions(epoch), stream.getvalue())
        shown = found.confusion.tolist() if len(found.confusion) <= MOST_CLASSES else None
        self._session.journal.append({"kind": "epoch", "step": self._taken, **row, "confusion": shown})
        self._show_filters(training)
        self._save_model(training)
        wanted = self._stop.accuracy
        if wanted is not None and found.accuracy >= wanted and not training.finished:
            self._stop_for(training, f"Validation reached {100 * found.accuracy:.2f} %, as was asked for.")

    def on_training_end(self, training: Training) -> None:
        if self._points:
            self._report(training)

    def _report(self, training: Training, row: dict[str, Any] | None = None) -> None:
        """Write the points since the last time, the epoch's loss and accuracy so far, and how fast it goes.

        The sums of an epoch that has ended are in its row alone.
        """
        progress, now = training.progress, time.monotonic()
        event: dict[str, Any] = {"kind": "progress", "step": self._taken, "points": self._points}
        if row is not None:
            event |= {name: shortened(row[f"train.{name}"]) for name in ("loss", "accuracy")}
        elif progress.seen:
            loss, accuracy = progress.loss_sum / progress.seen, progress.correct / progress.seen
            event |= {"loss": shortened(loss), "accuracy": shortened(accuracy)}
        images, seconds = progress.images - self._images, now - self._spoke
        if images and seconds > 0:
            rate = images / seconds
            left = training.recipe.epochs * len(training.dataset.train) - progress.images
            event |= {"images_per_second": round(rate), "seconds_left": round(max(0, left) / rate, 1)}
        self._session.journal.append(event)
        self._points = []
        self._continue(training)

    def _continue(self, training: Training) -> None:
        """Measure the speed from now on."""
        self._spoke, self._images = time.monotonic(), training.progress.images

    def _show_filters(self, training: Training) -> None:
        filters = first_filters(training.model)
        self._showed = time.monotonic()
        if filters is not None:
            event = {"kind": "filters", "step": self._taken, "filters": filters[:MOST_FILTERS]}
            self._session.journal.append(event)

    def _save_model(self, training: Training) -> None:
        """Save the present weights as a model, for the other rooms."""
        training.require_finite()
        with training.state.averaged():
            account = {key: training.configuration[key] for key in ("data", "recipe", "seed")}
            training.model.save(self._session.model, training={**account, "step": self._taken})

    def _stop_early(self, training: Training) -> None:
        steps, minutes = self._stop.steps, self._stop.minutes
        if steps is not None and self._taken >= steps:
            self._stop_for(training, f"{steps:,} steps are taken, as was asked for.")
        elif minutes is not None and time.monotonic() - self._began >= 60 * minutes:
            self._stop_for(training, f"{minutes:g} minutes are over, as was asked for.")

    def _stop_for(self, training: Training, why: str) -> None:
        self.why = why
        training.stop()

    def _heed(self, training: Training) -> None:
        """Do what was asked for since the last step."""
        if self._commands.empty():
            return
        order = self._commands.get()
        if order == "pause":
            self._pause(training)
        elif order == "stop":
            self._stop_for(training, "You stopped it.")
        elif order == "end":
            self._end(training)

    def _end(self, training: Training) -> None:
        self._report(training)
        self._saver.save()
        raise Ended

    def _pause(self, training: Training) -> None:
        """Save everything, and wait until training is to go on: for one step, or for good."""
        self._report(training)
        self._show_filters(training)
        self._saver.save()
        self._save_model(training)
        self._session.tell("paused")
        began = time.monotonic()
        order = self._commands.get()
        while order == "pause":
            order = self._commands.get()
        self._began += time.monotonic() - began
        self._continue(training)
        if order == "step":
            self._commands.put("pause")
            return
        if order in ("stop", "end"):
            self._commands.put(order)
            self._heed(training)
            return
        self._session.tell("running")


def _still_open(stop: StopWhen, training: Training) -> StopWhen:
    """Return when to stop a training that begins or goes on: without what has happened already."""
    best = max((row["validation.accuracy"] for row in training.progress.history), default=0.0)
    reached = stop.accuracy is not None and best >= stop.accuracy
    taken = stop.steps is not None and training.steps_taken >= stop.steps
    return StopWhen(None if reached else stop.accuracy, None if taken else stop.steps, stop.minutes)
