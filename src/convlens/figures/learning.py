"""Learning curves: accuracy after every epoch, one panel per arm, with every seed shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from ..studies.results.result import ArmTrials, StudyResult
from .context import setting
from .lines import LEAST, error_axis
from .picture import Picture
from .style import Look, Series, empty

SPLITS = ("train", "validation")
_MARKS = 8  # on a line, about

Points = list[tuple[int, float]]  # epoch, and error in per cent after it
Curves = dict[str, dict[int, Points]]  # by split and seed


def picture(result: StudyResult) -> Picture | None:
    """Return the learning curves of a study's trainings; None if there are none, or all had one epoch: a point."""
    study = result.name
    arms = [arm for arm in result.arms if _trains(arm)]
    heading = f"Learning curves: {study}"
    name = f"learning-curves-{study}"
    curves = [(arm.name, _curves(arm)) for arm in arms]
    absent = {arm.name: _absent(arm) for arm in arms}
    if not any(any(found.values()) for _, found in curves):
        if result.trials:
            return None
        return Picture(name, heading, "No training history has been stored yet, so there is nothing to draw.")
    n = sorted({len(arm.trials) for arm in arms})
    seeds = f"{n[0]}" if len(n) == 1 else f"{n[0]} to {n[-1]}"
    many = n[-1] > 1
    caption = (
        f"Accuracy after every epoch; one panel per arm, n = {seeds} seed{'s' if many else ''} each. "
        + ("Thick: mean; thin: every seed; band: lowest to highest seed. " if many else "")
        + "Solid with circles: validation images; dashed with squares: training images, as a running mean over the "
        "epoch while the weights were still changing (which is why it may lie below validation). The axis is "
        "logarithmic in the error, so that equal heights are equal factors of the error. " + setting(arms)
    )
    return Picture(name, heading, caption, _alt(curves), partial(_draw, curves, absent))


def of_results(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> Picture:
    """Return the learning curves of trainings, as `Run.to_dict` gives them: a panel a name, with every seed."""
    curves = [(name, {split: _of_runs(runs, split) for split in SPLITS}) for name, runs in results.items()]
    heading, name = "Learning curves", "learning-curves"
    if not any(any(found.values()) for _, found in curves):
        return Picture(name, heading, "Every training had one epoch, and a point is not a curve.")
    caption = "Accuracy after every epoch. Thick: mean over seeds; thin: every seed; band: lowest to highest seed."
    absent = dict.fromkeys(results, "one epoch: no curve")
    return Picture(name, heading, caption, _alt(curves), partial(_draw, curves, absent))


def _of_runs(runs: Sequence[Mapping[str, Any]], split: str) -> dict[int, Points]:
    found = {run["seed"]: _points(run["history"], f"{split}.accuracy") for run in runs}
    return {seed: points for seed, points in found.items() if len(points) > 1}


def _points(history: Any, metric: str) -> Points:
    """Return the errors of a history; none if an epoch lacks the metric. A thinned history states its epochs."""
    rows = history if isinstance(history, Sequence) else []
    found = [(row.get("epoch", place), 100 * (1 - row[metric])) for place, row in enumerate(rows, 1) if metric in row]
    return [(epoch, max(LEAST, error)) for epoch, error in found] if len(found) == len(rows) else []


def _absent(arm: ArmTrials) -> str:
    """Return what a panel without curves says."""
    if not arm.trials:
        return "no trials"
    if all(trial.diverged for trial in arm.trials):
        return "diverged: no curve"
    return "one epoch: no curve" if _has_history(arm) else "no history"


def _trains(arm: ArmTrials) -> bool:
    """Return whether an arm is a training, rather than a measurement or a model of another kind."""
    return arm.arm.configuration.get("kind") == "training"


def _has_history(arm: ArmTrials) -> bool:
    return any(_points(trial.history, f"{split}.accuracy") for trial in arm.trials for split in SPLITS)


def _curves(arm: ArmTrials) -> Curves:
    return {
        split: {
            trial.seed: points for trial in arm.trials if len(points := _points(trial.history, f"{split}.accuracy")) > 1
        }
        for split in SPLITS
    }


def _alt(curves: list[tuple[str, Curves]]) -> str:
    parts = []
    for name, found in curves:
        ends = [100 - points[-1][1] for points in found["validation"].values()]
        if ends:
            parts.append(f"{name}: {np.mean(ends):.2f} %")
    return "Learning curves. Mean validation accuracy after the last epoch: " + "; ".join(parts) + "."


def _draw(curves: list[tuple[str, Curves]], absent: Mapping[str, str], look: Look) -> Figure:
    columns = 2 if look.narrow else min(len(curves), 3 if len(curves) <= 6 else 4)
    rows = math.ceil(len(curves) / columns)
    figure = look.figure(rows * (1.75 if look.narrow else 2.7) + 0.5)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for axes, (name, found) in zip(panels, curves, strict=False):
        axes.set_title(name.replace(", ", ",\n") if look.narrow or columns == 4 else name)
        _panel(axes, found, absent[name], look)
        _epochs(axes, found)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    figure.supxlabel("epoch", fontsize=look.type_size)
    figure.supylabel("accuracy", fontsize=look.type_size)
    every = [error for _, found in curves for seeds in found.values() for one in seeds.values() for _, error in one]
    error_axis(panels[0], every)
    _legend(figure, look)
    return figure


def _panel(axes: Axes, found: Curves, absent: str, look: Look) -> None:
    for split, series in zip(("validation", "train"), look.series[:2], strict=True):
        _curve(axes, list(found[split].values()), series)
    if not any(found.values()):
        empty(axes, absent, look)


def _curve(axes: Axes, seeds: list[Points], series: Series) -> None:
    """Draw a band from the lowest to the highest seed, every seed thinly, and their mean."""
    if not seeds:
        return
    count = min(map(len, seeds))  # the mean ends with the shortest training; the thin lines go on
    epochs = [epoch for epoch, _ in seeds[0][:count]]
    table = np.array([[error for _, error in one[:count]] for one in seeds])
    if len(seeds) > 1:
        axes.fill_between(epochs, table.min(axis=0), table.max(axis=0), color=series.colour, alpha=0.16, linewidth=0)
        for one in seeds:
            axes.plot(*zip(*one, strict=True), color=series.colour, linestyle=series.line, linewidth=0.8, alpha=0.6)
    style: dict[str, Any] = {"color": series.colour, "marker": series.marker, "linestyle": series.line}
    style["markevery"] = max(1, count // _MARKS)
    axes.plot(epochs, table.mean(axis=0), **style)


def _epochs(axes: Axes, found: Curves) -> None:
    longest = max((seed[-1][0] for seeds in found.values() for seed in seeds.values()), default=1)
    axes.set_xlim(0.7, longest + 0.3)
    axes.xaxis.set_major_locator(FixedLocator(range(1, longest + 1, math.ceil(longest / 5))))


def _legend(figure: Figure, look: Look) -> None:
    handles = [
        figure.axes[0].plot([], [], color=s.colour, marker=s.marker, linestyle=s.line, label=label)[0]
        for label, s in zip(("validation", "training"), look.series[:2], strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2, handlelength=3)
