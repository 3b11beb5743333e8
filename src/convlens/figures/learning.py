"""Learning curves: accuracy after every epoch, one panel per arm, with every seed shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..studies.result import ArmTrials, StudyResult, setting
from .picture import Picture
from .style import Look, Series, empty

SPLITS = ("train", "validation")
_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 80)  # errors in per cent
_LEAST = 0.02  # per cent: an error of 0 cannot be on a logarithmic axis, and is drawn here

Curves = dict[str, dict[int, list[float]]]  # by split and seed: error in per cent after every epoch


def picture(result: StudyResult) -> Picture | None:
    """Return the learning curves of a study; None if every training had one epoch: a point is not a curve."""
    arms, study = result.arms, result.name
    heading = f"Learning curves: {study}"
    name = f"learning-curves-{study}"
    curves = [(arm.name, _curves(arm)) for arm in arms]
    absent = {arm.name: _absent(arm) for arm in arms}
    if not any(any(found.values()) for _, found in curves):
        if any(map(_has_history, arms)):
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


def _of_runs(runs: Sequence[Mapping[str, Any]], split: str) -> dict[int, list[float]]:
    series = {run["seed"]: [row[f"{split}.accuracy"] for row in run["history"]] for run in runs}
    return {seed: _errors(values) for seed, values in series.items() if len(values) > 1}


def _errors(accuracies: Sequence[float]) -> list[float]:
    return [max(_LEAST, 100 * (1 - value)) for value in accuracies]


def _absent(arm: ArmTrials) -> str:
    """Return what a panel without curves says."""
    if not arm.trials:
        return "no trials"
    if all(trial.diverged for trial in arm.trials):
        return "diverged: no curve"
    return "one epoch: no curve" if _has_history(arm) else "no history"


def _has_history(arm: ArmTrials) -> bool:
    return any(arm.series(f"{split}.accuracy") for split in SPLITS)


def _curves(arm: ArmTrials) -> Curves:
    return {
        split: {seed: _errors(values) for seed, values in arm.series(f"{split}.accuracy").items() if len(values) > 1}
        for split in SPLITS
    }


def _alt(curves: list[tuple[str, Curves]]) -> str:
    parts = []
    for name, found in curves:
        ends = [100 - values[-1] for values in found["validation"].values()]
        if ends:
            parts.append(f"{name}: {np.mean(ends):.2f} %")
    return "Learning curves. Mean validation accuracy after the last epoch: " + "; ".join(parts) + "."


def _draw(curves: list[tuple[str, Curves]], absent: Mapping[str, str], look: Look) -> Figure:
    columns = 2 if look.narrow else min(len(curves), 3 if len(curves) <= 6 else 4)
    rows = math.ceil(len(curves) / columns)
    figure = look.figure(rows * (1.75 if look.narrow else 2.7) + 0.5)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, (name, found) in zip(panels, curves, strict=False):
        axes.set_title(name.replace(", ", ",\n") if look.narrow or columns == 4 else name)
        _panel(axes, found, absent[name], look)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    for axes in panels[max(0, len(curves) - columns) : len(curves)]:
        axes.xaxis.set_tick_params(labelbottom=True)  # also above a gap in the last row
    figure.supxlabel("epoch", fontsize=look.type_size)
    figure.supylabel("accuracy", fontsize=look.type_size)
    _scale(panels[0], curves)
    _legend(figure, look)
    return figure


def _panel(axes: Axes, found: Curves, absent: str, look: Look) -> None:
    for split, series in zip(("validation", "train"), look.series[:2], strict=True):
        _curve(axes, list(found[split].values()), series)
    if not any(found.values()):
        empty(axes, absent, look)


def _curve(axes: Axes, seeds: list[list[float]], series: Series) -> None:
    """Draw a band from the lowest to the highest seed, every seed thinly, and their mean."""
    if not seeds:
        return
    epochs = min(map(len, seeds))  # the mean ends with the shortest training; the thin lines go on
    x, values = np.arange(1, epochs + 1), np.array([one[:epochs] for one in seeds])
    if len(seeds) > 1:
        axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=series.colour, alpha=0.18, linewidth=0)
        for one in seeds:
            axes.plot(np.arange(1, len(one) + 1), one, color=series.colour, linewidth=0.7, alpha=0.75)
    axes.plot(x, values.mean(axis=0), color=series.colour, marker=series.marker, linestyle=series.line)


def _scale(axes: Axes, curves: list[tuple[str, Curves]]) -> None:
    """Set the shared axes: the logarithm of the error, inverted, labelled with the accuracy."""
    every = [v for _, found in curves for seeds in found.values() for one in seeds.values() for v in one]
    longest = max(len(one) for _, found in curves for seeds in found.values() for one in seeds.values())
    axes.set_yscale("log")
    axes.set_ylim(min(100, max(every) * 1.25), min(every) / 1.25)
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda error, _: f"{100 - error:g} %"))
    axes.set_xlim(0.7, longest + 0.3)
    axes.xaxis.set_major_locator(FixedLocator(range(1, longest + 1, math.ceil(longest / 5))))


def _legend(figure: Figure, look: Look) -> None:
    handles = [
        figure.axes[0].plot([], [], color=s.colour, marker=s.marker, linestyle=s.line, label=label)[0]
        for label, s in zip(("validation", "training"), look.series[:2], strict=True)
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2, handlelength=3)
