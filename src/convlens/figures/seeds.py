"""Every seed of every arm, with mean and interval: arms that were trained on the same data share an axis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..studies.metric import Metric
from ..studies.results.result import ArmTrials, StudyResult
from . import bars, numbers
from .context import data_of, setting
from .picture import Picture
from .rows import Panel, Row, draw_rows


def picture(result: StudyResult) -> Picture:
    """Return the figure of the metrics that the study's estimands are about, until every arm is shown."""
    study = result.evidence.study
    shown = _metrics(result)
    name = f"seeds-{study.name}"
    if not shown:
        return Picture(name, "Every arm", "No trial has been stored yet, so there is nothing to draw.")
    label = shown[0][0].label
    heading = f"{label[0].upper()}{label[1:]} of every arm" if len(shown) == 1 else "Every arm"
    panels = [panel for metric, arms in shown for panel in _panels(metric, arms)]
    arms = [arm for _, found in shown for arm in found]
    means = "; ".join(f"{arm.arm.described}: {_value(arm, metric)}" for metric, found in shown for arm in found)
    caption = _caption(panels, arms)
    return Picture(name, heading, caption, f"{label} by arm. {means}.", partial(draw_rows, panels))


def _metrics(result: StudyResult) -> list[tuple[Metric, list[ArmTrials]]]:
    """Return metrics with the arms that measured them: the primary one, and others as long as they show new arms."""
    study = result.evidence.study
    by_name = {metric.name: metric for metric in study.metrics}
    wanted = dict.fromkeys((*(one.metric for one in study.estimands), *by_name))
    seen: set[str] = set()
    found = []
    for name in wanted:
        arms = [arm for arm in result.arms if arm.name not in seen and arm.values(name)]
        if arms:
            found.append((by_name[name], arms))
            seen |= {arm.name for arm in arms}
    return found


def _panels(metric: Metric, arms: Sequence[ArmTrials]) -> list[Panel]:
    groups: dict[str, list[ArmTrials]] = {}
    for arm in arms:
        groups.setdefault(data_of(arm), []).append(arm)
    unit = numbers.unit_of(metric.unit)
    title = f"{metric.label}, {unit}" if unit else metric.label
    return [
        Panel(
            title + (f": {data}" if len(groups) > 1 else ""),
            metric.unit,
            tuple(_row(arm, metric) for arm in group),
            numbers.shown_scale(metric.unit),
        )
        for data, group in groups.items()
    ]


def _row(arm: ArmTrials, metric: Metric) -> Row:
    values = tuple(arm.values(metric.name).values())
    interval = arm.evidence.metrics.get(metric.name)
    return Row(arm.arm.described, values, interval, note=_value(arm, metric).partition(" [")[0])


def _value(arm: ArmTrials, metric: Metric) -> str:
    return numbers.in_unit(arm.evidence.metrics.get(metric.name), metric)


def _caption(panels: Sequence[Panel], arms: Sequence[ArmTrials]) -> str:
    n = sorted({len(row.values) for panel in panels for row in panel.rows})
    seeds = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    dots = "Hollow dots: every seed" if n[-1] > 1 else "Circles: one seed each"
    words = "Bar with mark: mean and 95 % t-interval over seeds. " if n[-1] > 1 else ""
    words += bars.CLIPPED if any(panel.clipped for panel in panels) else ""
    return f"{dots}, n = {seeds} per arm. {words}{setting(arms)}".strip()
