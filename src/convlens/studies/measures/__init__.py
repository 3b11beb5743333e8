"""Measures: what a study can measure on a trained network, or on one at its initial weights; one file each.

A measure is a frozen dataclass of settings. It calls `convlens.lens`, and names what comes out as metrics and curves::

    shifts = measures.measure({"name": "shift-map", "reach": 8})
    shifts.run(model, dataset, seed=0).metrics["shift.accuracy"]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError, nearest
from ...plain import check_keys
from .equivariance import EquivarianceMeasure
from .measure import Measure as Measure
from .measure import Measured as Measured
from .permuted_dense import PermutedDenseMeasure
from .position import PositionMeasure
from .probes import ProbeMeasure
from .receptive_field import FieldMeasure
from .selectivity import SelectivityMeasure
from .shift_map import ShiftMeasure

MEASURES: dict[str, type[Measure]] = {
    one.name: one
    for one in (
        EquivarianceMeasure,
        FieldMeasure,
        PermutedDenseMeasure,
        PositionMeasure,
        ProbeMeasure,
        SelectivityMeasure,
        ShiftMeasure,
    )
}


def measure(settings: Mapping[str, Any], where: str = "measure") -> Measure:
    """Return the measure that plain data describe: its ``name``, and settings that differ from the defaults.

    Parameters
    ----------
    settings
        What `Measure.to_dict` returns, or part of it.
    where
        Their owner, for the message.

    Raises
    ------
    ConfigurationError
        If the name or a key is unknown (the message has the nearest right one), or a value is out of range.

    Examples
    --------
    >>> measure({"name": "shift-map", "step": 4}).to_dict()
    {'name': 'shift-map', 'images': 1000, 'split': 'test', 'step': 4, 'reach': 8}
    """
    if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
        raise ConfigurationError(f"{where} is a name and settings, such as {{'name': 'shift-map'}}, not {settings!r}")
    name = settings["name"]
    if name not in MEASURES:
        raise ConfigurationError(f"{where}: unknown measure {name!r}{nearest(name, MEASURES)}")
    given = {key: value for key, value in settings.items() if key != "name"}
    check_keys(MEASURES[name], given, where)
    return MEASURES[name](**given)
