"""What trials measured at many points: lines of curves with one axis, heat maps of those with two, by arm."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import numpy as np

from ..studies.curve import Curve
from ..studies.results.result import ArmTrials, StudyResult
from ..typing import Array
from ..wording import bare
from . import numbers
from .lines import MOST, Line, Panel, by_place, draw_lines
from .maps import Map, draw_maps
from .picture import Picture

Measured = dict[str, list[Array]]  # by arm, an array a seed


def pictures(result: StudyResult) -> list[Picture]:
    """Return a figure for each curve of the study that a trial has measured, lines first."""
    curves = sorted(result.evidence.study.curves, key=lambda curve: len(curve.axes))
    found = [(curve, _measured(result.arms, curve)) for curve in curves]
    return [_lines(result, *one) if len(one[0].axes) == 1 else _maps(result, *one) for one in found if one[1]]


def _measured(arms: Sequence[ArmTrials], curve: Curve) -> Measured:
    """Return the arrays of the curve's own arms: another arm's array of that name may have other axes."""
    own = [arm for arm in arms if curve.is_of(arm.name)]
    found = {arm.name: [trial.curves[curve.name] for trial in arm.trials if curve.name in trial.curves] for arm in own}
    return {name: arrays for name, arrays in found.items() if arrays}


def _lines(result: StudyResult, curve: Curve, measured: Measured) -> Picture:
    axis, scale = curve.axes[0], numbers.shown_scale(curve.unit)
    numeric = [value for value in axis.values if not isinstance(value, str)]
    places, names = tuple(numeric or range(len(axis.values))), () if numeric else tuple(map(str, axis.values))
    panels = [
        Panel(title, tuple(Line(name, places, by_place(measured[arm], scale), style) for arm, name, style in arms))
        for title, arms in panelled(list(measured)).items()
    ]
    many = max(map(len, measured.values())) > 1
    band = "Marks: means; band: 95 % t-interval over seeds at each point; hollow dots: every seed." if many else ""
    up = f"{curve.label}, {numbers.unit_of(curve.unit)}".rstrip(", ")
    percent = curve.unit == "fraction" and all(np.max(one) <= 1 for arrays in measured.values() for one in arrays)
    return Picture(
        _name(result, curve),
        f"{curve.label[0].upper()}{curve.label[1:]}, by {axis.label}",
        f"{_seeds(measured)} {band}".strip(),
        _alt(curve, measured),
        partial(draw_lines, panels, axis.label, up, names, percent=percent),
    )


def _maps(result: StudyResult, curve: Curve, measured: Measured) -> Picture:
    scale = numbers.shown_scale(curve.unit)
    maps = [Map(name, scale * np.mean(arrays, axis=0)) for name, arrays in measured.items()]
    label = f"{curve.label}, {numbers.unit_of(curve.unit)}".rstrip(", ")
    down, across = curve.axes
    return Picture(
        _name(result, curve),
        f"{curve.label[0].upper()}{curve.label[1:]}, by {down.label} and {across.label}",
        f"Means over seeds; all maps have one scale. {_seeds(measured)}",
        _alt(curve, measured),
        partial(draw_maps, maps, down, across, label),
    )


def panelled(arms: Sequence[str]) -> dict[str, list[tuple[str, str, int]]]:
    """Return arms by panel, each with its name there and the number of its style.

    Up to six share a panel. More are divided by what stands behind the first comma of their names, such as *trained
    shifted*, so that arms which differ in that alone have one style; a panel that is still too full is cut.
    """
    if len(arms) <= MOST:
        return {"": [(arm, arm, place) for place, arm in enumerate(arms)]}
    kinds = list(dict.fromkeys(arm.partition(", ")[0] for arm in arms))
    groups: dict[str, list[tuple[str, str, int]]] = {}
    for arm in arms:
        kind, _, rest = arm.partition(", ")
        groups.setdefault(rest, []).append((arm, kind, kinds.index(kind)))
    if len(kinds) <= MOST:
        return groups
    parts = [arms[place : place + MOST] for place in range(0, len(arms), MOST)]
    return {f"{number} of {len(parts)}": [(arm, arm, place) for place, arm in enumerate(part)]
            for number, part in enumerate(parts, 1)}  # fmt: skip


def _name(result: StudyResult, curve: Curve) -> str:
    return f"curve-{re.sub('[^a-z0-9]+', '-', curve.name.lower()).strip('-')}-{result.name}"


def _seeds(measured: Measured) -> str:
    n = sorted({len(arrays) for arrays in measured.values()})
    return f"n = {n[0]}." if len(n) == 1 else f"n = {n[0]} to {n[-1]}."


def _alt(curve: Curve, measured: Measured) -> str:
    def shown(value: float) -> str:
        return bare(value, curve.unit)

    means = {name: np.mean(arrays, axis=0) for name, arrays in measured.items()}
    ranges = (f"{name}: {shown(float(one.min()))} to {shown(float(one.max()))}" for name, one in means.items())
    return f"{curve.label}, {numbers.unit_of(curve.unit)}. Lowest to highest mean: {'; '.join(ranges)}."
