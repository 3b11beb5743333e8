"""The curves of the page are those of the stored files, read and averaged here without convlens's reader."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from convlens.lab.stored_curves import described_curves
from convlens.studies.results.shipped import FOLDER, read_shipped, shipped_names


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return found


def arrays(trials: list[dict[str, Any]], curve: str) -> np.ndarray:
    """Return the curve of every trial, (seeds, ...)."""
    found = []
    for one in trials:
        given = one["curves"][curve]
        if "packed" in given:
            flat = np.frombuffer(zlib.decompress(base64.b64decode(given["packed"])), given["type"])
        else:
            flat = np.array(given["values"])
        found.append(flat.astype(float).reshape(given["shape"]))
    return np.array(found)


def expected(content: dict[str, Any]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield name, arm and values (seeds, ...) of everything that the page has to draw."""
    by_arm: dict[str, list[dict[str, Any]]] = {}
    for trial in content["trials"]:
        by_arm.setdefault(trial["arm"], []).append(trial)
    for curve in content["study"]["curves"]:
        scale = 100 if curve["unit"] == "fraction" else 1
        for arm, trials in by_arm.items():
            if curve["name"] not in trials[0].get("curves", {}) or arm not in (curve["arms"] or by_arm):
                continue
            values = scale * arrays(trials, curve["name"])
            if isinstance(curve["axes"][0]["values"][0], str) and values.ndim == 3:
                for place in range(values.shape[2]):
                    yield f"{curve['name']}_{place}", arm, values[:, :, place]
            else:
                yield curve["name"], arm, values
    for metric in ("validation.accuracy", "train.accuracy"):
        for arm, trials in by_arm.items():
            if all(metric in one.get("columns", {}) for one in trials):
                yield metric, arm, 100 * np.array([one["columns"][metric] for one in trials])


@pytest.mark.parametrize("name", shipped_names())
def test_curves_are_the_means_of_what_is_stored(name: str) -> None:
    found = {(one["name"], arm["name"]): arm for one in described_curves(read_shipped(name)) for arm in one["arms"]}
    for curve, arm, values in expected(stored(name)):
        shown = found.pop((curve, arm))
        assert shown["n"] == len(values)
        np.testing.assert_allclose(shown["mean"], values.mean(axis=0).ravel(), rtol=1e-5)
        if values.ndim == 2:
            np.testing.assert_allclose(shown["low"], values.min(axis=0), rtol=1e-5)
            np.testing.assert_allclose(shown["high"], values.max(axis=0), rtol=1e-5)
            assert len(shown["at"]) == values.shape[1]
    assert {curve for curve, _ in found} <= {"levels"}, "nothing else is drawn"


def test_levels_are_the_primary_metric_of_each_series() -> None:
    content = stored("sample-efficiency")
    levels = next(one for one in described_curves(read_shipped("sample-efficiency")) if one["name"] == "levels")
    assert levels["axes"][0]["log"], "from 1 to 5,400 images a class"
    for line in levels["arms"]:
        arms = [one for one in content["study"]["arms"] if one["series"] == line["name"]]
        assert line["at"] == sorted(one["level"] for one in arms)
        for one in arms:
            accuracies = [
                100 * trial["metrics"]["test.accuracy"] for trial in content["trials"] if trial["arm"] == one["name"]
            ]
            place = line["at"].index(one["level"])
            assert line["mean"][place] == pytest.approx(np.mean(accuracies), rel=1e-5)
            assert line["high"][place] == pytest.approx(max(accuracies), rel=1e-5)


def test_points_of_learning_curves_are_at_their_epochs() -> None:
    content = stored("sample-efficiency")
    learning = next(
        one for one in described_curves(read_shipped("sample-efficiency")) if one["name"] == "validation.accuracy"
    )
    for line in learning["arms"]:
        epochs = {tuple(one["columns"]["epoch"]) for one in content["trials"] if one["arm"] == line["name"]}
        assert epochs == {tuple(line["at"])}
