"""How training shows itself: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import Any

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from ..train import Hook, Training
from .options import duration, notes, percent

PLAIN_SECONDS = 10.0  # between plain lines within an epoch


class _TimeLeft(ProgressColumn):
    """Time left, from the rate so far in this process."""

    def render(self, task: Task) -> Text:
        left = task.fields.get("left")
        return Text("" if left is None else f"{duration(left)} left", style="cyan")


class TrainingProgress(Hook):
    """Shows loss, accuracy, images a second and time left; one line stays for each epoch."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._started = self._spoke = 0.0
        self._images_before = 0

    def on_start(self, training: Training) -> None:
        self._started = self._spoke = time.perf_counter()
        self._images_before = training.progress.images
        if training.progress.images:
            notes.print(f"resuming in epoch {training.progress.epoch + 1}, step {training.progress.step + 1}")
        if notes.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[now]}"), _TimeLeft()
            self._bar = Progress(*columns, console=notes, transient=True, refresh_per_second=4)
            self._task = self._bar.add_task("", total=training.steps, now="", left=None)
            self._bar.start()

    def on_step(self, training: Training) -> None:
        now = time.perf_counter()
        if self._bar is None and now - self._spoke < PLAIN_SECONDS:
            return
        progress, total = training.progress, len(training.dataset.train) * training.recipe.epochs
        rate = (progress.images - self._images_before) / (now - self._started)
        left = (total - progress.images) / rate
        where = f"epoch {progress.epoch + 1}/{training.recipe.epochs}"
        state = (
            f"loss {progress.loss_sum / progress.seen:.4f}  accuracy {percent(progress.correct / progress.seen)}  "
            f"{rate:,.0f} images/s"
        )
        if self._bar is None:
            self._spoke = now
            notes.print(f"{where}, step {progress.step}/{training.steps}: {state}, {duration(left)} left")
        else:
            self._bar.update(self._task, description=where, completed=progress.step, now=state, left=left)

    def on_epoch(self, training: Training, row: dict[str, Any]) -> None:
        self._spoke = time.perf_counter()
        notes.print(
            f"epoch {row['epoch']}/{training.recipe.epochs}: "
            f"train loss {row['train.loss']:.4f}, accuracy {percent(row['train.accuracy'])}; "
            f"validation loss {row['validation.loss']:.4f}, accuracy {percent(row['validation.accuracy'])}"
        )

    def on_end(self, training: Training) -> None:
        del training
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
