"""A metric over a factor that is a number, such as how many images a network was trained on: a line a series."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..studies.metric import Metric
from ..studies.results.result import ArmTrials, StudyResult
from . import numbers
from .context import setting
from .lines import MOST, Line, Panel, draw_lines
from .picture import Picture


def picture(result: StudyResult) -> Picture | None:
    """Return the figure; None unless two arms of a series have levels and a metric of the study's estimands."""
    study = result.evidence.study
    metrics = {metric.name: metric for metric in study.metrics}
    for name in dict.fromkeys(one.metric for one in study.estimands):
        series = _series(result.arms, name)
        if any(len(arms) > 1 for arms in series.values()):
            return _picture(result, metrics[name], series)
    return None


def _series(arms: Sequence[ArmTrials], metric: str) -> dict[str, list[ArmTrials]]:
    found: dict[str, list[ArmTrials]] = {}
    for arm in arms:
        if arm.arm.level is not None and arm.values(metric):
            found.setdefault(arm.arm.series or "all", []).append(arm)
    return {name: sorted(several, key=_level) for name, several in found.items()}


def _level(arm: ArmTrials) -> float:
    assert arm.arm.level is not None
    return arm.arm.level


def _picture(result: StudyResult, metric: Metric, series: dict[str, list[ArmTrials]]) -> Picture:
    study = result.evidence.study
    scale, unit = numbers.shown_scale(metric.unit), numbers.unit_of(metric.unit)
    lines = [
        Line(
            name,
            tuple(_level(arm) for arm in arms),
            tuple(tuple(scale * value for value in arm.values(metric.name).values()) for arm in arms),
            place % MOST,
        )
        for place, (name, arms) in enumerate(series.items())
    ]
    panels = [Panel("", tuple(lines[place : place + MOST])) for place in range(0, len(lines), MOST)]
    up = f"{metric.label}, {unit}" if unit else metric.label
    ends = "; ".join(
        f"{name}: {numbers.in_unit(arms[-1].evidence.metrics.get(metric.name), metric)} at {_level(arms[-1]):,g}"
        for name, arms in series.items()
    )
    every = [arm for arms in series.values() for arm in arms]
    n = max(len(arm.values(metric.name)) for arm in every)
    band = "Marks: means; band: 95 % t-interval over seeds; small hollow dots: every seed. " if n > 1 else ""
    return Picture(
        f"levels-{study.name}",
        f"{metric.label[0].upper()}{metric.label[1:]} over the {study.factor}",
        f"{band}A wide range of levels or of errors is drawn on a logarithmic axis. {setting(every[:1])}",
        f"{metric.label} over the {study.factor}. At the highest level: {ends}.",
        partial(draw_lines, panels, study.factor, up, (), percent=metric.unit == "fraction"),
    )
