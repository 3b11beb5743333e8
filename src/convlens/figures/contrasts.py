"""What a study's estimands came to: the paired differences themselves, each with its interval and its margin."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from ..studies.assessment.evidence import EstimandEvidence
from ..studies.estimand import Estimand
from ..studies.metric import Metric
from ..studies.results.result import ArmTrials, StudyResult
from ..wording import NONE, count
from . import bars, numbers
from .picture import Picture
from .rows import Panel, Row, draw_rows

_FINER = 6.0
"""Rows that reach this many times as far as others get an axis of their own; on theirs, those would be a dot."""


def picture(result: StudyResult, only: Collection[str] | None = None, name: str = "") -> Picture | None:
    """Return the figure of a study's estimands; None if nothing was measured.

    Parameters
    ----------
    result
        The study.
    only
        Names of the estimands to show; None for all.
    name
        Of the figure; by default that of the study's contrasts.
    """
    evidence = result.evidence
    found = [one for one in (evidence.primary, *evidence.secondary) if only is None or one.estimand.name in only]
    panels = _panels(result, [one for one in found if one.interval is not None])
    if not panels:
        return None
    heading = "The differences themselves" if any(panel.zero for panel in panels) else "The values themselves"
    return Picture(
        name or f"contrasts-{result.name}",
        heading,
        _caption(panels, found),
        _alt(result, found),
        partial(draw_rows, panels),
    )


def _panels(result: StudyResult, found: Sequence[EstimandEvidence]) -> list[Panel]:
    """Return a panel for each metric; several where some differences are far larger than others."""
    metrics = {metric.name: metric for metric in result.evidence.study.metrics}
    grouped: dict[tuple[str, bool], list[tuple[Row, Estimand]]] = {}
    for one in found:
        key = one.estimand.metric, one.estimand.reference is not None
        grouped.setdefault(key, []).append((_row(result, one), one.estimand))
    panels = []
    for (name, contrast), rows in grouped.items():
        metric, scale = metrics[name], numbers.shown_scale(metrics[name].unit)
        unit = numbers.unit_of(metric.unit, signed=contrast)
        title = f"{metric.label}: difference, {unit}" if contrast else f"{metric.label}, {unit}"
        groups = _by_size(rows) if contrast else [[row for row, _ in rows]]
        panels += [Panel(title, metric.unit, tuple(group), scale, zero=contrast) for group in groups]
    return panels


def _by_size(rows: list[tuple[Row, Estimand]]) -> list[list[Row]]:
    """Return the rows in groups of similar reach, in their order within each; that of the first row comes first."""
    groups: list[list[Row]] = []
    reached = 0.0
    for row in sorted((row for row, _ in rows), key=_reach):
        if not groups or _reach(row) > _FINER * reached:
            groups.append([])
            reached = _reach(row)
        groups[-1].append(row)
    order = {id(row): place for place, (row, _) in enumerate(rows)}
    ordered = [sorted(group, key=lambda row: order[id(row)]) for group in groups]
    return sorted(ordered, key=lambda group: order[id(group[0])])


def _reach(row: Row) -> float:
    return max(map(abs, (*row.values, *row.bounds)), default=0.0)


def _row(result: StudyResult, found: EstimandEvidence) -> Row:
    estimand, evidence = found.estimand, result.evidence
    metric = next(one for one in evidence.study.metrics if one.name == estimand.metric)
    margin = estimand.margin
    shaded = (estimand.region.low, estimand.region.high) if margin is None else (-margin, margin) if margin else None
    return Row(
        estimand.name,
        tuple(_values(result, found).values()),
        found.adjusted or found.interval,
        found.two_way,
        shaded,
        ("primary: " if found.role == "confirmatory" else "") + _note(found, metric),
        found.role == "confirmatory",
    )


def _note(found: EstimandEvidence, metric: Metric) -> str:
    """Return what stands at a row's end: its finding; before there is one, the mean."""
    if found.finding is not None:
        return found.finding
    if found.verdict.decided or found.verdict.word == "inconclusive":
        return found.verdict.word
    return numbers.difference_in_unit(found.interval, metric)[0] if found.estimand.reference else NONE


def _values(result: StudyResult, found: EstimandEvidence) -> dict[int, float]:
    """Return the values by seed, of the seeds that count."""
    arms: dict[str, ArmTrials] = {arm.name: arm for arm in result.arms}
    estimand, counted = found.estimand, result.evidence.profile.seeds[: found.look.seeds or None]
    own = {seed: v for seed, v in arms[estimand.arm].values(estimand.metric).items() if seed in counted}
    if estimand.reference is None:
        return own
    other = arms[estimand.reference].values(estimand.metric)
    return {seed: value - other[seed] for seed, value in own.items() if seed in other}


def _caption(panels: Sequence[Panel], found: Sequence[EstimandEvidence]) -> str:
    rows = [row for panel in panels for row in panel.rows]
    n = sorted({len(row.values) for row in rows})
    seeds = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    many = n[-1] > 1
    parts = [f"Hollow dots: {'every seed' if many else 'the one seed'}, n = {seeds}"]
    if any(panel.zero for panel in panels):
        parts[0] += "; where two arms are compared, the difference under the same seed"
    if many:
        parts.append("Bar with mark: mean and the interval over seeds by which it is decided, for these test images")
    if any(row.general is not None for row in rows):
        parts.append("Dashed line: 95 % interval for images in general")
    if any(one.estimand.margin for one in found):
        parts.append("Shaded around zero: differences too small to matter, within the declared margin")
    if any(one.estimand.margin is None for one in found):
        parts.append("Shaded elsewhere: the values for which the claim is true")
    if any(panel.clipped for panel in panels):
        parts.append(bars.CLIPPED.strip().rstrip("."))
    return ". ".join(parts) + "."


def _alt(result: StudyResult, found: Sequence[EstimandEvidence]) -> str:
    metrics: dict[str, Any] = {metric.name: metric for metric in result.evidence.study.metrics}
    said = []
    for one in found:
        if one.interval is not None:
            metric, signed = metrics[one.estimand.metric], one.estimand.reference is not None
            value = numbers.with_unit(
                one.interval, metric.unit, signed=signed, digits=numbers.digits(metric, one.interval)
            )
            said.append(f"{one.estimand.name}: {value}, {one.finding or one.verdict.word}")
    return f"{count(len(said), 'estimand')} of {result.name}. {'; '.join(said)}."
