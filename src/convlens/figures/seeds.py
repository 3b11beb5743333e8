"""The primary metric of any study: every seed of every arm, with mean and interval, one row per arm."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..studies.metric import Metric
from ..studies.result import ArmTrials, StudyResult
from ..studies.stats import Interval
from . import numbers
from .picture import Picture
from .style import Look, shortened


def picture(result: StudyResult) -> Picture:
    """Return the figure of the metric that the study's primary estimand is about."""
    study = result.evidence.study
    metric = next(one for one in study.metrics if one.name == study.primary.metric)
    heading, name = f"Every seed of every arm: {metric.label}", f"seeds-{study.name}"
    arms = [arm for arm in result.arms if arm.values(metric.name)]
    if not arms:
        return Picture(name, heading, "No trial has been stored yet, so there is nothing to draw.")
    n = sorted({len(arm.trials) for arm in arms})
    seeds = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    bars = "Bar with mark: mean and 95 % t-interval over seeds. " if n[-1] > 1 else ""
    caption = f"{metric.label}, by arm. Hollow dots: every seed, n = {seeds} per arm. {bars}"
    means = "; ".join(f"{arm.name}: {_value(arm, metric)}" for arm in arms)
    return Picture(name, heading, caption.strip(), f"{metric.label} by arm. {means}.", partial(_draw, arms, metric))


def _value(arm: ArmTrials, metric: Metric) -> str:
    return numbers.in_unit(arm.evidence.metrics.get(metric.name), metric)


def _draw(arms: list[ArmTrials], metric: Metric, look: Look) -> Figure:
    figure = look.figure(0.9 + len(arms) * (0.42 if look.narrow else 0.5))
    axes, series = figure.add_subplot(), look.series[0]
    scale = 100.0 if metric.unit in numbers.FRACTIONS else 1.0
    for row, arm in enumerate(arms):
        values = [scale * value for value in arm.values(metric.name).values()]
        interval = arm.evidence.metrics.get(metric.name)
        many = interval is not None and interval.n > 1
        if interval is not None and many:
            _bar(axes, row, interval, scale, look)
        axes.plot(
            values,
            np.full(len(values), row + (0.22 if many else 0)),
            linestyle="none",
            marker=series.marker,
            markersize=look.type_size * 0.42,
            markerfacecolor=look.ground,
            markeredgecolor=series.colour,
        )
    axes.set_yticks(range(len(arms)), [shortened(arm.name, 22 if look.narrow else 40) for arm in arms])
    axes.set_ylim(len(arms) - 0.4, -0.6)  # the first arm on top
    axes.grid(visible=False, axis="y")
    axes.ticklabel_format(axis="x", useOffset=False)
    unit = {"fraction": "%", "difference of fractions": "points"}.get(metric.unit, metric.unit)
    axes.set_xlabel(f"{metric.label}, {unit}")
    return figure


def _bar(axes: Axes, row: int, interval: Interval, scale: float, look: Look) -> None:
    series, error = look.series[0], scale * interval.half_width
    axes.errorbar(scale * interval.mean, row, xerr=error, color=series.colour, marker=series.marker, capsize=4)
