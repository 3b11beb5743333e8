"""The primary metric of any study: every seed of every arm, with mean and interval, one row per arm."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from ..studies.metric import Metric
from ..studies.result import ArmTrials, StudyResult, setting
from ..studies.stats import Interval
from . import bars, numbers
from .picture import Picture
from .style import Look, shortened


def picture(result: StudyResult) -> Picture:
    """Return the figure of the metric that the study's primary estimand is about."""
    study = result.evidence.study
    metric = next(one for one in study.metrics if one.name == study.primary.metric)
    heading, name = f"{metric.label[0].upper()}{metric.label[1:]} of every arm", f"seeds-{study.name}"
    arms = [arm for arm in result.arms if arm.values(metric.name)]
    if not arms:
        return Picture(name, heading, "No trial has been stored yet, so there is nothing to draw.")
    n = sorted({len(arm.trials) for arm in arms})
    seeds = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    words = "Bar with mark: mean and 95 % t-interval over seeds. " if n[-1] > 1 else ""
    if bars.clipped(_intervals(arms, metric), _limits(arms, metric), _scale(metric)):
        words += bars.CLIPPED
    dots = "Hollow dots: every seed" if n[-1] > 1 else "Circles: one seed each"
    caption = f"{dots}, n = {seeds} per arm. {words}{setting(arms)}"
    means = "; ".join(f"{arm.arm.described}: {_value(arm, metric)}" for arm in arms)
    return Picture(name, heading, caption.strip(), f"{metric.label} by arm. {means}.", partial(_draw, arms, metric))


def _label(arm: ArmTrials, look: Look) -> str:
    """Return what the arm is; on a phone, each part of it on its own line."""
    parts = arm.arm.described.split("; ") if look.narrow else [arm.arm.described]
    return "\n".join(shortened(part, 22 if look.narrow else 48) for part in parts)


def _value(arm: ArmTrials, metric: Metric) -> str:
    return numbers.in_unit(arm.evidence.metrics.get(metric.name), metric)


def _scale(metric: Metric) -> float:
    return 100.0 if metric.unit in numbers.FRACTIONS else 1.0


def _intervals(arms: list[ArmTrials], metric: Metric) -> list[Interval]:
    found = (arm.evidence.metrics.get(metric.name) for arm in arms)
    return [interval for interval in found if interval is not None]


def _limits(arms: list[ArmTrials], metric: Metric) -> bars.Limits:
    values = [_scale(metric) * value for arm in arms for value in arm.values(metric.name).values()]
    return bars.limits(values, _intervals(arms, metric), _scale(metric), metric.unit)


def _draw(arms: list[ArmTrials], metric: Metric, look: Look) -> Figure:
    figure = look.figure(0.9 + len(arms) * (0.42 if look.narrow else 0.5))
    axes, series = figure.add_subplot(), look.series[0]
    scale, within = _scale(metric), _limits(arms, metric)
    for row, arm in enumerate(arms):
        values = [scale * value for value in arm.values(metric.name).values()]
        interval = arm.evidence.metrics.get(metric.name)
        many = interval is not None and interval.n > 1
        if interval is not None and many:
            bars.bar(axes, row, interval, within, scale, series)
        axes.plot(
            values,
            np.full(len(values), row + (0.22 if many else 0)),
            linestyle="none",
            marker=series.marker,
            markersize=look.type_size * (0.42 if many else 0.75),
            markerfacecolor=look.ground,
            markeredgecolor=series.colour,
        )
    axes.set_yticks(range(len(arms)), [_label(arm, look) for arm in arms])
    axes.set_ylim(len(arms) - 0.4, -0.6)  # the first arm on top
    axes.set_xlim(bars.spread(within))
    axes.grid(visible=False, axis="y")
    axes.ticklabel_format(axis="x", useOffset=False)
    unit = {"fraction": "%", "difference of fractions": "points"}.get(metric.unit, metric.unit)
    axes.set_xlabel(f"{metric.label}, {unit}")
    return figure
