"""The report's tables as plain rows, the same for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .. import wording
from ..claims.reproduction import Confusion
from ..claims.row import ClaimRow, compounds, stored_compounds
from ..figures import numbers
from ..studies.assessment.evidence import EstimandEvidence, Evidence
from ..studies.estimand import Estimand
from ..studies.metric import Metric
from ..studies.results.result import StudyResult
from ..studies.statistics.stats import Interval, mean_interval
from ..studies.statistics.superiority import Superiority
from ..studies.statistics.two_way import Components
from . import claim_words
from .words import MARKS, by_arithmetic, calculation, explanation


@dataclass(frozen=True)
class Rows:
    """A table as plain rows: the first cell of a row is its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def only(self, columns: Collection[str]) -> Rows:
        """Return the table with these columns alone, in its own order; it need not have all of them."""
        kept = [place for place, name in enumerate(self.columns) if name in columns]
        rows = [tuple(row[place] for place in kept) for row in self.rows]
        return Rows(self.caption, tuple(self.columns[place] for place in kept), rows)


@dataclass(frozen=True)
class ClaimView:
    """A sub-claim as displayed; ``stored`` is what the results that ship say of it, empty without any."""

    number: int
    claim: str
    claimed: str
    measured: str
    bounds: str
    n: str
    word: str
    label: str
    mark: str
    sentence: str
    command: str
    stored: str


@dataclass(frozen=True)
class ClaimSection:
    """A claim with its compound verdict, its rows, and the names of its figures."""

    number: int
    word: str
    label: str
    mark: str
    sentence: str
    stored: str
    rows: Sequence[ClaimView]
    figures: Sequence[str]


def claim_sections(claims: Sequence[ClaimRow], figures: Mapping[int, Sequence[str]]) -> list[ClaimSection]:
    """Return the claims, one after another, each with the names of its figures."""
    stored = stored_compounds(claims)
    return [
        ClaimSection(
            number,
            verdict.word,
            verdict.label,
            MARKS[verdict.word],
            verdict.sentence if len([row for row in claims if row.number == number and not row.beside]) > 1 else "",
            stored[number].label if number in stored and any(r.stored for r in claims if r.number == number) else "",
            [_claim_view(row) for row in claims if row.number == number],
            figures.get(number, ()),
        )
        for number, verdict in compounds(claims).items()
    ]


def _claim_view(row: ClaimRow) -> ClaimView:
    word = row.verdict.word
    if by_arithmetic(row.verdict):
        found, bounds, n, sentence = calculation(row.verdict), "", wording.NONE, "By arithmetic."
    else:
        found, bounds = claim_words.parts(row, row.interval) if row.interval else ("nothing yet", "")
        n = str(row.interval.n) if row.interval else "0"
        sentence = explanation(row.verdict, row.interval)
    return ClaimView(
        row.number,
        row.claim,
        row.claimed,
        found,
        bounds,
        n,
        word,
        row.verdict.label,
        MARKS[word],
        sentence,
        row.command,
        claim_words.stored(row),
    )


def arms_table(result: StudyResult) -> Rows:
    """Return the exact values of every arm, one column per metric of the study."""
    arms, metrics = result.arms, result.evidence.study.metrics
    largest = max((len(arm.evidence.seeds) for arm in arms), default=0)
    bounds = ", mean [95 % t-interval over seeds, accuracies for these test images]" if largest > 1 else ""
    rows = [
        (
            arm.name,
            str(len(arm.evidence.seeds)),
            *(numbers.in_unit(arm.evidence.metrics.get(m.name), m) for m in metrics),
        )
        for arm in arms
    ]
    return Rows(f"{result.name}: exact values{bounds}", ("arm", "n", *(m.label for m in metrics)), rows)


def spread_table(result: StudyResult) -> Rows:
    """Return how accuracies vary over seeds, on these images and on images in general, of arms with predictions."""
    metrics = {metric.name: metric for metric in result.evidence.study.metrics}
    rows = [
        (
            f"{arm.name}, {metrics[name].label}",
            str(found.n),
            *(wording.points(spread, 3).lstrip("+") for spread in _spreads(found)),
            _bounds(arm.two_way[name], metrics[name]),
        )
        for arm in result.evidence.arms
        for name, found in arm.components.items()
        if name == "test.accuracy"
    ]
    columns = ("arm", "n", "spread over seeds", "of it by the number of images", "on images in general",
               "95 % interval, images in general")  # fmt: skip
    return Rows(f"{result.name}: standard deviation over seeds, and the two-way interval", columns, rows)


def _bounds(interval: Interval, metric: Metric) -> str:
    return numbers.bounds(interval, metric.unit, digits=numbers.digits(metric, interval))


def _spreads(found: Components) -> tuple[float, float, float]:
    return found.spread, found.binomial_spread, found.distribution_spread


def metrics_table(result: StudyResult) -> Rows:
    """Return what the study declared of its metrics."""
    rows = [
        (
            metric.label,
            metric.name,
            metric.unit,
            wording.NONE if metric.resolution is None else f"{metric.resolution:.3g}",
            "the same" if metric.deterministic else "another",
            "the same" if metric.constant else "another",
            "all" if metric.arms is None else ", ".join(metric.arms),
        )
        for metric in result.evidence.study.metrics
    ]
    columns = ("metric", "name", "unit", "resolution, in the unit", "when repeated", "with another seed", "arms")
    return Rows(f"{result.name}: metrics, as declared", columns, rows)


def curves_table(result: StudyResult) -> Rows:
    """Return which curves every trial measured; the values are in ``results.json`` and in the store."""
    rows = [
        (
            arm.name,
            str(trial.seed),
            name,
            " x ".join(map(str, array.shape)),
            f"{array.min():.4g} to {array.max():.4g}" if array.size else wording.NONE,
        )
        for arm in result.arms
        for trial in arm.trials
        for name, array in sorted(trial.curves.items())
    ]
    return Rows(f"{result.name}: curves of every trial", ("arm", "seed", "curve", "shape", "values"), rows)


def failed_table(result: StudyResult) -> Rows:
    """Return the trials that failed, with their errors."""
    rows = [
        (one.planned.arm, str(one.planned.seed), "failed", f"{one.failure.error}: {one.failure.message}")
        for one in result.failed
    ]
    return Rows(
        f"{result.name}: trials that failed; the next run tries them again", ("arm", "seed", "state", "error"), rows
    )


def contrasts(evidence: Evidence) -> list[EstimandEvidence]:
    """Return the estimands of two arms, the primary one first."""
    return [one for one in (evidence.primary, *evidence.secondary) if one.estimand.reference is not None]


def contrasts_table(evidence: Evidence) -> Rows:
    """Return the study's contrasts, the primary one first."""
    found = contrasts(evidence)
    if not any(one.interval is not None and one.interval.n > 1 for one in found):
        return _differences_table(evidence, found)
    columns = ("contrast", "role", "difference", "95 % interval, these test images", "95 % interval, images in general",
               "n pairs", "claimed", "finding", "verdict", "by the interval", "p against the margin, adjusted",
               "P(first > second)", "McNemar's p, per seed pair")  # fmt: skip
    caption = f"{evidence.study.name}: contrasts, paired by seed, the primary one first"
    metrics = {metric.name: metric for metric in evidence.study.metrics}
    return Rows(caption, columns, [_contrast_row(one, metrics[one.estimand.metric]) for one in found])


def _differences_table(evidence: Evidence, found: Sequence[EstimandEvidence]) -> Rows:
    """Return the contrasts of a single seed: no intervals, p-values or verdicts."""
    metrics = {metric.name: metric for metric in evidence.study.metrics}
    rows = [
        (
            _contrast_name(one.estimand),
            numbers.difference_in_unit(one.interval, metrics[one.estimand.metric])[0],
            numbers.region(one.estimand.region, metrics[one.estimand.metric].unit, signed=True),
        )
        for one in found
    ]
    return Rows(f"{evidence.study.name}: contrasts, the primary one first", ("contrast", "difference", "claimed"), rows)


def _contrast_name(estimand: Estimand) -> str:
    metric = "" if estimand.metric == "test.accuracy" else f" ({estimand.metric})"
    return f"{estimand.name}{metric}: “{estimand.arm}” − “{estimand.reference}”"


def _contrast_row(found: EstimandEvidence, measured: Metric) -> tuple[str, ...]:
    estimand, interval = found.estimand, found.interval
    return (
        _contrast_name(estimand),
        found.role,
        *numbers.difference_in_unit(interval, measured),
        numbers.difference_in_unit(found.two_way, measured)[1],
        str(interval.n if interval else 0),
        numbers.region(estimand.region, measured.unit, signed=True),
        found.finding or wording.NONE,
        f"{MARKS[found.verdict.word]} {found.verdict.label}",
        _decided_by(found.adjusted, measured),
        wording.p_value(found.p_adjusted),
        _superiority(found.superiority),
        _mcnemar(found),
    )


def _decided_by(adjusted: Interval | None, measured: Metric) -> str:
    if adjusted is None:
        return wording.NONE
    return f"{100 * adjusted.confidence:.4g} % {numbers.difference_in_unit(adjusted, measured)[1]}"


def _superiority(found: Superiority | None) -> str:
    return wording.NONE if found is None else f"{found.probability:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _mcnemar(found: EstimandEvidence) -> str:
    p = sorted(test.p_value for test in found.mcnemar.values())
    if not p:
        return wording.NONE
    low, high = wording.p_value(p[0]), wording.p_value(p[-1])
    return low if low == high else f"{low} to {high}"


def confusion_table(confusion: Confusion) -> Rows:
    """Return the counts of the confusion matrix."""
    size = len(confusion.matrix)
    columns = ("true \\ predicted", *map(str, range(size)))
    rows = [(str(true), *(f"{count:,}" for count in confusion.matrix[true])) for true in range(size)]
    return Rows("Confusion matrix: number of test images, summed over seeds", columns, rows)


def seeds_table(result: StudyResult) -> Rows:
    """Return the primary metric of every trial."""
    study = result.evidence.study
    metric = next(one for one in study.metrics if one.name == study.primary.metric)
    arms = [(arm.name, arm.values(metric.name)) for arm in result.arms]
    failed = {(one.planned.arm, one.planned.seed) for one in result.failed}
    every = sorted({seed for _, values in arms for seed in values} | {seed for _, seed in failed})

    def shown(name: str, values: dict[int, float], seed: int) -> str:
        if seed not in values:
            return "failed" if (name, seed) in failed else wording.NONE
        return numbers.in_unit(mean_interval([values[seed]]), metric)

    rows = [(name, *(shown(name, values, seed) for seed in every)) for name, values in arms]
    return Rows(f"{result.name}: {metric.label} of every seed", ("arm", *(f"seed {seed}" for seed in every)), rows)
