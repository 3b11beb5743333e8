"""What a trial needs that is not on this computer: data that do not come with convlens, or scikit-learn.

An arm that cannot be run here, and of which the store has no trial, is left out: the rest of the study runs and is
judged as if the profile did not name that arm. The declaration is the same everywhere, because a configuration names
pinned data without reading them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import data
from ..errors import DataError
from ..tables import scikit_learn
from ..version import NUMERICS_VERSION
from .executors.table_configuration import TableConfiguration
from .spec import Profile, Study
from .storage.store import TrialStore
from .trial import NAMES, trial_key


def needs(configuration: Mapping[str, Any]) -> str:
    """Return what has to be done before a trial can run here: ``"apt install ..."``; empty if nothing."""
    if configuration.get("kind") == "table":
        wanted_here = TableConfiguration.read(configuration, "a table").needs_scikit_learn
        return scikit_learn.INSTALL if wanted_here and not scikit_learn.installed() else ""
    names = configuration.get(NAMES)
    wanted = names.get("data") if isinstance(names, Mapping) else None
    return next((one.how for one in data.listing() if one.name == wanted and not one.ready), "")


def left_out(study: Study, profile: Profile, store: TrialStore) -> dict[str, str]:
    """Return the arms of a study under a profile that are left out here, and what each needs."""
    found = {}
    for arm in study.under(profile).arms:
        needed = needs(arm.configuration)
        keys = (trial_key(arm.configuration, seed, NUMERICS_VERSION) for seed in profile.seeds_of(arm))
        if needed and not any(key in store for key in keys):
            found[arm.name] = needed
    return found


def without(study: Study, profile: Profile, absent: Mapping[str, str]) -> Profile:
    """Return a profile that runs the study without these arms.

    Raises
    ------
    DataError
        If the primary estimand is about one of them: then there is nothing to answer the question with.
    """
    if not absent:
        return profile
    resolved = study.under(profile)
    for name in (resolved.primary.arm, resolved.primary.reference):
        if name is not None and name in absent:
            raise DataError(f"{study.name}/{name} cannot be run on this computer; needs: {absent[name]}")
    return replace(profile, arms=tuple(arm.name for arm in resolved.arms if arm.name not in absent))
