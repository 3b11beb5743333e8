"""The race: both contestants train by the same recipe, and each reports the accuracy reached."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from convlens import data, optim
from convlens.bench import time_to_accuracy as racing
from convlens.bench.time_to_accuracy_process import RACERS
from convlens.train import Augmentation, recipe

FAKE = """
import json, sys
task = json.loads(sys.stdin.readline())
if sys.argv[1] == "convlens":
    print(json.dumps({"seconds": 1.0 + task["seed"], "accuracy": 0.9 + 0.1 * (task["recipe"]["epochs"] == 2)}))
else:
    sys.exit("no such library")
"""

GOOD = replace(recipe("good"), epochs=1)
RECIPES = {
    "good": GOOD,
    "everything": replace(
        GOOD,
        optimizer=optim.AdamW(weight_decay=0.05),
        label_smoothing=0.1,
        clip_norm=1.0,
        ema_decay=0.9,
        augmentation=Augmentation(shift=2),
    ),
    "momentum": replace(GOOD, optimizer=optim.SGD(momentum=0.9, nesterov=True), schedule=optim.OneCycle(0.1)),
}


def test_a_contestant_that_cannot_run_is_named_and_the_other_goes_on() -> None:
    two = replace(GOOD, epochs=2)
    found = racing.race(two, 1, (sys.executable, "-c", FAKE), {}, {"torch": "no space"}, lambda _: None)
    assert [(row["seed"], row["seconds"], row["accuracy"]) for row in found["runs"]["convlens"]] == [
        (0, 1.0, 1.0),
        (1, 2.0, 1.0),
        (2, 3.0, 1.0),
    ]
    assert found["absent"] == {"torch-channels-last": "ended with code 1: no such library (no space)"}
    assert all(row["cold_seconds"] > 0 for row in found["runs"]["convlens"])


@pytest.mark.parametrize("name", RECIPES)
def test_both_contestants_train_alike(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    digits = data.load("mnist").subset(3000)
    monkeypatch.setattr(data, "load", lambda _name: digits)
    found: dict[str, Any] = {racer: train(RECIPES[name], 0, 1) for racer, train in RACERS.items()}
    ours, theirs = (found[racer]["accuracy"] for racer in ("convlens", "torch-channels-last"))
    assert ours > 0.8
    assert abs(ours - theirs) < 0.01, found
