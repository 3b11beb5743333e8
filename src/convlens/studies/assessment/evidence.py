"""From stored trials to the numbers and verdicts of one study.

Trials are matched to arms by configuration, never by name: a trial counts for every arm that describes the same run,
and for none if its arm has been changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import ConfigurationError, nearest
from ...plain import canonical
from ...typing import Array
from ..spec import Arm, Estimand, Metric, Profile, Study
from ..statistics.looks import Look
from ..statistics.stats import Interval
from ..statistics.two_way import Components, two_way
from ..statistics.verdict import Verdict
from ..trial import PlannedTrial, Trial, decisive
from .by_image import ByImage, components, mcnemar_by_seed
from .judgement import EstimandEvidence as EstimandEvidence
from .judgement import Sample, judge, metric_mean

TrialsByArm = Mapping[str, Sequence[Trial]]


@dataclass(frozen=True)
class ArmEvidence:
    """One arm's results: seeds, keys of trials, and an interval per metric (None without trials).

    ``components`` has the variance components of the accuracies whose predictions are stored, over all these seeds.
    """

    name: str
    seeds: tuple[int, ...]
    keys: tuple[str, ...]
    metrics: Mapping[str, Interval | None]
    components: Mapping[str, Components] = field(default_factory=dict)
    confidence: float = 0.95

    @property
    def two_way(self) -> dict[str, Interval]:
        """The interval for images in general, by name of the accuracy."""
        return {name: two_way(one).interval(self.confidence) for name, one in self.components.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "n": len(self.seeds),
            "seeds": list(self.seeds),
            "keys": list(self.keys),
            "metrics": {name: _dict(interval) for name, interval in self.metrics.items()},
            "two_way": {name: interval.to_dict() for name, interval in self.two_way.items()},
            "components": {name: one.to_dict() for name, one in self.components.items()},
            "spread": {name: _spread(one) for name, one in self.components.items()},
        }


@dataclass(frozen=True)
class Evidence:
    """Everything a study found under one profile.

    ``study`` includes the profile's overrides, so that it states the configurations as run, and ``declared`` is the
    study as it was declared; ``missing`` counts the declared trials that have not been run, up to the look that has
    begun; ``provenance`` lists the distinct values of each entry (versions, hardware, engine) among the trials.
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

    @property
    def by_image(self) -> ByImage:
        """What the trials' predictions said of all arms and estimands."""
        estimands = (self.primary, *self.secondary)
        return ByImage(
            {arm.name: arm.components for arm in self.arms if arm.components},
            {one.estimand.name: one.components for one in estimands if one.components is not None},
            {one.estimand.name: one.mcnemar for one in estimands if one.mcnemar},
        )

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


def assess(
    study: Study,
    trials: Iterable[Trial],
    profile: Profile,
    confidence: float = 0.95,
    failed: Iterable[PlannedTrial] = (),
    kept: ByImage | None = None,
) -> Evidence:
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
        Nominal coverage of the plain intervals; verdicts are drawn at the level of their look (`looks`).
    failed
        Trials that failed when they were last run: they are missing, and an incomplete verdict counts them.
    kept
        What the predictions of these very trials said: used for those that come without them.

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
    known = kept or ByImage()
    results = judge(resolved, samples(resolved, by_arm, profile, failed, known), confidence=confidence)
    return Evidence(
        study=resolved,
        profile=profile,
        numerics_version=versions[0] if versions else None,
        missing=_missing(profile, resolved, by_arm),
        arms=tuple(_arm_evidence(arm, by_arm[arm.name], resolved, confidence, known) for arm in resolved.arms),
        primary=results[0],
        secondary=tuple(results[1:]),
        provenance=_provenance(used.values()),
        declared=study,
    )


def samples(
    study: Study, trials_by_arm: TrialsByArm, profile: Profile, failed: Iterable[PlannedTrial], kept: ByImage
) -> dict[str, Sample]:
    """Return what the trials measured for each estimand, at the look at which it stands."""
    failures, metrics = tuple(failed), {metric.name: metric for metric in study.metrics}
    declared = {arm.name: profile.seeds_of(arm) for arm in study.arms}
    return {
        one.name: _sample(one, metrics[one.metric], trials_by_arm, declared, profile.all_looks, failures, kept)
        for one in study.estimands
    }


def _sample(
    estimand: Estimand,
    metric: Metric,
    trials_by_arm: TrialsByArm,
    declared: Mapping[str, tuple[int, ...]],
    looks: tuple[int, ...],
    failed: Sequence[PlannedTrial],
    kept: ByImage,
) -> Sample:
    names = [name for name in (estimand.arm, estimand.reference) if name is not None]
    seeds = min((declared[name] for name in names), key=len)
    present = set.intersection(*({trial.seed for trial in trials_by_arm[name]} for name in names))
    look = Look.reached(seeds, looks, present)
    counted = set(seeds[: look.seeds or None])
    own, *others = ([trial for trial in trials_by_arm[name] if trial.seed in counted] for name in names)
    other = others[0] if others else None
    return Sample(
        look,
        values(own, metric.name),
        None if other is None else values(other, metric.name),
        present=len(present),
        failed=sum(trial.arm in names and trial.seed in seeds for trial in failed),
        components=components(own, metric.name, other) or kept.estimands.get(estimand.name),
        folds=_folds(own, metric),
        reference_folds=None if other is None else _folds(other, metric),
        mcnemar=({} if other is None else mcnemar_by_seed(own, metric.name, other))
        or kept.mcnemar.get(estimand.name, {}),
    )


def _folds(trials: Iterable[Trial], metric: Metric) -> dict[int, Array]:
    if metric.folds is None:
        return {}
    return {trial.seed: trial.curves[metric.folds] for trial in trials if metric.folds in trial.curves}


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


def _missing(profile: Profile, study: Study, trials_by_arm: TrialsByArm) -> int:
    """Return how many trials are missing up to the look that the study has begun: the first, or a later one.

    A trial of a later look that another study ran, which shares the arm, does not begin that look here.
    """
    declared = {arm.name: profile.seeds_of(arm) for arm in study.arms}
    place = {seed: position for position, seed in enumerate(profile.seeds, 1)}
    own = (trial for trials in trials_by_arm.values() for trial in trials if trial.study == study.name)
    reached = max((place[trial.seed] for trial in own), default=1)
    look = next(look for look in profile.all_looks if look >= reached)
    found = {name: {trial.seed for trial in trials} for name, trials in trials_by_arm.items()}
    return sum(len(set(seeds[:look]) - found[name]) for name, seeds in declared.items())


def _arm_evidence(arm: Arm, trials: Sequence[Trial], study: Study, confidence: float, kept: ByImage) -> ArmEvidence:
    metrics: dict[str, Interval | None] = dict.fromkeys(metric.name for metric in study.metrics)
    by_name = {metric.name: metric for metric in study.metrics}
    for name in study.required_of(arm.name) if trials else ():
        found, metric = list(values(trials, name).values()), by_name[name]
        if found:
            metrics[name] = metric_mean(found, metric).interval(confidence)
    known = kept.arms.get(arm.name, {})
    found_components = {name: components(trials, name) or known.get(name) for name in metrics}
    return ArmEvidence(
        arm.name,
        tuple(t.seed for t in trials),
        tuple(t.key for t in trials),
        metrics,
        {name: one for name, one in found_components.items() if one is not None},
        confidence,
    )


def _provenance(trials: Iterable[Trial]) -> dict[str, list[Any]]:
    found: dict[str, dict[str, Any]] = {}
    for trial in trials:
        for name, value in trial.provenance.items():
            if name not in ("started", "finished"):
                found.setdefault(name, {})[canonical(value)] = value
    return {name: list(different.values()) for name, different in found.items()}


def _spread(found: Components) -> dict[str, float]:
    """Return how accuracies vary over runs: on these images, by their finite number alone, and on images in general."""
    return {
        "measured": found.spread,
        "binomial": found.binomial_spread,
        "distribution": found.distribution_spread,
    }


def _dict(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval.to_dict()
