"""Tuning: finds the peak learning rate of every arm that asks for one, before a study is run.

Stage 1, here: every rate of the grid with every tuning seed, on a subset of the training images, judged on validation;
the test set is not read. Stage 2 is the study: `convlens.studies.tuned.tuned` gives an arm the winner, and the seeds
are others. The trainings are trials like any other, in the same store, so tuning that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from typing import Any

from ..errors import ConvlensError, TrainingInterrupted
from ..files import require_writable, write_atomically
from ..plain import replaced
from ..version import NUMERICS_VERSION
from .catalog import entries, entry
from .executors import ExecutionOptions
from .executors.training_configuration import load_data
from .needs import needs
from .pools.pool import Pool
from .results.result import FailedTrial
from .run import STORE, default_pool, resumable
from .runner import ProgressDisplay, failures, run_trials, stored
from .spec import Study
from .storage.store import TrialStore
from .trial import NAMES, PlannedTrial
from .tuned import PROTOCOL, RATE, TUNED, TunedRate, rate_key, rates_file, read_rates, trainings

ACCURACY, LOSS = "validation.accuracy", "validation.loss"
_SEEDS = {"split": 0, "subset": "trial", "initialisation": "trial", "shuffle": "trial"}
_LONGEST_LABEL = 80  # characters; the name of a trial adds the rate


@dataclass(frozen=True)
class Tuning:
    """What tuning came to.

    Attributes
    ----------
    rates
        The tuned rates of all arms asked for, by the name of the first arm of each network: ``"kernel-size/3x3"``.
    failed
        The trials that failed. Their networks are not in `rates`; tuning again tries them again.
    left_out
        Studies that cannot be described here, and why; arms whose data are not on this computer, and what they need.
    """

    rates: Mapping[str, TunedRate]
    failed: Sequence[FailedTrial] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def tune(
    names: Sequence[str] = (),
    *,
    folder: str | Path,
    file: str | Path | None = None,
    pool: Pool | None = None,
    options: ExecutionOptions | None = None,
    threads: int | None = None,
    progress: ProgressDisplay | None = None,
) -> Tuning:
    """Tune the arms of studies that have no rate yet, and keep the rates of all in a file. Nothing is printed.

    Parameters
    ----------
    names
        Of studies; by default the whole catalogue. Then rates that no study asks for any more leave the file.
    folder
        Folder of the store of trials; see `convlens.studies.run_study`, which says what the others are, too.
    file
        Where the rates are kept; by default the file in the package, where `tuned` looks.

    Raises
    ------
    ConfigurationError
        If a study is unknown, or asks for something that cannot be trained.
    TrainingInterrupted
        After Ctrl-C; finished trials are kept, and the same call continues from there.
    OutputError
        If the store or the file cannot be written; found out before anything is trained.
    """
    path = Path(file or TUNED)
    require_writable(path)
    left_out: dict[str, str] = {}
    wanted = networks(_studies(names, left_out))
    known = read_rates(path)
    missing = {key: one for key, one in wanted.items() if key not in known and not needs(one.configuration)}
    left_out |= {one.label: f"needs: {how}" for one in wanted.values() if (how := needs(one.configuration))}
    trials = {key: _trials(one) for key, one in missing.items()}
    done, failed = _run(trials, folder, pool, options, threads, progress)
    kept = known if names or left_out else {key: rate for key, rate in known.items() if key in wanted}
    found = {**kept, **done}
    if found != known or not path.exists():
        write_atomically(path, rates_file(found))
    return Tuning({one.label: found[key] for key, one in wanted.items() if key in found}, failed, left_out)


@dataclass(frozen=True)
class Network:
    """A network that asks for a rate: the configuration of its training, and the arm that asked first."""

    label: str
    configuration: Mapping[str, Any] = field(hash=False)
    cost: float


def networks(studies: Sequence[Study]) -> dict[str, Network]:
    """Return the different networks of studies that ask for a tuned rate, by `rate_key`.

    An arm asks for one by `tuned`: its rate is missing, or is the tuned one.
    """
    known, found = read_rates(), dict[str, Network]()
    for study in studies:
        for arm in study.arms:
            for configuration in trainings(arm.configuration):
                key, rate = rate_key(configuration), configuration["recipe"]["schedule"]["rate"]
                if rate is None or (key in known and rate == known[key].rate):
                    found.setdefault(key, Network(f"{study.name}/{arm.name}", configuration, arm.cost))
    return found


def _studies(names: Sequence[str], left_out: dict[str, str]) -> list[Study]:
    """Return the studies of these names, or all that can be described here; the others go to `left_out`."""
    if names:
        return [entry(name).study() for name in dict.fromkeys(names)]
    found = []
    for name, one in entries(left_out).items():
        try:
            found.append(one.study())
        except ConvlensError as error:  # its data are not here
            left_out[name] = str(error)
    return found


def _trials(network: Network) -> list[PlannedTrial]:
    """Return the tuning trials of a network: the grid, then the same with the next seed."""
    given, most = network.configuration, PROTOCOL.train_images
    few = _images(given[NAMES]["data"], given["data"]["validation_fraction"]) <= most
    settings: dict[str, Any] = {
        "data.train_images": None if few else most,
        "data.test": False,
        "recipe.epochs": PROTOCOL.epochs,
        "seeds": _SEEDS,
    }
    return [
        PlannedTrial(
            study="tuning",
            arm=f"{network.label[:_LONGEST_LABEL].strip()} at {rate:g}",
            seed=seed,
            configuration=replaced(given, {**settings, RATE: rate}),
            numerics_version=NUMERICS_VERSION,
            cost=network.cost,
            metrics=(ACCURACY, LOSS),
        )
        for seed in PROTOCOL.seeds
        for rate in PROTOCOL.grid
    ]


@lru_cache(maxsize=16)
def _images(dataset: str, validation_fraction: float) -> int:
    return len(load_data(dataset, validation_fraction).train)


def _run(
    trials: Mapping[str, Sequence[PlannedTrial]],
    folder: str | Path,
    pool: Pool | None,
    options: ExecutionOptions | None,
    threads: int | None,
    progress: ProgressDisplay | None,
) -> tuple[dict[str, TunedRate], list[FailedTrial]]:
    """Run what the store lacks; return the rates of the networks whose trials are all there, and what failed."""
    everything = [trial for planned in trials.values() for trial in planned]
    if not everything:
        return {}, []
    with TrialStore(Path(folder) / STORE) as store:
        try:
            run_trials(everything, store, pool or default_pool(resumable(options, folder), threads), progress)
        except (TrainingInterrupted, KeyboardInterrupt):
            raise TrainingInterrupted(
                f"stopped; {len(stored(everything, store))} of {len(everything)} trials are kept in {folder}: repeat "
                "the command to go on"
            ) from None
        failed = [FailedTrial(planned, failure) for planned, failure in failures(everything, store)]
        broken = {one.planned.key for one in failed}
        whole = {
            key: _chosen(planned, store)
            for key, planned in trials.items()
            if broken.isdisjoint(trial.key for trial in planned)
        }
    return whole, failed


def _chosen(planned: Sequence[PlannedTrial], store: TrialStore) -> TunedRate:
    """Return the winner of a network's trials, by their means over the seeds."""
    trials = stored(planned, store)
    names: Any = planned[0].configuration[NAMES]

    def means(metric: str) -> tuple[float, ...]:
        n = len(PROTOCOL.grid)
        return tuple(fmean(trial.metrics[metric] for trial in trials[place::n]) for place in range(n))

    return TunedRate.chosen(names, means(ACCURACY), means(LOSS))
