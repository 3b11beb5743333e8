"""From a study and a profile to finished trials: what is there already is found, the rest is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeAlias

from ..errors import ConfigurationError, TrainingInterrupted, nearest
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
        If the profile overrides a place that no arm has.
    """
    resolved = study.under(profile)
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
) -> list[Trial]:
    """Run the planned trials that the store lacks, one after another; return all of them in that order.

    Each is stored as soon as it is finished, so whatever ends the run (Ctrl-C, an error, a kill) costs the
    trial under way and no other; calling again goes on from there.

    Parameters
    ----------
    planned
        What `plan` returned.
    store
        Open for writing, unless nothing is missing.
    execute
        Runs one trial; it may use several processes, but does not touch the store.
    progress
        Is told of every trial found, started, finished or interrupted.

    Raises
    ------
    ConfigurationError
        If a trial, found or run, lacks a metric that its plan requires. An outcome that does is not stored.
    OutputError
        If the store cannot be written.
    KeyboardInterrupt, TrainingInterrupted, and whatever else `execute` raises
        As they came; finished trials are kept.
    """
    herald = _Herald(progress, len(planned), {t.key: t.cost for t in planned if t.key not in store})
    trials = []
    for wanted in planned:
        trial = store.get(wanted.key)
        if trial is not None:
            _check_metrics(wanted, trial.metrics)
            herald.tell("found", wanted)
        else:
            herald.tell("started", wanted)
            try:
                trial = _run_one(wanted, store, execute)
            except (KeyboardInterrupt, TrainingInterrupted):
                herald.tell("interrupted", wanted)
                raise
            herald.tell("finished", wanted)
        trials.append(trial)
    return trials


def _run_one(wanted: PlannedTrial, store: TrialStore, execute: Callable[[PlannedTrial], TrialOutcome]) -> Trial:
    started = _now()
    outcome = execute(wanted)
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
