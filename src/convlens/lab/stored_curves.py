"""What a stored study measured along the way, as the room Studies draws it: learning curves, lines and maps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..studies.curve import Axis, Curve
from ..studies.results.result import ArmTrials, StudyResult
from ..typing import Array
from ..wording import FRACTIONS, named

DIGITS = 6
"""Significant digits of a number: about as many as a float32 has."""
WIDE = 10
"""An axis whose last level is more than so many times its first is logarithmic."""

_LEARNING = {
    "validation.accuracy": "accuracy on validation images",
    "train.accuracy": "accuracy on training images, while each epoch ran",
}


def described_curves(result: StudyResult) -> list[dict[str, Any]]:
    """Return the curves of a study that are stored, as plain JSON.

    First the primary metric over the levels of the study's factor, then what the study declares, then learning curves.

    Returns
    -------
    list of dict
        ``name``, ``label``, ``unit``, ``axes`` (one for lines, two for maps: rows, then columns) and ``arms``. An axis
        has ``label``, ``values`` (numbers, or names; empty where every line has its own) and ``log``. A line has
        ``at``, the places of its points on the axis, and by point ``mean``, and ``low`` and ``high``, the lowest and
        the highest seed; a map has ``mean`` alone, row by row. Both have ``name`` and ``n``, the number of seeds.
        Fractions are in hundredths; a value that is not finite is None. A map whose rows have names, such as layers,
        is given as lines over them, for each of its columns.
    """
    declared = [one for curve in result.evidence.study.curves for one in _declared(curve, result.arms)]
    learning = [_learning(name, label, result.arms) for name, label in _LEARNING.items()]
    return [one for one in (_levels(result), *declared, *learning) if one["arms"]]


def _levels(result: StudyResult) -> dict[str, Any]:
    """Return the primary metric over the factor, where that is a number: a line for each series of arms."""
    study = result.evidence.study
    metric = next(one for one in study.metrics if one.name == result.evidence.primary.estimand.metric)
    series: dict[str, dict[float, ArmTrials]] = {}
    for arm in result.arms:
        if arm.arm.level is not None and arm.values(metric.name):
            series.setdefault(arm.arm.series or study.factor, {})[arm.arm.level] = arm
    lines = []
    for name, arms in series.items():
        points = [list(arms[at].values(metric.name).values()) for at in sorted(arms)]
        if len(arms) > 1:
            lines.append({"name": name, "at": sorted(arms), **_line(points, metric.unit)})
    levels = [level for one in lines for level in one["at"]] or [0]
    log = min(levels) > 0 and max(levels) > WIDE * min(levels)
    return {**_named("levels", metric.label, metric.unit), "axes": [_free_axis(study.factor, log=log)], "arms": lines}


def _declared(curve: Curve, arms: Sequence[ArmTrials]) -> list[dict[str, Any]]:
    own = [arm for arm in arms if curve.is_of(arm.name)]  # another arm's array of this name may have other axes
    arrays = {arm.name: [one.curves[curve.name] for one in arm.trials if curve.name in one.curves] for arm in own}
    found = {name: np.array(several) for name, several in arrays.items() if several}  # (seeds, *curve.shape) each
    down, *across = curve.axes
    if not across:
        lines = [_line_of(name, down, values, curve.unit) for name, values in found.items()]
        return [{**_named(curve.name, curve.label, curve.unit), "axes": [down.to_dict()], "arms": lines}]
    if isinstance(down.values[0], str):
        return [_column(curve, place, found) for place in range(len(across[0].values))]
    maps = [
        {"name": name, "n": len(values), "mean": _plain(values.mean(axis=0).ravel(), curve.unit)}
        for name, values in found.items()
    ]
    axes = [axis.to_dict() for axis in curve.axes]
    return [{**_named(curve.name, curve.label, curve.unit), "axes": axes, "arms": maps}]


def _column(curve: Curve, place: int, found: Mapping[str, Array]) -> dict[str, Any]:
    """Return one column of a map as lines over the names of its rows."""
    down, across = curve.axes
    label = f"{curve.label}; {across.label}: {across.values[place]}"
    lines = [_line_of(name, down, values[:, :, place], curve.unit) for name, values in found.items()]
    return {**_named(f"{curve.name}_{place}", label, curve.unit), "axes": [down.to_dict()], "arms": lines}


def _line_of(name: str, axis: Axis, values: Array, unit: str) -> dict[str, Any]:
    """Return an arm's values (seeds, points) as a line; names have the places 0, 1, and so on."""
    at = [place if isinstance(value, str) else value for place, value in enumerate(axis.values)]
    return {"name": name, "at": at, **_line(values.T.tolist(), unit)}


def _learning(metric: str, label: str, arms: Sequence[ArmTrials]) -> dict[str, Any]:
    """Return an accuracy after every epoch; of a thinned history, after those that are kept."""
    found = []
    for arm in arms:
        rows = {one.seed: _epochs(one.history, metric) for one in arm.trials}
        epochs = sorted(set.intersection(*map(set, rows.values()))) if rows else []
        if len(epochs) > 1:
            points = [[by_epoch[epoch] for by_epoch in rows.values()] for epoch in epochs]
            found.append({"name": arm.name, "at": epochs, **_line(points, "fraction")})
    return {**_named(metric, label, "fraction"), "axes": [_free_axis("epoch")], "arms": found}


def _epochs(history: Any, metric: str) -> dict[int, float]:
    rows = history if isinstance(history, Sequence) else []
    return {row["epoch"]: row[metric] for row in rows if metric in row and "epoch" in row}


def _free_axis(label: str, *, log: bool = False) -> dict[str, Any]:
    """Return an axis on which every line has places of its own."""
    return {"label": label, "values": [], "log": log}


def _named(name: str, label: str, unit: str) -> dict[str, Any]:
    return {"name": name, "label": label, "unit": named(unit).strip()}


def _line(points: Sequence[Sequence[float]], unit: str) -> dict[str, Any]:
    """Return means and extremes of the points of a line, each given as the values of its seeds."""
    columns = [np.array(point) for point in points]
    return {
        "n": max(map(len, columns)),
        "mean": _plain((one.mean() for one in columns), unit),
        "low": _plain((one.min() for one in columns), unit),
        "high": _plain((one.max() for one in columns), unit),
    }


def _plain(values: Iterable[float], unit: str) -> list[float | None]:
    """Return values in the unit that is shown."""
    factor = 100 if unit in FRACTIONS else 1
    scaled = [factor * float(one) for one in values]
    return [float(f"{one:.{DIGITS}g}") if math.isfinite(one) else None for one in scaled]
