"""The result of a study: its evidence, its trials, and those that failed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...markup import html_table
from ...typing import Array
from ...wording import NONE, bare, quantity
from ..arm import Arm
from ..assessment.evidence import ArmEvidence, Evidence
from ..metric import Metric
from ..statistics.stats import Interval
from ..statistics.verdict import Verdict
from ..storage.register import DrawnVerdict, Registration
from ..trial import Failure, PlannedTrial, Trial

LARGEST_CURVE = 1000
"""Numbers of a curve that `StudyResult.to_dict` writes out; of a larger one the store alone has the values."""


@dataclass(frozen=True)
class ArmTrials:
    """An arm: its declaration, its results, and its trials."""

    arm: Arm
    evidence: ArmEvidence
    trials: tuple[Trial, ...]

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.arm.name

    def values(self, metric: str) -> dict[int, float]:
        """Return the metric by seed, of the trials that measured it."""
        return {trial.seed: trial.metrics[metric] for trial in self.trials if trial.measured(metric)}

    def series(self, metric: str) -> dict[int, list[float]]:
        """Return the metric after every epoch, by seed; trials without such a history (diverged) are left out."""
        found = {}
        for trial in self.trials:
            rows = trial.history if isinstance(trial.history, list) else []
            values = [row[metric] for row in rows if metric in row]
            if values and len(values) == len(rows):
                found[trial.seed] = values
        return found


@dataclass(frozen=True)
class FailedTrial:
    """A trial that failed; it counts as missing, and the next run tries it again."""

    planned: PlannedTrial
    failure: Failure

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        planned, failure = self.planned, self.failure
        return {
            "arm": planned.arm,
            "seed": planned.seed,
            "key": planned.key,
            "error": failure.error,
            "message": failure.message,
            "created": failure.created,
        }


@dataclass(frozen=True)
class StudyResult:
    """One study under one profile, as far as it has been run.

    Attributes
    ----------
    evidence
        Intervals and verdicts, computed from the trials alone.
    trials
        All finished trials of the plan, including those that another study ran first.
    failed
        Trials that failed when they were last run.
    command
        The command that repeats it.
    seconds
        Wall time of this call; trials found in the store take none, and nor does a result that ships.
    started
        Time of the call, or of the first trial of a result that ships: ISO 8601, UTC.
    declared
        What was declared before the first trial, and every change of it, oldest first.
    drawn
        Every verdict that was drawn, oldest first.
    left_out
        Arms that are left out because their data are not on this computer, and what each needs.
    stored
        Whether it ships with the package: measured earlier, by the code at the commit that `declared` names.
    networks
        Seconds that each network took to train that a trial measured, by the key of its training.
    """

    evidence: Evidence
    trials: Sequence[Trial]
    failed: Sequence[FailedTrial]
    command: str
    seconds: float
    started: str
    declared: Sequence[Registration] = ()
    drawn: Sequence[DrawnVerdict] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    stored: bool = False
    networks: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The study's name."""
        return self.evidence.study.name

    @property
    def verdict(self) -> Verdict:
        """The study's answer."""
        return self.evidence.verdict

    @property
    def arms(self) -> list[ArmTrials]:
        """The arms with their trials, in the order in which they were declared."""
        by_key = {str(trial.key): trial for trial in self.trials}
        described = {arm.name: arm for arm in self.evidence.study.arms}
        return [
            ArmTrials(described[arm.name], arm, tuple(by_key[key] for key in arm.keys if key in by_key))
            for arm in self.evidence.arms
        ]

    def __repr__(self) -> str:
        state = self.verdict.label if self.trials else "nothing measured yet"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<StudyResult: {self.name}, {self._size}{failed}: {state}>"

    def _repr_html_(self) -> str:
        primary, study = self.evidence.primary, self.evidence.study
        metric = next(one for one in study.metrics if one.name == primary.estimand.metric)
        wanted = (primary.estimand.arm, primary.estimand.reference)
        found = {arm.name: arm.evidence.metrics.get(metric.name) for arm in self.arms if arm.name in wanted}
        rows = [(name, *_mean(one, metric)) for name, one in found.items()]
        if primary.estimand.reference is not None:
            rows.append(("difference, paired by seed", *_mean(primary.interval, metric, signed=True)))
        title = f"{self.name}, {self._size}. {study.question} {self.verdict.sentence}"
        interval = f"{100 * (primary.interval.confidence if primary.interval else 0.95):.4g} % interval"
        return html_table(title, ("arm", f"{metric.label}, mean", interval, "seeds"), rows)

    @property
    def _size(self) -> str:
        found, missing = sum(len(arm.trials) for arm in self.arms), self.evidence.missing
        of_all = f" of {found + missing}" if missing else ""
        return f"{self.evidence.profile.name}, {found}{of_all} trials"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: the evidence, and every trial under each arm that it counts for.

        A trial's curves are there with shape, type and SHA-256, and with their values up to `LARGEST_CURVE` numbers.
        The study's metrics state their units, resolutions and whether they are deterministic.
        """
        return {
            **self.evidence.to_dict(),
            "trials": [_trial(arm.name, trial) for arm in self.arms for trial in arm.trials],
            "failed": [one.to_dict() for one in self.failed],
            "declared": [one.to_dict() for one in self.declared],
            "drawn": [one.to_dict() for one in self.drawn],
            "left_out": dict(self.left_out),
            "networks": dict(self.networks),
            "stored": self.stored,
        }


def different_trials(results: Iterable[StudyResult]) -> list[Trial]:
    """Return every trial of the results once, even if several of them share it."""
    return list({trial.key: trial for result in results for trial in result.trials}.values())


def _mean(interval: Interval | None, metric: Metric, *, signed: bool = False) -> tuple[str, str, int]:
    """Return mean, bounds and number of seeds, as a row of a table has them."""
    if interval is None:
        return NONE, NONE, 0
    mean = quantity(interval.mean, metric.unit, signed=signed)
    if not math.isfinite(interval.half_width):
        return mean, NONE, interval.n
    low, high = (bare(end, metric.unit, signed=signed) for end in (interval.low, interval.high))
    return mean, f"{low} to {high}", interval.n


def _trial(arm: str, trial: Trial) -> dict[str, Any]:
    return {
        "arm": arm,
        "seed": trial.seed,
        "key": trial.key,
        "numerics_version": trial.numerics_version,
        "metrics": dict(trial.metrics),
        "curves": {name: _curve(array) for name, array in trial.curves.items()},
        "history": trial.history,
        "provenance": dict(trial.provenance),
        "created": trial.created,
    }


def _curve(array: Array) -> dict[str, Any]:
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    return {
        "shape": list(array.shape),
        "type": little_endian.dtype.str,
        "sha256": hashlib.sha256(little_endian.tobytes()).hexdigest(),
        "values": array.tolist() if array.size <= LARGEST_CURVE else None,
    }
