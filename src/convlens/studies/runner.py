"""From a study and a profile to finished trials: those in the store are reused, the rest are run."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal, Protocol, TypeAlias

from ..errors import ConfigurationError, ConvlensError, TrainingInterrupted, nearest
from .executors import check
from .pools.pool import Pool, failure, now
from .spec import Profile, Study
from .storage.store import TrialStore
from .storage.weights import keep_weights, kept_weights
from .trial import Failure, PlannedTrial, Trial, TrialKey, TrialOutcome
from .tuned import require_tuned

EventKind: TypeAlias = Literal["found", "started", "finished", "failed", "interrupted"]


@dataclass(frozen=True)
class ProgressEvent:
    """What happened to a trial, for a progress display.

    ``kind`` is ``found`` (already in the store), ``started``, ``finished``, ``failed`` or ``interrupted``; ``position``
    is the trial's number from 1 to ``total``, in the order in which trials were found or started, and stays its own;
    ``seconds_left`` estimates the time for the trials still to be run, from their relative costs, and is None until the
    first trial of this run has finished. A trial that finished or failed has the ``seconds`` that it took, and its
    ``metrics`` or its ``failure``.
    """

    kind: EventKind
    planned: PlannedTrial
    position: int
    total: int
    seconds_left: float | None
    seconds: float | None = None
    metrics: Mapping[str, float] | None = None
    failure: Failure | None = None


class ProgressDisplay(Protocol):
    """A callable that takes a `ProgressEvent`."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Show the event."""


def plan(study: Study, profile: Profile, *, numerics_version: int) -> list[PlannedTrial]:
    """Return the trials of a study under a profile, in the order in which to run them.

    Seeds are outermost: interrupted at any point, every arm has as many seeds as any other, or one fewer.
    Arms that describe the same run are planned once, with the metrics that any of them must have.

    Raises
    ------
    ConfigurationError
        If the profile overrides a path that no arm has, an arm's learning rate has not been tuned, or its
        configuration has a key or a value that its executor does not know.
    """
    resolved = study.under(profile)
    for arm in resolved.arms:
        require_tuned(arm.configuration, study.name, f"{study.name}/{arm.name}")
        check(arm.configuration, f"{study.name}/{arm.name}")
    planned: list[PlannedTrial] = []
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
                    metrics=study.required_of(arm.name),
                    curves=study.curves_of(arm.name),
                )
                planned.append(trial)
    return list(_different(planned).values())


def stored(planned: Iterable[PlannedTrial], store: TrialStore) -> list[Trial]:
    """Return the planned trials that are in the store, whichever study ran them."""
    found = (store.get(trial.key) for trial in planned)
    return [trial for trial in found if trial is not None]


def failures(planned: Iterable[PlannedTrial], store: TrialStore) -> list[tuple[PlannedTrial, Failure]]:
    """Return the planned trials that failed when last run, each with its failure."""
    found = ((trial, store.failure(trial.key)) for trial in planned)
    return [(trial, failed) for trial, failed in found if failed is not None]


def run_trials(
    planned: Sequence[PlannedTrial], store: TrialStore, pool: Pool, progress: ProgressDisplay | None = None
) -> list[Trial]:
    """Run the planned trials that the store lacks; return all finished ones, in the order of the plan.

    A trial that measures another's model comes after that one, its *parent*, which is run too if it is not in the
    store, or its weights are not kept beside it. Each trial is stored as soon as it is finished, so an interruption
    (Ctrl-C, a full disk, a kill) loses only the running trials, and calling again continues from there. A trial that
    fails is recorded with its error, and the rest go on; the next call tries it again. A training that diverged is a
    result, not a failure.

    Parameters
    ----------
    planned
        What `plan` returned.
    store
        Open for writing, unless nothing is missing.
    pool
        Runs the trials; it does not touch the store.
    progress
        Called for every trial found, started, finished, failed or interrupted.

    Raises
    ------
    ConfigurationError
        If a trial in the store lacks a required metric. A trial run now that lacks one has failed.
    OutputError
        If the store cannot be written.
    KeyboardInterrupt, TrainingInterrupted
        Passed on; finished trials are kept.
    """
    different = _different(planned)
    missing = {key: trial for key, trial in different.items() if key not in store}
    for found in (trial for key, trial in different.items() if key not in missing):
        _check_measured(found, *stored([found], store))
    first = _with_parents(missing, store)
    after = [trial for trial in missing.values() if trial.parent() is not None]
    total = {**first, **{trial.key: trial for trial in after}}
    herald = _Herald(progress, len(different.keys() | total.keys()), {key: one.cost for key, one in total.items()})
    for key, found in different.items():
        if key not in missing:
            herald.announce("found", found)
    _run(first, store, pool, herald)
    for _, group in groupby(after, key=lambda trial: trial.seed):  # the weights of one seed at a time are in memory
        _run({one.key: one for one in _with_weights(list(group), store, herald)}, store, pool, herald)
    return stored(planned, store)


def _with_parents(missing: Mapping[TrialKey, PlannedTrial], store: TrialStore) -> dict[TrialKey, PlannedTrial]:
    """Return the missing trials that have no parent, and the parents whose weights are missing, in the planned order.

    A parent that another arm plans as well is run once, for both.
    """
    found: dict[TrialKey, PlannedTrial] = {}
    for trial in missing.values():
        parent = trial.parent()
        if parent is None:
            found[trial.key] = replace(trial, keep_weights=trial.key in found and found[trial.key].keep_weights)
        elif kept_weights(store, parent.key) is None:
            own = found.get(parent.key, missing.get(parent.key, parent))
            found[parent.key] = replace(own, keep_weights=True)
    return found


def _with_weights(wanted: Sequence[PlannedTrial], store: TrialStore, herald: _Herald) -> Iterator[PlannedTrial]:
    """Yield trials with their parents' weights; one whose parent has none has failed."""
    for trial in wanted:
        parent = trial.parent()
        assert parent is not None
        weights = kept_weights(store, parent.key)
        if weights is not None:
            yield replace(trial, weights=weights)
            continue
        failed, diverged = store.failure(parent.key), parent.key in store
        why = failed.message if failed else "its training diverged" if diverged else "it left no weights"
        found = failure(ConvlensError(f"there is no network to measure: {why}"))
        store.put_failure(trial, found)
        herald.announce("failed", trial, failed=found)


def _different(planned: Sequence[PlannedTrial]) -> dict[TrialKey, PlannedTrial]:
    """Return the trials by key; one that several arms ask for must have what all of them must have."""
    found: dict[TrialKey, PlannedTrial] = {}
    for trial in planned:
        first = found.get(trial.key, trial)
        found[trial.key] = replace(
            first,
            metrics=tuple(dict.fromkeys((*first.metrics, *trial.metrics))),
            curves=tuple({curve.name: curve for curve in (*first.curves, *trial.curves)}.values()),
        )
    return found


def _run(missing: Mapping[TrialKey, PlannedTrial], store: TrialStore, pool: Pool, herald: _Herald) -> None:
    running: dict[TrialKey, PlannedTrial] = {}

    def begin(wanted: PlannedTrial) -> None:
        running[wanted.key] = wanted
        herald.announce("started", wanted)

    results = pool.run(list(missing.values()), begin)
    try:
        for key, result in results:
            running.pop(key, None)
            _keep(missing[key], result, store, herald)
    except (KeyboardInterrupt, TrainingInterrupted):
        for wanted in running.values():
            herald.announce("interrupted", wanted)
        raise
    finally:
        if isinstance(results, Generator):
            results.close()  # ends the processes now, not at garbage collection


def _keep(wanted: PlannedTrial, result: TrialOutcome | Failure, store: TrialStore, herald: _Herald) -> None:
    """Store a result and announce it; an outcome that lacks a metric is a failure."""
    if isinstance(result, TrialOutcome):
        try:
            _check_measured(wanted, result)
        except ConfigurationError as error:
            result = failure(error)
    if isinstance(result, Failure):
        store.put_failure(wanted, result)
        herald.announce("failed", wanted, failed=result)
    else:
        if result.weights is not None:
            keep_weights(store, wanted.key, result.weights)
        store.put(Trial.of(wanted, result, created=str(result.provenance.get("finished", now()))))
        herald.announce("finished", wanted, metrics=result.metrics)


def _check_measured(wanted: PlannedTrial, found: TrialOutcome | Trial) -> None:
    names = set(found.metrics)
    for name in wanted.metrics:
        if name not in names:
            raise ConfigurationError(
                f"{wanted.label} has no metric {name!r}{nearest(name, names)}. A study that measures "
                "more than others must say so in its arms' configurations, so that it shares no trial that lacks it"
            )
    for curve in wanted.curves:
        if curve.name not in found.curves:
            raise ConfigurationError(f"{wanted.label} has no curve {curve.name!r}{nearest(curve.name, found.curves)}")
        curve.check(found.curves[curve.name].shape)


class _Herald:
    """Calls the progress display; estimates the time left from the cost and time of the finished trials."""

    def __init__(self, progress: ProgressDisplay | None, total: int, missing: Mapping[TrialKey, float]) -> None:
        self._progress = progress
        self._total = total
        self._positions: dict[TrialKey, int] = {}
        self._started: dict[TrialKey, float] = {}
        self._cost_left = sum(missing.values())
        self._cost_paid = 0.0
        self._began = time.monotonic()

    def announce(
        self,
        kind: EventKind,
        planned: PlannedTrial,
        *,
        metrics: Mapping[str, float] | None = None,
        failed: Failure | None = None,
    ) -> None:
        # several trials run at once, so each has its number from the start
        position = self._positions.setdefault(planned.key, len(self._positions) + 1)
        took = None
        if kind == "started":
            self._started[planned.key] = time.monotonic()
        if kind in ("finished", "failed"):
            self._cost_left -= planned.cost
            self._cost_paid += planned.cost
            # a pool that says nothing of starts leaves the time open
            took = time.monotonic() - self._started[planned.key] if planned.key in self._started else None
        if self._progress is not None:
            left = self._seconds_left()
            self._progress(ProgressEvent(kind, planned, position, self._total, left, took, metrics, failed))

    def _seconds_left(self) -> float | None:
        if self._cost_paid == 0:
            return None
        return max(0.0, self._cost_left) * (time.monotonic() - self._began) / self._cost_paid
