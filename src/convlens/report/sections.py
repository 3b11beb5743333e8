"""The report's tables and paragraphs as plain rows: the page and the Markdown show the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import wording
from ..claims.reproduction import ArmTrials, Confusion, Reproduction
from ..claims.rows import ClaimRow
from ..figures import numbers
from ..studies.evidence import EstimandEvidence, Evidence
from ..studies.stats import Interval
from .words import MARKS, by_arithmetic, calculation, explanation


@dataclass(frozen=True)
class Table:
    """A table: the first cell of a row is its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class ClaimView:
    """A claim's row as it is shown."""

    number: int
    claim: str
    claimed: str
    measured: str
    bounds: str
    n: str
    word: str
    mark: str
    sentence: str
    command: str


def claim_views(claims: Sequence[ClaimRow]) -> list[ClaimView]:
    """Return the claims as they are shown."""
    return [_claim_view(row) for row in claims]


def _claim_view(row: ClaimRow) -> ClaimView:
    word = row.verdict.word
    if by_arithmetic(row.verdict):
        found, bounds, n, sentence = calculation(row.verdict), "", wording.NONE, "By arithmetic."
    else:
        found, bounds = numbers.parts(row.interval) if row.interval else ("nothing yet", "")
        n = str(row.interval.n) if row.interval else "0"
        sentence = explanation(row.verdict, row.interval)
    return ClaimView(row.number, row.claim, row.claimed, found, bounds, n, word, MARKS[word], sentence, row.command)


def arms_table(reproduction: Reproduction, study: str) -> Table:
    """Return the exact values of every arm."""
    arms = reproduction.arms(study)
    largest = max((len(arm.evidence.seeds) for arm in arms), default=0)
    bounds = "mean [95 % t-interval over seeds]" if largest > 1 else "one seed: no interval"
    columns = ("arm", "n", "test accuracy", "validation accuracy", "train accuracy", "gap, train − validation",
               "parameters", "MFLOP an image", "seconds a training", "images a second")  # fmt: skip
    return Table(f"{study}: exact values, {bounds}", columns, [_arm_row(arm) for arm in arms])


def _arm_row(arm: ArmTrials) -> tuple[str, ...]:
    def shown(metric: str, *, signed: bool = False) -> str:
        return numbers.measured(arm.evidence.metrics.get(metric), signed=signed)

    def mean(metric: str, form: str, scale: float = 1.0) -> str:
        interval = arm.evidence.metrics.get(metric)
        return wording.NONE if interval is None else format(interval.mean * scale, form)

    accuracies = (shown(f"{split}.accuracy") for split in ("test", "validation", "train"))
    return (
        arm.name,
        str(len(arm.evidence.seeds)),
        *accuracies,
        shown("gap.accuracy", signed=True),
        mean("parameters", ",.0f"),
        mean("flops", ",.2f", 1e-6),
        mean("seconds.train", ",.1f"),
        mean("images_per_second", ",.0f"),
    )


def contrasts_table(evidence: Evidence) -> Table:
    """Return what the study's differences of arms came to; the first is the primary one."""
    found = [one for one in (evidence.primary, *evidence.secondary) if one.estimand.reference is not None]
    columns = ("contrast", "difference", "95 % interval", "n pairs", "claimed", "verdict", "p, Holm-adjusted",
               "McNemar's p, a seed pair each")  # fmt: skip
    caption = f"{evidence.study.name}: contrasts, paired by seed, the primary one first"
    return Table(caption, columns, [_contrast_row(one) for one in found])


def _contrast_row(found: EstimandEvidence) -> tuple[str, ...]:
    estimand, interval = found.estimand, found.interval
    metric = "" if estimand.metric == "test.accuracy" else f" ({estimand.metric})"
    return (
        f"{estimand.name}{metric}: “{estimand.arm}” − “{estimand.reference}”",
        wording.points(interval.mean) if interval else wording.NONE,
        _bounds(interval),
        str(interval.n if interval else 0),
        numbers.region(estimand.region, signed=True),
        f"{MARKS[found.verdict.word]} {found.verdict.word}",
        wording.p_value(found.p_adjusted),
        _mcnemar(found),
    )


def _bounds(interval: Interval | None) -> str:
    return (numbers.brackets(interval, signed=True) if interval else "") or wording.NONE


def _mcnemar(found: EstimandEvidence) -> str:
    p = sorted(test.p_value for test in found.mcnemar.values())
    if not p:
        return wording.NONE
    low, high = wording.p_value(p[0]), wording.p_value(p[-1])
    return low if low == high else f"{low} to {high}"


def confusion_table(confusion: Confusion) -> Table:
    """Return the counts of the confusion matrix."""
    size = len(confusion.matrix)
    columns = ("true \\ predicted", *map(str, range(size)))
    rows = [(str(true), *(f"{count:,}" for count in confusion.matrix[true])) for true in range(size)]
    return Table("Confusion matrix: number of test images, summed over seeds", columns, rows)


def seeds_table(reproduction: Reproduction, study: str) -> Table:
    """Return the test accuracy of every single training."""
    arms = [(arm.name, arm.values("test.accuracy")) for arm in reproduction.arms(study)]
    every = sorted({seed for _, values in arms for seed in values})
    rows = [(name, *(_accuracy(values, seed) for seed in every)) for name, values in arms]
    return Table(f"{study}: test accuracy of every seed", ("arm", *(f"seed {seed}" for seed in every)), rows)


def _accuracy(values: dict[int, float], seed: int) -> str:
    return wording.percent(values[seed]) if seed in values else wording.NONE


def total_training_seconds(reproduction: Reproduction) -> float:
    """Return the seconds that all trials trained, each counted once."""
    trials = {trial.key: trial for trials in reproduction.trials.values() for trial in trials}
    return float(np.sum([trial.metrics.get("seconds.train", 0.0) for trial in trials.values()]))
