"""Studies with learning rates, tuned or not: tests that train nothing do not wait for the tuning of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convlens.plain import replaced
from convlens.studies.catalog import StudyEntry, entry
from convlens.studies.spec import Study

RATE = 0.005


def rated(name: str) -> Study:
    """Return a study of the catalogue whose arms have a rate: the tuned one, or else `RATE`."""
    study = entry(name).study()
    return replace(study, arms=tuple(replace(arm, configuration=_rated(arm.configuration)) for arm in study.arms))


def rated_entry(name: str) -> StudyEntry:
    """Return the entry of such a study."""
    return replace(entry(name), study=lambda: rated(name))


def _rated(configuration: Mapping[str, Any]) -> dict[str, Any]:
    trained = configuration.get("of", configuration)  # of a measurement, the training that it names
    rate = trained.get("recipe", {}).get("schedule", {}).get("rate")
    used = RATE if rate is None else rate
    return replaced(configuration, {"recipe.schedule.rate": used, "of.recipe.schedule.rate": used})
