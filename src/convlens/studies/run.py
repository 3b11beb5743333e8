"""Run a study in one call, or read what has been run; the answer is a `StudyResult`.

All studies of a folder share one store, so a trial that two of them need is run once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from .. import models
from ..engine.lanes import thread_count
from ..errors import ConfigurationError, TrainingInterrupted
from ..files import make_folder
from ..version import NUMERICS_VERSION
from .assessment.evidence import assess
from .catalog import entry
from .executors import ExecutionOptions, execute
from .needs import left_out, without
from .notebook_line import notebook_line
from .pools.pool import LocalPool, Pool, now
from .pools.processes import ProcessPool
from .results.result import FailedTrial, StudyResult
from .runner import ProgressDisplay, failures, plan, run_trials, stored
from .spec import Profile, Study
from .storage.register import record_verdict, register, registrations, verdicts
from .storage.store import TrialStore
from .trial import PlannedTrial

FOLDER = Path("out/studies")
"""Where trials and reports are kept if nobody names a folder: of studies, and of the claims."""

STORE = "trials.sqlite"
"""Name of the store in a folder of results."""

CHECKPOINTS = "checkpoints"
"""Folder beside it, for trainings that were stopped."""


@dataclass(frozen=True)
class _Planned:
    study: Study
    declared: Profile
    profile: Profile  # the declared one, without the arms that are left out here
    trials: list[PlannedTrial]  # of all looks: any may be in the store
    up_to_look: list[PlannedTrial]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def here(self, store: TrialStore) -> _Planned:
        """Return what of it can be run or shown here: see `convlens.studies.needs`."""
        absent = left_out(self.study, self.declared, store)
        return replace(
            self,
            profile=without(self.study, self.declared, absent),
            trials=[trial for trial in self.trials if trial.arm not in absent],
            up_to_look=[trial for trial in self.up_to_look if trial.arm not in absent],
            left_out=absent,
        )


def run_study(
    study: str | Study,
    profile: str | Profile = "standard",
    *,
    folder: str | Path,
    pool: Pool | None = None,
    options: ExecutionOptions | None = None,
    threads: int | None = None,
    progress: ProgressDisplay | None = None,
    until_settled: bool = False,
    most_seeds: int | None = None,
) -> StudyResult:
    """Run the missing trials of a study, and return the result. Nothing is printed; a notebook shows a line.

    A profile with several looks is run up to the first one. With `until_settled` it goes on to the next look as long as
    the primary estimand's verdict is open, by the rule declared in the profile: each look is drawn at the level that
    keeps the error rate of all of them together.

    Parameters
    ----------
    study, profile
        Names from the catalogue, or a `Study` and a `Profile`.
    folder
        Folder of the store of trials; created if needed.
    pool
        What runs the trials; by default this process if `threads` is 1, otherwise one process per thread.
    options
        Engine, and folders for models and checkpoints. A pool brings its own, so it is not given with one. Without a
        folder for checkpoints it is ``checkpoints`` beside the store, so that a stopped training continues from where
        it was, if it ran in this process; one that ran side by side with others begins again.
    threads
        How many to use; None for all that this process may use. Not given with a pool either.
    progress
        Called with a `ProgressEvent` for every trial found, started, finished, failed or interrupted; in a notebook, by
        default, one line that is updated.
    until_settled
        Whether to go on to later looks while the verdict is open.
    most_seeds
        Stop before a look with more seeds than this; None for no limit but the declared one.

    Raises
    ------
    ConfigurationError
        If the study or the profile is unknown, a configuration has a key that its executor does not know, or options
        or threads are given together with a pool.
    TrainingInterrupted
        After Ctrl-C; finished trials are kept, and the same call continues from there.
    OutputError, ArtifactError
        If the store cannot be written, or is damaged.
    """
    described, size = _chosen(study, profile)
    if most_seeds is not None and not until_settled:
        raise ConfigurationError("most_seeds limits how far a study goes on until it is settled; ask for that too")
    used = options if pool is not None else resumable(options, folder)
    looks = range(1, len(size.all_looks) + 1 if until_settled else 2)
    for look in (one for one in looks if one == 1 or size.all_looks[one - 1] <= (most_seeds or size.all_looks[-1])):
        (result,) = run_studies(
            [(described, size)], folder=folder, pool=pool, options=used, threads=threads, progress=progress, look=look
        ).values()
        if result.evidence.missing or result.verdict.word != "inconclusive":
            break
    return result


def run_studies(
    wanted: Sequence[tuple[Study, Profile]],
    *,
    folder: str | Path,
    pool: Pool | None = None,
    options: ExecutionOptions | None = None,
    threads: int | None = None,
    progress: ProgressDisplay | None = None,
    look: int = 1,
) -> dict[str, StudyResult]:
    """Run several studies into one store; return the results by name of the study. See `run_study`.

    Parameters
    ----------
    wanted
        Studies, each with its profile.
    folder, pool, options, threads, progress
        As for `run_study`.
    look
        The look up to which they are run, counted from 1; a study with fewer looks is run up to its last.

    Raises
    ------
    ConfigurationError
        Also if two of them have one name, as one study under two profiles has.
    """
    began, started = time.perf_counter(), now()
    if pool is not None and (options is not None or threads is not None):
        raise ConfigurationError(
            "a pool brings its own options and threads: give them to what it executes, or leave the pool out"
        )
    names = [study.name for study, _ in wanted]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"the study {name!r} is asked for twice; run each of its profiles in its own call")
    planned, shown = _plans(wanted, look), progress or notebook_line()
    with TrialStore(Path(folder) / STORE) as store:
        plans = [one.here(store) for one in planned]
        everything = [trial for one in plans for trial in one.up_to_look]
        try:
            for one in plans:
                register(store, one.study, one.declared)
            if any(trial.key not in store for trial in everything):
                used = pool or default_pool(options, threads)
                run_trials(everything, store, used, shown)
            else:
                run_trials(everything, store, LocalPool(execute), shown)  # reports what was found, and runs nothing
        except (TrainingInterrupted, KeyboardInterrupt):
            kept = len({trial.key for trial in stored(everything, store)})
            raise TrainingInterrupted(
                f"stopped; {kept} finished trials are kept in {folder}: repeat the command to go on"
            ) from None
        finally:
            with contextlib.suppress(OSError):  # not there, or it holds trainings that were stopped
                (Path(folder) / CHECKPOINTS).rmdir()
        found = _results(plans, store, folder, began, started)
        for one in plans:
            _record(one, found[one.study.name], store)
        return _results(plans, store, folder, began, started)


def resumable(options: ExecutionOptions | None, folder: str | Path) -> ExecutionOptions:
    """Return options with which a training that is stopped saves itself beside the store, if they name no place."""
    given = options or ExecutionOptions()
    if given.checkpoints_folder is not None:
        return given
    make_folder(Path(folder) / CHECKPOINTS)
    return replace(given, checkpoints_folder=Path(folder) / CHECKPOINTS)


def read_study(study: str | Study, profile: str | Profile = "standard", *, folder: str | Path) -> StudyResult:
    """Return the result of the trials already in a folder; nothing is run or written.

    Raises
    ------
    ArtifactError
        If there is no store in the folder, or it is damaged.
    """
    began, started = time.perf_counter(), now()
    (planned,) = _plans([_chosen(study, profile)])
    with TrialStore(Path(folder) / STORE, read_only=True) as store:
        (result,) = _results([planned.here(store)], store, folder, began, started).values()
    return result


def default_pool(options: ExecutionOptions | None = None, threads: int | None = None) -> Pool:
    """Return the default pool: trials of one thread each, as many in parallel as there are threads.

    That takes less time than one trial at a time on all threads, and gives the same bits. Hooks run only in this
    process, so they are called only if there is one thread.
    """
    given, at_once = options or ExecutionOptions(), thread_count(threads)
    used = replace(given, threads=1, side_by_side=at_once)
    if at_once == 1:
        return LocalPool(partial(execute, options=used))
    engine = models.build("baseline").use(used.engine, 1).engine.name  # compiles once, before the processes start
    return ProcessPool(partial(execute, options=replace(used, engine=engine, hooks=())), at_once)


def _chosen(study: str | Study, profile: str | Profile) -> tuple[Study, Profile]:
    listed = entry(study) if isinstance(study, str) else None
    if isinstance(profile, str):
        profile = (listed or entry(_name(study))).profile(profile)
    return (study if isinstance(study, Study) else entry(study).study()), profile


def _name(study: str | Study) -> str:
    return study if isinstance(study, str) else study.name


def _plans(wanted: Sequence[tuple[Study, Profile]], look: int = 1) -> list[_Planned]:
    def planned(study: Study, profile: Profile) -> list[PlannedTrial]:
        return plan(study, profile, numerics_version=NUMERICS_VERSION)

    return [
        _Planned(study, size, size, planned(study, size), planned(study, size.up_to(min(look, len(size.all_looks)))))
        for study, size in wanted
    ]


def _record(planned: _Planned, result: StudyResult, store: TrialStore) -> None:
    """Write down the verdict, if all trials of a look are there."""
    interval = result.evidence.primary.interval
    if interval is not None and not result.evidence.missing:
        record_verdict(store, planned.study, planned.declared, interval.n, result.verdict.sentence)


def _results(
    plans: Sequence[_Planned], store: TrialStore, folder: str | Path, began: float, started: str
) -> dict[str, StudyResult]:
    found = {}
    for one in plans:
        trials = stored(one.trials, store)
        failed = [FailedTrial(planned, failure) for planned, failure in failures(one.trials, store)]
        evidence = assess(one.study, trials, one.profile, failed=[trial.planned for trial in failed])
        command = f"convlens study run {one.study.name} --profile {one.profile.name} --out {folder}"
        found[one.study.name] = StudyResult(
            evidence,
            trials,
            failed,
            command,
            time.perf_counter() - began,
            started,
            registrations(store, one.study.name, one.profile.name),
            verdicts(store, one.study.name, one.profile.name),
            one.left_out,
            networks=_networks(one.trials, store),
        )
    return found


def _networks(planned: Sequence[PlannedTrial], store: TrialStore) -> dict[str, float]:
    """Return how long each network took to train that one of the trials measures, by the key of its training."""
    parents = (trial.parent() for trial in planned if trial.key in store)
    different = {parent.key: parent for parent in parents if parent is not None}
    trained = {trial.key: trial.seconds for trial in stored(different.values(), store)}
    return {key: seconds for key, seconds in trained.items() if seconds is not None}
