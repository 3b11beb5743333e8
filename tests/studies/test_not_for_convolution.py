"""The study of what convolution is not for: complete without scikit-learn, equally tuned, matched in size."""

from __future__ import annotations

import sys

import pytest

from convlens.models.matching import measure
from convlens.studies.catalog import entry
from convlens.studies.catalog.not_for_convolution import (
    AS_LARGE,
    NAME,
    OVER_COLUMNS,
    OVER_NODES,
    OVER_PIXELS,
)
from convlens.studies.runner import plan
from convlens.typing import Shape

CONVOLUTIONS = {
    "breast cancer": (OVER_COLUMNS, (1, 30, 1), 2),
    "wine": (OVER_COLUMNS, (1, 13, 1), 3),
    "digits": (OVER_COLUMNS, (1, 64, 1), 10),
    "position": (OVER_PIXELS, (14, 14, 1), 4),
    "graphs": (OVER_NODES, (16, 16, 1), 2),
}


def test_every_profile_can_be_planned_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    found = entry(NAME)
    for profile in found.profiles.values():
        assert plan(found.study(), profile, numerics_version=1)
    own = [profile for name, profile in found.profiles.items() if name != "claims"]  # whose seeds are standard's
    seeds = [seed for profile in own for seed in profile.seeds]
    assert len(set(seeds)) == len(seeds)


def test_every_arm_has_as_many_candidates_and_every_task_has_a_simple_rival() -> None:
    arms = entry(NAME).study().arms
    assert {len(arm.configuration["candidates"]) for arm in arms} == {4}  # type: ignore[arg-type]
    tables = {arm.configuration["table"]["name"] for arm in arms}
    for kind in ("logistic-regression", "network"):
        having = [arm.configuration for arm in arms if arm.configuration["model"]["kind"] == kind]
        assert {one["table"]["name"] for one in having} == tables


@pytest.mark.parametrize("task", AS_LARGE)
def test_dense_networks_are_as_large_as_the_convolution(task: str) -> None:
    network, shape, classes = CONVOLUTIONS[task]
    wanted: Shape = shape
    convolution, dense = (measure(net, "parameters", wanted, classes) for net in (network, AS_LARGE[task]))
    assert dense == pytest.approx(convolution, rel=0.02)
