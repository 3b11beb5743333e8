"""From stored trials to the numbers and verdicts of one study.

Trials are matched to arms by configuration, never by name: a trial counts for every arm that describes the same run,
and for none if its arm has been changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError, nearest
from ..plain import canonical
from .spec import Arm, Estimand, Profile, Study
from .stats import Interval, McNemar, holm, mcnemar_exact, mean_interval, paired_interval, paired_p_value
from .trial import Trial, decisive
from .verdict import Verdict, verdict_on

TrialsByArm = Mapping[str, Sequence[Trial]]


@dataclass(frozen=True)
class ArmEvidence:
    """One arm's results: seeds, keys of trials, and an interval per metric (None without trials)."""

    name: str
    seeds: tuple[int, ...]
    keys: tuple[str, ...]
    metrics: Mapping[str, Interval | None]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "n": len(self.seeds),
            "seeds": list(self.seeds),
            "keys": list(self.keys),
            "metrics": {name: _dict(interval) for name, interval in self.metrics.items()},
        }


@dataclass(frozen=True)
class EstimandEvidence:
    """One estimand's interval and verdict.

    ``p_value`` (paired t-test of no difference) and ``p_adjusted`` (Holm, over the study's contrasts) are None without
    a reference arm or with fewer than two pairs. ``mcnemar`` is secondary: one exact test per seed whose two trials
    stored labels and predictions; it compares two trained models, not two arms.
    """

    estimand: Estimand
    interval: Interval | None
    verdict: Verdict
    p_value: float | None
    p_adjusted: float | None
    mcnemar: Mapping[int, McNemar]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            **self.estimand.to_dict(),
            "interval": _dict(self.interval),
            "verdict": self.verdict.to_dict(),
            "p_value": self.p_value,
            "p_adjusted": self.p_adjusted,
            "mcnemar": {str(seed): test.to_dict() for seed, test in self.mcnemar.items()},
        }


@dataclass(frozen=True)
class Evidence:
    """Everything a study found under one profile.

    ``study`` includes the profile's overrides, so that it states the configurations as run, and ``declared`` is the
    study as it was declared; ``missing`` counts the declared trials that have not been run; ``provenance`` lists the
    distinct values of each entry (versions, hardware, engine) among the trials.
    """

    study: Study
    profile: Profile
    numerics_version: int | None
    missing: int
    arms: tuple[ArmEvidence, ...]
    primary: EstimandEvidence
    secondary: tuple[EstimandEvidence, ...]
    provenance: Mapping[str, Sequence[Any]]
    declared: Study

    @property
    def verdict(self) -> Verdict:
        """The primary estimand's verdict: the study's answer."""
        return self.primary.verdict

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "study": self.study.to_dict(),
            "profile": self.profile.to_dict(),
            "numerics_version": self.numerics_version,
            "missing": self.missing,
            "arms": [arm.to_dict() for arm in self.arms],
            "primary": self.primary.to_dict(),
            "secondary": [estimand.to_dict() for estimand in self.secondary],
            "provenance": {name: list(values) for name, values in self.provenance.items()},
        }


def values(trials: Iterable[Trial], metric: str) -> dict[int, float]:
    """Return the metric's values by seed, for the trials of one arm; a training that diverged has no times.

    Raises
    ------
    ConfigurationError
        If a trial lacks the metric, or two trials have the same seed.
    """
    found: dict[int, float] = {}
    for trial in trials:
        if trial.diverged and not trial.measured(metric):
            continue
        if metric not in trial.metrics:
            where = f"{trial.study}/{trial.arm}, seed {trial.seed}"
            raise ConfigurationError(f"{where} has no metric {metric!r}{nearest(metric, trial.metrics)}")
        if trial.seed in found:
            raise ConfigurationError(f"two trials of one arm have seed {trial.seed}; expected one per seed")
        found[trial.seed] = trial.metrics[metric]
    return found


def estimate(estimand: Estimand, trials_by_arm: TrialsByArm, confidence: float = 0.95) -> Interval | None:
    """Return the interval of an estimand, paired by seed if it has a reference; None if there are no values."""
    own, reference = _both(estimand, trials_by_arm)
    if reference is None:
        return mean_interval(list(own.values()), confidence) if own else None
    return paired_interval(own, reference, confidence) if own.keys() & reference.keys() else None


def assess(study: Study, trials: Iterable[Trial], profile: Profile, confidence: float = 0.95) -> Evidence:
    """Return what the trials say about the study's question.

    Parameters
    ----------
    study
        As declared, without the profile's overrides.
    trials
        Any trials; those of other configurations, or of seeds that the profile does not declare, are ignored.
    profile
        The profile that was run. Only its seeds count, so that seeds cannot be added until the result is as hoped.
    confidence
        Nominal coverage of every interval.

    Raises
    ------
    ConfigurationError
        If the trials are of several numerics versions, or lack a metric.
    """
    resolved = study.under(profile)
    by_arm = _by_arm(resolved, trials, profile)
    used = {trial.key: trial for arm_trials in by_arm.values() for trial in arm_trials}
    versions = sorted({trial.numerics_version for trial in used.values()})
    if len(versions) > 1:
        raise ConfigurationError(
            f"study {study.name!r}: trials of numerics versions {versions} cannot be compared; give those of one"
        )
    results = _results(resolved, by_arm, confidence)
    return Evidence(
        study=resolved,
        profile=profile,
        numerics_version=versions[0] if versions else None,
        missing=sum(len(profile.seeds_of(arm)) - len(by_arm[arm.name]) for arm in resolved.arms),
        arms=tuple(_arm_evidence(arm, by_arm[arm.name], resolved, confidence) for arm in resolved.arms),
        primary=results[0],
        secondary=tuple(results[1:]),
        provenance=_provenance(used.values()),
        declared=study,
    )


def mcnemar_by_seed(estimand: Estimand, trials_by_arm: TrialsByArm) -> dict[int, McNemar]:
    """Return McNemar's tests by seed, for an estimand that contrasts two arms' ``<split>.accuracy``.

    Empty for any other estimand. A seed is left out if one of its trials stored no predictions or labels of the split,
    or if the two trials have different labels.
    """
    split, _, name = estimand.metric.rpartition(".")
    if estimand.reference is None or name != "accuracy":
        return {}
    references = {trial.seed: trial for trial in trials_by_arm[estimand.reference]}
    tests = {}
    for trial in trials_by_arm[estimand.arm]:
        other = references.get(trial.seed)
        if other is None or not all(split in t.predictions and split in t.labels for t in (trial, other)):
            continue
        true = trial.labels[split]
        if true.tolist() == other.labels[split].tolist():
            tests[trial.seed] = mcnemar_exact(trial.predictions[split] == true, other.predictions[split] == true)
    return tests


def _results(study: Study, by_arm: TrialsByArm, confidence: float) -> list[EstimandEvidence]:
    p_values = {e.name: p for e in study.estimands if (p := _p_value(e, by_arm)) is not None}
    units = {metric.name: metric.unit for metric in study.metrics}
    adjusted = holm(p_values)
    return [
        EstimandEvidence(
            estimand,
            interval := estimate(estimand, by_arm, confidence),
            verdict_on(
                interval, estimand.region, units.get(estimand.metric, ""), signed=estimand.reference is not None
            ),
            p_values.get(estimand.name),
            adjusted.get(estimand.name),
            mcnemar_by_seed(estimand, by_arm),
        )
        for estimand in study.estimands
    ]


def _by_arm(study: Study, trials: Iterable[Trial], profile: Profile) -> dict[str, list[Trial]]:
    by_configuration: dict[str, dict[str, Trial]] = {}
    for trial in trials:  # by key, so that a trial given twice counts once
        by_configuration.setdefault(canonical(decisive(trial.configuration)), {})[trial.key] = trial
    found = {}
    for arm in study.arms:
        declared = profile.seeds_of(arm)
        same = by_configuration.get(canonical(decisive(arm.configuration)), {}).values()
        found[arm.name] = sorted((t for t in same if t.seed in declared), key=lambda t: declared.index(t.seed))
    return found


def _both(estimand: Estimand, trials_by_arm: TrialsByArm) -> tuple[dict[int, float], dict[int, float] | None]:
    own, reference = values(trials_by_arm[estimand.arm], estimand.metric), estimand.reference
    return own, None if reference is None else values(trials_by_arm[reference], estimand.metric)


def _p_value(estimand: Estimand, trials_by_arm: TrialsByArm) -> float | None:
    own, reference = _both(estimand, trials_by_arm)
    return None if reference is None else paired_p_value(own, reference)


def _arm_evidence(arm: Arm, trials: Sequence[Trial], study: Study, confidence: float) -> ArmEvidence:
    metrics: dict[str, Interval | None] = dict.fromkeys(metric.name for metric in study.metrics)
    for name in study.required_of(arm.name) if trials else ():
        found = list(values(trials, name).values())
        metrics[name] = mean_interval(found, confidence) if found else None
    return ArmEvidence(arm.name, tuple(t.seed for t in trials), tuple(t.key for t in trials), metrics)


def _provenance(trials: Iterable[Trial]) -> dict[str, list[Any]]:
    found: dict[str, dict[str, Any]] = {}
    for trial in trials:
        for name, value in trial.provenance.items():
            if name not in ("started", "finished"):
                found.setdefault(name, {})[canonical(value)] = value
    return {name: list(different.values()) for name, different in found.items()}


def _dict(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval.to_dict()
