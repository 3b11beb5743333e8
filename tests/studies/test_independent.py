"""Stored verdicts come out the same by a script that uses nothing of convlens."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from convlens.studies.results.shipped import FOLDER, shipped_names

from .test_benchmark_scripts import script


@pytest.fixture
def independent(monkeypatch: pytest.MonkeyPatch) -> Any:
    return script("independent.py", monkeypatch)


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return found


@pytest.mark.parametrize("name", shipped_names())
def test_the_primary_contrast_is_the_same_from_its_raw_seeds(independent: Any, name: str) -> None:
    assert independent.check(stored(name)) == []


def test_one_seed_that_is_otherwise_is_noticed(independent: Any) -> None:
    found = stored("baseline-vs-cnn")
    changed = copy.deepcopy(found)
    trial = next(one for one in changed["trials"] if one["arm"] == found["study"]["primary"]["arm"])
    trial["metrics"]["test.accuracy"] += 0.001
    assert len(independent.check(changed)) == 2  # the interval and the mean; the verdict is the same
    found["drawn"][-1]["verdict"] = found["drawn"][-1]["verdict"].replace("Supported", "Refuted")
    (problem,) = independent.check(found)
    assert problem.startswith("'Supported:' is not in")


@pytest.mark.slow
def test_the_cheapest_training_has_the_same_bits_without_the_studies(independent: Any) -> None:
    found = stored("baseline-vs-cnn")
    assert independent.check_training(found) == []
    trained = independent.cheapest_training(found)
    for one in found["trials"]:
        one["metrics"]["test.loss"] += 1e-15 if one["arm"] == trained["name"] else 0
    assert len(independent.check_training(found)) == 1
