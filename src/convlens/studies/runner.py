"""From a study and a profile to finished trials: what is there already is found, the rest is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Literal, Protocol, TypeAlias

from ..errors import ConfigurationError, TrainingInterrupted, nearest
from .executors import check
from .pool import TrialWorkers
from .spec import Profile, Study
from .store import TrialStore
from .trial import PlannedTrial as PlannedTrial
from .trial import Trial, TrialKey
from .trial import TrialOutcome as TrialOutcome

EventKind: TypeAlias = Literal["found", "started", "finished", "interrupted"]


@dataclass(frozen=True)
class ProgressEvent:
    """What a progress display is told.

    ``kind`` is ``found`` (in the store already), ``started``, ``finished`` or ``interrupted``; ``position``
    counts the planned trials from 1 to ``total``; ``seconds_left`` estimates the time for all that are
    still to be run, from the relative costs, and is None until the first trial of this run has finished.
    """

    kind: EventKind
    planned: PlannedTrial
    position: int
    total: int
    seconds_left: float | None


class Progress(Protocol):
    """Anything that can be called with a `ProgressEvent`."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Show it, or not."""


def plan(study: Study, profile: Profile, *, numerics_version: int) -> list[PlannedTrial]:
    """Return the trials of a study under a profile, in the order in which to run them.

    Seeds are outermost: interrupted at any point, every arm has as many seeds as any other, or one fewer.
    Arms that describe the same run are planned once.

    Raises
    ------
    ConfigurationError
        If the profile overrides a place that no arm has, or an arm's configuration has a key or a value that its
        executor does not know.
    """
    resolved = study.under(profile)
    for arm in resolved.arms:
        check(arm.configuration, f"{study.name}/{arm.name}")
    planned: dict[TrialKey, PlannedTrial] = {}
    for seed in profile.seeds:
        for arm in resolved.arms:
            if seed in profile.seeds_of(arm):
                trial = PlannedTrial(
                    study=study.name,
                    arm=arm.name,
                    seed=seed,
                    configuration=arm.configuration,
                    numerics_version=numerics_version,
                    cost=arm.cost,
                    metrics=study.metrics,
                )
                planned.setdefault(trial.key, trial)
    return list(planned.values())


def stored(planned: Iterable[PlannedTrial], store: TrialStore) -> list[Trial]:
    """Return those of the planned trials that are in the store, whichever study ran them."""
    found = (store.get(trial.key) for trial in planned)
    return [trial for trial in found if trial is not None]


def run_trials(
    planned: Sequence[PlannedTrial],
    store: TrialStore,
    execute: Callable[[PlannedTrial], TrialOutcome],
    progress: Progress | None = None,
    workers: int = 1,
) -> list[Trial]:
    """Run the planned trials that the store lacks; return all of them in that order.

    Each is stored as soon as it is finished, so whatever ends the run (Ctrl-C, an error, a kill) costs the
    trials under way and no other; calling again goes on from there.

    Parameters
    ----------
    planned
        What `plan` returned.
    store
        Open for writing, unless nothing is missing.
    execute
        Runs one trial; it does not touch the store.
    progress
        Is told of every trial found, started, finished or interrupted.
    workers
        How many trials to run side by side, each in a process of its own, to which `execute` is pickled; where 1,
        they run here, one after another.

    Raises
    ------
    ConfigurationError
        If a trial, found or run, lacks a metric that its plan requires. An outcome that does is not stored.
    OutputError
        If the store cannot be written.
    KeyboardInterrupt, TrainingInterrupted, and whatever else `execute` raises
        As they came; finished trials are kept.
    """
    different = {trial.key: trial for trial in planned}
    missing = {key: trial for key, trial in different.items() if key not in store}
    herald = _Herald(progress, len(different), {key: trial.cost for key, trial in missing.items()})
    for key, found in different.items():
        if key not in missing:
            herald.tell("found", found)
    if workers > 1 and len(missing) > 1:
        _run_side_by_side(list(missing.values()), store, execute, herald, min(workers, len(missing)))
    trials = []
    for wanted in planned:
        trial = store.get(wanted.key)
        if trial is not None:
            _check_metrics(wanted, trial.metrics)
        else:
            herald.tell("started", wanted)
            try:
                started = _now()
                trial = _keep(wanted, execute(wanted), started, store)
            except (KeyboardInterrupt, TrainingInterrupted):
                herald.tell("interrupted", wanted)
                raise
            herald.tell("finished", wanted)
        trials.append(trial)
    return trials


def _run_side_by_side(
    missing: Sequence[PlannedTrial],
    store: TrialStore,
    execute: Callable[[PlannedTrial], TrialOutcome],
    herald: _Herald,
    workers: int,
) -> None:
    running: dict[TrialKey, tuple[PlannedTrial, str]] = {}

    def begin(wanted: PlannedTrial) -> None:
        running[wanted.key] = wanted, _now()
        herald.tell("started", wanted)

    try:
        with TrialWorkers(workers, execute) as processes:
            for wanted, outcome in processes.run(_dear_ones_first(missing), begin):
                _keep(wanted, outcome, running.pop(wanted.key)[1], store)
                herald.tell("finished", wanted)
    except KeyboardInterrupt:
        for wanted, _ in running.values():
            herald.tell("interrupted", wanted)
        raise


def _dear_ones_first(planned: Sequence[PlannedTrial]) -> list[PlannedTrial]:
    """Return the trials in their order, but those of one study and seed by cost: so all processes end together."""
    together = groupby(planned, key=lambda trial: (trial.study, trial.seed))
    return [trial for _, group in together for trial in sorted(group, key=lambda trial: -trial.cost)]


def _keep(wanted: PlannedTrial, outcome: TrialOutcome, started: str, store: TrialStore) -> Trial:
    _check_metrics(wanted, outcome.metrics)
    finished = _now()
    provenance = {"started": started, "finished": finished, **outcome.provenance}
    trial = Trial.of(wanted, replace(outcome, provenance=provenance), created=finished)
    store.put(trial)
    return trial


def _check_metrics(wanted: PlannedTrial, measured: Iterable[str]) -> None:
    names = set(measured)
    for name in wanted.metrics:
        if name not in names:
            raise ConfigurationError(
                f"{wanted.label} has no metric {name!r}{nearest(name, names)}. What a study measures beyond "
                "the usual belongs in its arms' configurations, so that it shares no trial that lacks it"
            )


class _Herald:
    """Tells the progress display, and reckons the time left from the cost that the time so far has paid."""

    def __init__(self, progress: Progress | None, total: int, missing: Mapping[TrialKey, float]) -> None:
        self._progress = progress
        self._total = total
        self._position = 0
        self._cost_left = sum(missing.values())
        self._cost_paid = 0.0
        self._began = time.monotonic()

    def tell(self, kind: EventKind, planned: PlannedTrial) -> None:
        if kind in ("found", "started"):
            self._position += 1
        if kind == "finished":
            self._cost_left -= planned.cost
            self._cost_paid += planned.cost
        if self._progress is not None:
            self._progress(ProgressEvent(kind, planned, self._position, self._total, self._seconds_left()))

    def _seconds_left(self) -> float | None:
        if self._cost_paid == 0:
            return None
        return max(0.0, self._cost_left) * (time.monotonic() - self._began) / self._cost_paid


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
