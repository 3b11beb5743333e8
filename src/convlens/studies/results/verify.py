"""Run a trial again, and compare what it measures with what was kept: to the bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...plain import canonical
from ...version import NUMERICS_VERSION
from ..executors import ExecutionOptions, execute, executor_of
from ..trial import PlannedTrial, Trial, TrialOutcome
from .result import StudyResult
from .shipped import thinned


@dataclass(frozen=True)
class Verified:
    """A trial that was run again.

    Attributes
    ----------
    arm, seed, key
        Which trial.
    differences
        What is not the same, in words; empty if every bit is.
    exact
        Whether its executor promises the same bits on every machine.
    compared
        How many numbers were compared.
    """

    arm: str
    seed: int
    key: str
    differences: tuple[str, ...]
    exact: bool
    compared: int

    @property
    def same(self) -> bool:
        """Whether every bit is the same."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {**vars(self), "differences": list(self.differences), "same": self.same}


def verify_trials(
    result: StudyResult,
    count: int = 1,
    *,
    arm: str | None = None,
    options: ExecutionOptions | None = None,
    started: Callable[[str, int], object] = lambda _arm, _seed: None,
) -> list[Verified]:
    """Run the cheapest trials of a result again; a trial that measures a network trains that again as well.

    Parameters
    ----------
    result
        From the store, or stored with the package.
    count
        How many trials, one of each arm before a second of any.
    arm
        Only trials of this arm.
    options
        Engine and threads.
    started
        Called with arm and seed before each.

    Raises
    ------
    ConfigurationError
        If there is no such arm or no trial, or the result is of another version of the arithmetic: then there is
        nothing that could be equal.
    """
    version = result.evidence.numerics_version
    if version is not None and version != NUMERICS_VERSION:
        raise ConfigurationError(
            f"the result of {result.name!r} is of numerics version {version}, and this is version {NUMERICS_VERSION}: "
            "the bits differ by design; run the study again to compare"
        )
    return [_again(trial, of, options, started) for of, trial in _cheapest(result, arm)[:count]]


def _cheapest(result: StudyResult, arm: str | None) -> list[tuple[str, Trial]]:
    arms = sorted((one for one in result.arms if arm in (None, one.name)), key=lambda one: one.arm.cost)
    if not arms:
        known = ", ".join(repr(one.name) for one in result.arms)
        raise ConfigurationError(f"the study {result.name!r} has no arm {arm!r}; it has {known}")
    rounds = max((len(one.trials) for one in arms), default=0)
    found = [(one.name, one.trials[number]) for number in range(rounds) for one in arms if number < len(one.trials)]
    if not found:
        raise ConfigurationError(f"no trial of {result.name!r} is kept; run the study first: {result.command}")
    return found


def _again(trial: Trial, arm: str, options: ExecutionOptions | None, started: Callable[[str, int], object]) -> Verified:
    started(arm, trial.seed)
    planned = PlannedTrial(trial.study, arm, trial.seed, trial.configuration, NUMERICS_VERSION)
    found = execute(planned, options)
    differences = tuple(_differences(trial, found))
    compared = len(trial.metrics) + sum(a.size for a in (*trial.curves.values(), *trial.predictions.values()))
    return Verified(arm, trial.seed, trial.key, differences, executor_of(trial.configuration, arm).exact, compared)


def _differences(kept: Trial, found: TrialOutcome) -> Sequence[str]:
    differences = []
    for name, value in kept.metrics.items():
        if name.split(".")[0] in TIMES:
            continue
        if found.metrics.get(name) != value:
            differences.append(f"{name}: {value!r} was kept, and it is {found.metrics.get(name)!r}")
    for what in ("curves", "predictions"):
        for name, array in getattr(kept, what).items():
            again = getattr(found, what).get(name)
            if again is None or not np.array_equal(array, again.astype(array.dtype)):  # stored maps are float32
                differences.append(f"{what} of {name} differ")
    if kept.history and not _same_history(kept.history, found.history):
        differences.append("the history differs")
    return differences


TIMES = ("seconds", "images_per_second")
"""The first part of the names of metrics that differ from run to run."""


def _same_history(kept: Any, found: Any) -> bool:
    """Whether two histories are the same; the one kept may be thinned out."""
    return canonical(kept) in (canonical(found), canonical(thinned(found)))
