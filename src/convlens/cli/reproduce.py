"""``convlens reproduce``: the claims, put to the test."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ..errors import ConfigurationError, TrainingInterrupted
from .options import EngineOption, ThreadsOption, duration, notes, out, percent, print_json

if TYPE_CHECKING:
    from ..studies.runner import ProgressEvent
    from ..studies.store import TrialStore
    from ..studies.trial import PlannedTrial
    from ..train import Training


def reproduce(
    quick: Annotated[bool, typer.Option("--quick", help="One seed, one epoch, fewer images: about a minute.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Ten seeds, all images everywhere: hours.")] = False,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the report and the trials.")] = Path(
        "out/reproduce"
    ),
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the claims as JSON for machines.")] = False,
) -> None:
    """Train baseline and CNNs on 70,000 real digits with several seeds, and say what is true of the claims.

    Finished trials are kept, so an interrupted run continues where it was, and a second one is done at once.

    Example: [bold]convlens reproduce --quick[/bold]
    """
    if quick and full:
        raise ConfigurationError("choose --quick or --full, not both")
    profile = "quick" if quick else "full" if full else "standard"
    flag = {"quick": " --quick", "full": " --full", "standard": ""}[profile]
    run(Settings(f"convlens reproduce{flag}", profile, folder, engine, threads, json))


@dataclass(frozen=True)
class Settings:
    """What one call of ``convlens reproduce`` asks for."""

    command: str
    profile: str
    folder: Path
    engine: str | None
    threads: int | None
    json: bool


def run(settings: Settings) -> None:
    """Run the missing trials, test the claims, write the report."""
    from ..claims.rows import claims
    from ..files import make_folder
    from ..report import Reproduction, claims_lines, claims_table, write_report
    from ..studies.catalog import CATALOG
    from ..studies.evidence import assess
    from ..studies.runner import plan, stored
    from ..studies.store import TrialStore
    from ..version import NUMERICS_VERSION

    start, started = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
    models_folder = settings.folder / "models"
    make_folder(models_folder)
    entries = {name: CATALOG[name] for name in ("baseline-vs-cnn", "kernel-size")}
    studies = {name: (entry.study(), entry.profiles[settings.profile]) for name, entry in entries.items()}
    plans = {
        name: plan(study, profile, numerics_version=NUMERICS_VERSION) for name, (study, profile) in studies.items()
    }
    display = TrialProgress()
    everything = [trial for planned in plans.values() for trial in planned]
    with TrialStore(settings.folder / "trials.sqlite") as store, display:
        try:
            _train(everything, store, display, settings, models_folder)
        except (TrainingInterrupted, KeyboardInterrupt):
            kept = len({trial.key for planned in plans.values() for trial in stored(planned, store)})
            raise TrainingInterrupted(
                f"stopped; {kept} finished trials are kept in {settings.folder}: repeat the command to go on"
            ) from None
        trials = {name: stored(planned, store) for name, planned in plans.items()}
    evidence = {name: assess(study, trials[name], profile) for name, (study, profile) in studies.items()}
    rows = claims(evidence, settings.command)
    reproduction = Reproduction(
        settings.command, settings.profile, evidence, trials, rows, models_folder, time.perf_counter() - start, started
    )
    notes.print("writing the report")
    written = write_report(reproduction, settings.folder)
    if settings.json:
        print_json([row.to_dict() for row in rows])
        return
    if out.is_terminal:
        out.print(claims_table(rows), soft_wrap=False)
    else:
        for line in claims_lines(rows):
            out.print(line, markup=False)
    page = next(path for path in written if path.name == "report.html")
    out.print(f"{duration(time.perf_counter() - start)}; report: {page}")


def _train(
    planned: list[PlannedTrial], store: TrialStore, display: TrialProgress, settings: Settings, models_folder: Path
) -> None:
    """Run the missing trials, one thread each and as many as there are threads: less time, and the same bits."""
    from .. import models
    from ..engine.lanes import thread_count
    from ..studies.executors import ExecutionOptions, execute
    from ..studies.pool import LocalPool
    from ..studies.processes import ProcessPool
    from ..studies.runner import run_trials, stored

    workers, engine = thread_count(settings.threads), settings.engine
    if workers > 1 and len(stored(planned, store)) < len(planned):
        engine = models.build("baseline").use(engine, 1).engine.name  # here, so that code is compiled once
    options = ExecutionOptions(
        engine=engine,
        threads=1,
        side_by_side=workers,
        models_folder=models_folder,
        hooks=(display.hook(),) if workers == 1 else (),
    )
    execute_here = partial(execute, options=options)
    pool = LocalPool(execute_here) if workers == 1 else ProcessPool(execute_here, workers)
    run_trials(planned, store, pool, display)


@dataclass
class TrialProgress:
    """Shows which trial is running and the time left: a live bar on a terminal, plain lines elsewhere."""

    bar: Progress | None = None
    task: Any = None
    _started: float = field(default_factory=time.perf_counter)

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
        """Take note of what the runner did."""
        left = "" if event.seconds_left is None else f", {duration(event.seconds_left)} left"
        line = f"trial {event.position}/{event.total}: {event.planned.label}{left}"
        if self.bar is not None:
            self.bar.update(self.task, description=line, total=event.total, completed=event.position - 1)
        elif event.kind == "started":
            notes.print(line)

    def hook(self) -> Any:
        """Return a hook that shows the training under way on the bar."""
        from ..train import Hook

        display = self

        class Inner(Hook):
            def on_step_end(self, training: Training) -> None:
                if display.bar is not None and training.progress.step % 10 == 0:
                    progress, epochs = training.progress, training.recipe.epochs
                    now = f"epoch {progress.epoch + 1}/{epochs}, {percent(progress.correct / progress.seen)}"
                    display.bar.update(display.task, now=now)

        return Inner()
