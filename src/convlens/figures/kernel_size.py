"""Accuracy, parameters and FLOPs against the kernel size, as is and at equal cost, with every seed shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import ConvlensError
from ..nn import Conv2D
from ..nn.serialize import layers_from_data
from ..studies.results.result import ArmTrials, StudyResult
from ..studies.statistics.stats import Interval
from . import bars, numbers
from .context import setting
from .picture import Picture
from .style import Look, Series, empty

GROUPS = ("as is", "equal FLOPs", "3x3 as large", "3x3 stacked")
_NAME = "kernel-size"
_HEADING = "Accuracy and size against the kernel size"


@dataclass(frozen=True)
class Point:
    """One arm: its kernel size, how it was made comparable, and its results."""

    kernel: int
    group: str
    accuracies: tuple[float, ...]  # in per cent, one per seed
    interval: Interval
    parameters: float
    megaflops: float


def picture(result: StudyResult) -> Picture:
    """Return the figure of the kernel-size study."""
    points = [point for arm in result.arms if (point := _point(arm)) is not None]
    if not points:
        return Picture(_NAME, _HEADING, "No trial of the kernel-size study has been stored yet.")
    n = sorted({len(point.accuracies) for point in points})
    seeds = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    marks = "; large mark and bar: mean and 95 % t-interval" if n[-1] > 1 else ""
    cut = bars.CLIPPED if bars.clipped([p.interval for p in points], _limits(points), 100) else ""
    caption = (
        f"Test accuracy, parameters and cost of the CNN with kernels of 3x3, 5x5 and 7x7: as is (circles, solid), "
        f"with as many FLOPs as 3x3 (squares, dashed); a 3x3 network with as many parameters as each (triangles, "
        f"dotted), and one whose stacked 3x3 layers have the same receptive field (diamonds, dash-dotted). Small "
        f"hollow dots: every seed{marks}; n = {seeds} per point. {cut}The series share the 3x3 network. "
        + setting(result.arms)
    )
    described = "; ".join(
        f"{p.kernel}x{p.kernel} {p.group}: {numbers.measured(p.interval, signed=False)}, "
        f"{p.parameters:,.0f} parameters, {p.megaflops:.2f} MFLOP"
        for p in points
    )
    return Picture(
        _NAME, _HEADING, caption, f"Test accuracy and size against kernel size. {described}.", partial(_draw, points)
    )


def _limits(points: list[Point]) -> bars.Limits:
    values = [value for point in points for value in point.accuracies]
    return bars.limits(values, [point.interval for point in points], 100, "fraction")


def _point(arm: ArmTrials) -> Point | None:
    interval = arm.evidence.metrics.get("test.accuracy")
    kernel = _kernel(arm.arm.configuration)
    name, _, group = arm.name.partition(", ")
    group = group or GROUPS[0]
    for made_equal in GROUPS[2:]:  # place it at the kernel size that it is matched to
        if name.startswith(made_equal):
            kernel, group = int(name.rpartition("x")[2]), made_equal
    if interval is None or kernel is None or group not in GROUPS:
        return None
    mean = {name: float(np.mean(list(arm.values(name).values()) or [0.0])) for name in ("parameters", "flops")}
    accuracies = tuple(100 * value for value in arm.values("test.accuracy").values())
    return Point(kernel, group, accuracies, interval, mean["parameters"], mean["flops"] / 1e6)


def _kernel(configuration: Any) -> int | None:
    """Return the kernel size of the first convolution that a configuration describes."""
    try:
        layers = layers_from_data(configuration["model"]["layers"])
    except (KeyError, TypeError, ConvlensError):
        return None
    sizes = [layer.kernel_size for layer in layers if isinstance(layer, Conv2D)]
    first = sizes[0] if sizes else None
    return first if first is None or isinstance(first, int) else first[0]


def _draw(points: list[Point], look: Look) -> Figure:
    figure = look.figure(7.6 if look.narrow else 5.4)
    if look.narrow:
        grid = figure.add_gridspec(3, 1, height_ratios=(2.2, 1, 1))
        accuracy, parameters, cost = (figure.add_subplot(grid[row]) for row in range(3))
    else:
        grid = figure.add_gridspec(2, 2, width_ratios=(1.65, 1))
        accuracy = figure.add_subplot(grid[:, 0])
        parameters, cost = figure.add_subplot(grid[0, 1]), figure.add_subplot(grid[1, 1])
    accuracy.set_title("test accuracy, %")
    parameters.set_title("parameters, thousands")
    cost.set_title("MFLOP per image")
    within = _limits(points)
    for position, (group, series) in enumerate(zip(GROUPS, look.series[: len(GROUPS)], strict=True)):
        own = sorted(
            (p for p in points if p.group in (group, GROUPS[0]) and _belongs(p, group)), key=lambda p: p.kernel
        )
        shift = (position - 1.5) * 0.36  # side by side, so that no mark hides another
        _accuracies(accuracy, own, group, shift, series, look, within)
        x = [_place(p, shift * 0.5) for p in own]
        style: dict[str, Any] = {"color": series.colour, "marker": series.marker, "linestyle": series.line}
        parameters.plot(x, [p.parameters / 1000 for p in own], **style)
        cost.plot(x, [p.megaflops for p in own], label=group, **style)
    _finish(figure, (accuracy, parameters, cost), points, narrow=look.narrow)
    if not any(p.accuracies for p in points):
        empty(accuracy, "no trials", look)
    return figure


def _belongs(point: Point, group: str) -> bool:
    """Return whether a point is on a group's line; every line starts at the shared 3x3 network."""
    return point.group == group or point.kernel == 3


def _place(point: Point, shift: float) -> float:
    """Return a point's position: shifted aside, except 3x3, which all series share."""
    return point.kernel + (0 if point.kernel == 3 else shift)


def _accuracies(
    axes: Axes, points: list[Point], group: str, shift: float, series: Series, look: Look, within: bars.Limits
) -> None:
    axes.plot(
        [_place(p, shift) for p in points],
        [100 * p.interval.mean for p in points],
        color=series.colour,
        linestyle=series.line,
        linewidth=1.2,
        alpha=0.8,
    )
    for point in points:
        if point.group != group:  # the shared 3x3 network: its seeds are drawn once, with its own group
            continue
        x = _place(point, shift)
        many = point.interval.n > 1
        if many:
            bars.bar(axes, x, point.interval, within, 100, series, upright=True)
        beside = np.full(len(point.accuracies), x + (0.13 if many else 0))
        axes.plot(
            beside,
            point.accuracies,
            linestyle="none",
            marker=series.marker,
            markersize=look.type_size * (0.38 if many else 0.55),
            markerfacecolor=look.ground,
            markeredgecolor=series.colour,
        )


def _finish(figure: Figure, panels: tuple[Axes, Axes, Axes], points: list[Point], *, narrow: bool) -> None:
    kernels = sorted({p.kernel for p in points})
    for axes in panels:
        axes.set_xticks(kernels, [f"{k}x{k}" for k in kernels])
        axes.grid(visible=False, axis="x")
        axes.set_xlim(kernels[0] - 0.9, kernels[-1] + 0.9)
    panels[1].set_ylim(0, 1.15 * max(p.parameters for p in points) / 1000 or 1)
    panels[2].set_ylim(0, 1.15 * max(p.megaflops for p in points) or 1)
    panels[0].set_ylim(bars.spread(_limits(points)))
    panels[0].ticklabel_format(axis="y", useOffset=False)
    figure.legend(
        *panels[2].get_legend_handles_labels(),
        loc="outside upper left",
        ncols=2 if narrow else len(GROUPS),
        handlelength=2.6,
        columnspacing=1.0,
    )
