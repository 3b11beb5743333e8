"""Shared by the verbs that run trials: the progress display, and the error about failed trials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..errors import ConvlensError
from .options import duration, notes, percent

if TYPE_CHECKING:
    from ..studies.result import StudyResult
    from ..studies.runner import ProgressEvent
    from ..train import Training


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


@dataclass
class TrialProgress:
    """Shows the running trial and the time left: a live bar on a terminal, plain lines elsewhere."""

    bar: Progress | None = None
    task: Any = None

    def __enter__(self) -> TrialProgress:
        if notes.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(24),
                TextColumn("{task.fields[now]}"),
                TimeElapsedColumn(),
            )
            self.bar = Progress(*columns, console=notes, transient=True, refresh_per_second=4)
            self.task = self.bar.add_task("", total=1, now="")
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, event: ProgressEvent) -> None:
        """Show an event of the runner."""
        left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
        line = f"trial {event.position}/{event.total}: {event.planned.label}{left}"
        if self.bar is not None:
            self.bar.update(self.task, description=line, total=event.total, completed=event.position - 1)
        elif event.kind in ("started", "failed"):
            notes.print(line if event.kind == "started" else f"{line}: failed", markup=False)

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
