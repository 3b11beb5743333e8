"""Shared by the verbs that run trials: where they run, the progress display, and the error about failed trials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..errors import ConfigurationError, ConvlensError
from ..names import shown
from ..text_table import cells_of
from .options import duration, notes, percent

if TYPE_CHECKING:
    from ..studies.results.result import StudyResult
    from ..studies.runner import ProgressEvent
    from ..train import Training

_WIDE = 90  # columns of a terminal that has room for a bar and a clock
_BAR, _ELAPSED, _NOW = 24, 9, 22  # their widths, and that of the epoch and the accuracy


def where_to_run(
    cluster: str | None, engine: str | None, threads: int | None, display: TrialProgress
) -> dict[str, Any]:
    """Return the arguments of `convlens.studies.run_study` that say what runs the trials."""
    from ..studies.executors import ExecutionOptions
    from ..studies.pools.cluster import cluster_pool

    if cluster is None:
        return {"options": ExecutionOptions(engine=engine, hooks=(display.hook(),)), "threads": threads}
    if threads is not None:
        raise ConfigurationError(
            "--threads is for this machine: on a cluster each trial takes one thread of a worker; leave it out, and "
            "start the workers with the threads you want (dask worker --nworkers N --nthreads 1)"
        )
    return {"pool": cluster_pool(cluster, ExecutionOptions(engine=engine))}


def require_none_failed(results: Iterable[StudyResult]) -> None:
    """Raise ConvlensError if a trial has failed; called last, when everything else is written."""
    failed = {one.planned.key: one for result in results for one in result.failed}
    if failed:
        first = next(iter(failed.values()))
        number = f"{len(failed)} trial{'' if len(failed) == 1 else 's'}"
        raise ConvlensError(
            f"{number} failed, the first of them {first.planned.label}: {first.failure.error}: "
            f"{first.failure.message.rstrip('.')}. The report lists them; repeat the command to try them again"
        )


def report_progress(line: str) -> None:
    """Say what is being done for the report."""
    notes.print(f"  {line}")


def event_line(event: ProgressEvent) -> str:
    """Return what happened to a trial in a line: ``trial 2/6 finished: 97.81 %, 12 s; 40 s left``."""
    trial = f"trial {event.position}/{event.total}"
    left = f"; {duration(event.seconds_left)} left" if event.seconds_left else ""
    if event.kind == "finished" and event.metrics is not None:
        accuracy = event.metrics.get("test.accuracy")
        found = [] if accuracy is None else [percent(accuracy)]
        found += ["diverged"] if event.metrics.get("diverged") else []
        found += [] if event.seconds is None else [duration(event.seconds)]
        return f"{trial} finished: {', '.join(found) or event.planned.label}{left}"
    if event.failure is not None:
        return f"{trial} failed: {event.planned.label}: {event.failure.error}: {event.failure.message}{left}"
    return f"{trial}: {event.planned.label}{left}"


def running_line(event: ProgressEvent, room: int) -> str:
    """Return which trial runs, its label and the time left: as much of it as fits into `room` columns."""
    trial = f"trial {event.position}/{event.total}"
    left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
    lines = (f"{trial}: {shown(event.planned.label)}{left}", f"{trial}{left}", trial)
    return next((line for line in lines if cells_of(line) <= room), trial)


@dataclass
class TrialProgress:
    """Shows the running trial and the time left: a live bar on a terminal, plain lines elsewhere."""

    checkpoints: Path | None = None  # where trainings that are stopped save themselves
    bar: Progress | None = None
    task: Any = None
    done: int = 0

    def __enter__(self) -> TrialProgress:
        if notes.is_terminal and not notes.is_dumb_terminal:
            trial, now = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[now]}"))
            columns = (trial, BarColumn(_BAR), now, TimeElapsedColumn()) if notes.width >= _WIDE else (trial, now)
            self.bar = Progress(*columns, console=notes, transient=True, refresh_per_second=4)
            self.task = self.bar.add_task("", total=1, now="")
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, event: ProgressEvent) -> None:
        """Show an event of the runner."""
        self.done += event.kind in ("found", "finished", "failed")
        if self.bar is not None:
            line = running_line(event, notes.width - _NOW - (_BAR + _ELAPSED) * (notes.width >= _WIDE))
            self.bar.update(self.task, description=line, total=event.total, completed=self.done)
        elif event.kind in ("started", "finished", "failed"):
            notes.print(event_line(event))
        if event.kind == "interrupted":
            notes.print(self._interrupted(event))

    def _interrupted(self, event: ProgressEvent) -> str:
        """Say whether the next run goes on inside a trial that was under way: one in a process of its own is lost."""
        saved = self.checkpoints is not None and any(self.checkpoints.glob(f"{event.planned.key[:16]}*"))
        then = "saved; the next run goes on inside it" if saved else "not saved; the next run begins it again"
        return f"trial {event.position}/{event.total}: {event.planned.label}: {then}"

    def hook(self) -> Any:
        """Return a hook that shows the progress of the current training on the bar."""
        from ..train import Hook

        display = self

        class Inner(Hook):
            def on_step_end(self, training: Training) -> None:
                if display.bar is not None and training.progress.step % 10 == 0:
                    progress, epochs = training.progress, training.recipe.epochs
                    now = f"epoch {progress.epoch + 1}/{epochs}, {percent(progress.correct / progress.seen)}"
                    display.bar.update(display.task, now=now)

        return Inner()
