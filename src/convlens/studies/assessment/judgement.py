"""From what was measured for each estimand to its finding and verdict.

How errors are kept to 5 %: the primary estimand alone is confirmatory, and decided at its look's level. All others are
exploratory: together they are one family, decided by Holm's method at the same level. Every decision is one-sided at
half the level, so a false *better* comes from the primary in at most 2.5 %, from the family in at most 2.5 %, and from
all in at most 5 %; ``benchmarks/coverage.py`` measures it. The same two arms and metric asked about twice are one
member of the family, whatever the margins: where an interval lies is right or wrong about all of them at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from ..estimand import Estimand
from ..metric import Metric
from ..spec import Study
from ..statistics.cross_validation import cross_validation_estimate
from ..statistics.finding import Finding, finding, holm_factors, placing_p
from ..statistics.looks import Look
from ..statistics.mcnemar import McNemar
from ..statistics.power import SeedsNeeded, seeds_needed
from ..statistics.stats import Estimate, Interval, mean_estimate, paired_estimate
from ..statistics.superiority import Superiority
from ..statistics.two_way import Components, two_way
from ..statistics.verdict import Verdict, no_verdict, verdict_on

Role: TypeAlias = Literal["confirmatory", "exploratory"]
Asked: TypeAlias = tuple[str, frozenset[str]]  # a metric and the arms: what makes two estimands one contrast


@dataclass(frozen=True)
class Sample:
    """What was measured for an estimand, of the seeds that count.

    Attributes
    ----------
    look
        Where it stands.
    own, reference
        The metric by seed, of the arm and of its reference (None without one); only seeds of the look, or all that are
        in before the first look.
    present
        Number of seeds of which every trial is in; may be more than those of the look.
    failed
        Trials that failed when they were last run.
    components
        Variance components over seeds and images, of the arm or of the paired differences; None without predictions.
    folds, reference_folds
        For repeated cross-validation: the folds' values by seed (a repeat).
    mcnemar
        McNemar's tests by seed.
    """

    look: Look
    own: Mapping[int, float]
    reference: Mapping[int, float] | None = None
    present: int = 0
    failed: int = 0
    components: Components | None = None
    folds: Mapping[int, np.ndarray[Any, Any]] = field(default_factory=dict)
    reference_folds: Mapping[int, np.ndarray[Any, Any]] | None = None
    mcnemar: Mapping[int, McNemar] = field(default_factory=dict)


@dataclass(frozen=True)
class EstimandEvidence:
    """One estimand's intervals, finding and verdict.

    Attributes
    ----------
    estimand
        As declared.
    role
        ``"confirmatory"`` for the primary estimand, ``"exploratory"`` for all others.
    look
        At which look it stands, and which is next.
    interval
        The 95 % t-interval over seeds, for these test images; None if nothing was measured.
    adjusted
        The interval by which it is decided: at the look's level and, for exploratory ones, with Holm's adjustment. None
        if nothing may be decided yet.
    two_way
        The 95 % interval for images in general; None without stored predictions.
    finding
        Better, equivalent, worse or inconclusive, against the estimand's margin; None without a margin, for a preview
        and an incomplete look.
    verdict
        The verdict on the claim, for these test images.
    general
        The verdict by the two-way interval: a claim about images in general needs both. None without it.
    p_value, p_adjusted
        One-sided, against the margin or the claim's bounds (`finding.placing_p`), and adjusted; decisive at half
        the look's level. None where nothing may be decided yet, and for what is constant.
    superiority
        P(A > B) over the seeds; None without a reference.
    components
        Variance components over seeds and images, from which the two-way interval comes.
    mcnemar
        Secondary: one exact test per seed whose two trials stored labels and predictions; it compares two trained
        models, not two arms.
    """

    estimand: Estimand
    role: Role
    look: Look
    interval: Interval | None
    adjusted: Interval | None
    two_way: Interval | None
    finding: Finding | None
    verdict: Verdict
    general: Verdict | None
    p_value: float | None
    p_adjusted: float | None
    superiority: Superiority | None
    components: Components | None
    mcnemar: Mapping[int, McNemar]

    @property
    def needed(self) -> SeedsNeeded | None:
        """Seeds for 80 % power in a new run, of an open verdict."""
        return self.verdict.needed

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        parts = ("interval", "adjusted", "two_way", "verdict", "general", "superiority", "components")
        found = {name: getattr(self, name) for name in parts}
        return {
            **self.estimand.to_dict(),
            "role": self.role,
            "look": self.look.to_dict(),
            **{name: None if part is None else part.to_dict() for name, part in found.items()},
            "finding": self.finding,
            "p_value": self.p_value,
            "p_adjusted": self.p_adjusted,
            "mcnemar": {str(seed): test.to_dict() for seed, test in self.mcnemar.items()},
        }


@dataclass(frozen=True)
class _Question:
    """An estimand with what was measured for it, before anything is decided."""

    estimand: Estimand
    metric: Metric
    sample: Sample
    estimate: Estimate | None

    @property
    def asked(self) -> Asked:
        return self.estimand.metric, frozenset({self.estimand.arm, self.estimand.reference or self.estimand.arm})

    @property
    def open(self) -> bool:
        """Whether it may be decided, by its p-values."""
        return self.sample.look.complete and not self.sample.look.preview and not self.metric.constant

    def placed(self) -> float:
        """Return the p-value of its place."""
        return 1.0 if self.estimate is None else placing_p(self.estimate, self.estimand.cuts)


def judge(
    study: Study, samples: Mapping[str, Sample], primary: str | None = None, confidence: float = 0.95
) -> list[EstimandEvidence]:
    """Return the evidence on each estimand of a study, in their order.

    Parameters
    ----------
    study
        As declared.
    samples
        What was measured, by name of the estimand; estimands without a sample are left out.
    primary
        Name of the confirmatory estimand; the study's where None.
    confidence
        Nominal coverage of the plain intervals.
    """
    metrics = {metric.name: metric for metric in study.metrics}
    questions = [
        _Question(one, metrics[one.metric], sample := samples[one.name], _estimate(metrics[one.metric], sample))
        for one in study.estimands
        if one.name in samples
    ]
    first = primary or study.primary.name
    alone = {question.asked for question in questions if question.estimand.name == first}
    levels = _family([one for one in questions if one.open and one.asked not in alone])
    return [
        _evidence(
            question,
            "confirmatory" if question.estimand.name == first else "exploratory",
            levels.get(question.asked, question.sample.look.level),
            confidence,
        )
        for question in questions
    ]


def _family(questions: Sequence[_Question]) -> dict[Asked, float]:
    """Return the level at which each contrast of the family is decided, by Holm's method.

    A contrast that several estimands ask about is settled once it has its place among the cuts of all of them.
    """
    contrasts: dict[Asked, float] = {}
    for question in questions:
        contrasts[question.asked] = max(question.placed(), contrasts.get(question.asked, 0.0))
    lowest = min((question.sample.look.level for question in questions), default=1.0)
    return {asked: lowest / factor for asked, factor in holm_factors(contrasts, lowest).items()}


def metric_mean(values: Collection[float], metric: Metric) -> Estimate:
    """Return the mean of a metric's values, one a seed, by what the metric declares of them."""
    method = f"t over seeds{_about(metric)}"
    return mean_estimate(list(values), resolution=metric.resolution, constant=metric.constant, method=method)


def _estimate(metric: Metric, sample: Sample) -> Estimate | None:
    """Return the estimate: over folds if the metric has them, else paired if there is a reference, else of the mean."""
    own, other = sample.own, sample.reference
    if not own or (other is not None and not own.keys() & other.keys()):
        return None
    if metric.folds is not None:
        return _over_folds(metric, sample)
    if other is None:
        return metric_mean(own.values(), metric)
    method = f"paired t over seeds{_about(metric)}"
    return paired_estimate(own, other, resolution=metric.resolution, constant=metric.constant, method=method)


def _about(metric: Metric) -> str:
    """Return what an interval over seeds holds for: test accuracy, for the images tested on."""
    return ", for these test images" if metric.name.startswith("test.") else ""


def _over_folds(metric: Metric, sample: Sample) -> Estimate:
    own, other = sample.folds, sample.reference_folds
    if other is None:
        return cross_validation_estimate(np.stack([own[seed] for seed in sorted(own)]), resolution=metric.resolution)
    shared = sorted(own.keys() & other.keys())
    table = np.stack([own[seed] - other[seed] for seed in shared])
    return cross_validation_estimate(table, resolution=metric.resolution)


def _evidence(question: _Question, role: Role, level: float, confidence: float) -> EstimandEvidence:
    estimand, sample, estimate, metric = question.estimand, question.sample, question.estimate, question.metric
    judged = estimate is not None and sample.look.complete and not sample.look.preview
    adjusted = estimate.interval(1 - level) if judged and estimate is not None else None
    general = two_way(sample.components) if sample.components and metric.folds is None else None
    p = question.placed() if judged and question.open else None
    pairs = None if sample.reference is None else sample.own.keys() & sample.reference.keys()
    return EstimandEvidence(
        estimand,
        role,
        sample.look,
        interval=None if estimate is None else estimate.interval(confidence),
        adjusted=adjusted,
        two_way=None if general is None else general.interval(confidence),
        finding=None if adjusted is None or estimand.margin is None else finding(adjusted, estimand.margin),
        verdict=_verdict(question, adjusted),
        general=None if general is None or adjusted is None else _on(question, general, general.interval(1 - level)),
        p_value=p,
        p_adjusted=None if p is None else min(1.0, p * sample.look.level / level),
        superiority=Superiority.of(sample.own, sample.reference) if pairs and sample.reference is not None else None,
        components=sample.components,
        mcnemar=sample.mcnemar,
    )


def _verdict(question: _Question, adjusted: Interval | None) -> Verdict:
    sample = question.sample
    if not sample.look.complete or sample.look.preview:
        return no_verdict(sample.look, sample.present, sample.failed)
    if adjusted is None or question.estimate is None:
        return Verdict("inconclusive", "Inconclusive: no trial has measured it.")
    return _on(question, question.estimate, adjusted)


def _on(question: _Question, estimate: Estimate, decided_by: Interval) -> Verdict:
    estimand = question.estimand
    return verdict_on(
        decided_by,
        estimand.region,
        question.metric.unit,
        signed=estimand.reference is not None,
        needed=seeds_needed(estimate, estimand.region.bounds),
    )
