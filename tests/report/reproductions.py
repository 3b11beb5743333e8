"""Fake reproductions of the real studies: plausible numbers without training."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from convlens.claims.rows import claims
from convlens.randomness import stream
from convlens.report import Reproduction
from convlens.studies.evidence import assess
from convlens.studies.result import StudyResult
from convlens.studies.runner import plan
from convlens.studies.spec import Profile, Study
from convlens.studies.trial import PlannedTrial, Trial, TrialOutcome
from tests.rates import rated

COMMAND, STARTED = "convlens reproduce", "2025-01-01T00:00:00+00:00"
NAMES = ("baseline-vs-cnn", "kernel-size")
SPLIT = {"stratified": True, "seed": 0, "counts": {"train": 54000, "validation": 6000, "test": 10000}}
LEVELS = {
    "baseline, plain": 0.9720, "baseline, good": 0.9790, "baseline-wide, good": 0.9812, "baseline-flops, good": 0.9835,
    "cnn, plain": 0.9875, "cnn, good": 0.9912,
    "3x3": 0.9855, "5x5": 0.9868, "7x7": 0.9864,
    "5x5, equal FLOPs": 0.9822, "7x7, equal FLOPs": 0.9771, "3x3 as large as 5x5": 0.9860,
    "3x3 as large as 7x7": 0.9852,
    "3x3 stacked to 5x5": 0.9875, "3x3 stacked to 7x7": 0.9880,
}  # fmt: skip


@lru_cache
def study(name: str) -> Study:
    return rated(name)


def outcome(planned: PlannedTrial) -> TrialOutcome:
    random = stream(planned.seed, "corrupt", planned.arm)
    epochs = planned.configuration["recipe"]["epochs"]  # type: ignore[index,call-overload]
    level = LEVELS.get(planned.arm, 0.985) + float(random.normal(0, 0.0006)) - 0.002 * max(0, 3 - epochs)
    labels = (np.arange(10_000) % 10).astype(np.uint8)
    predicted = labels.copy()
    wrong = random.choice(10_000, round(10_000 * (1 - level)), replace=False)
    predicted[wrong] = (labels[wrong] + random.choice([5, 3, 1, 8, 9], wrong.size, p=[0.4, 0.2, 0.2, 0.1, 0.1])) % 10
    test = float((predicted == labels).mean())
    dense = "baseline" in planned.arm
    history = [
        {
            "epoch": epoch + 1,
            "train.loss": 0.3 / (epoch + 1),
            "train.accuracy": 1 - (1 - level) * (1.2 + 6 * 0.35**epoch) + 0.004 * epoch / 3,
            "validation.loss": 0.2 / (epoch + 1),
            "validation.accuracy": 1 - (1 - level) * (1 + 2 * 0.3**epoch) + float(random.normal(0, 0.0004)),
            "learning_rate": 0.003,
        }
        for epoch in range(epochs)
    ]
    validation = history[-1]["validation.accuracy"]
    return TrialOutcome(
        metrics={
            "test.accuracy": test, "test.loss": 0.04, "test.calibration_error": 0.003, "test.reads": 1,
            "validation.accuracy": validation, "validation.loss": 0.05,
            "train.accuracy": min(1.0, validation + 0.004), "gap.accuracy": 0.004 + float(random.normal(0, 0.0003)),
            "rise.validation_loss": 0.01 + float(random.normal(0, 0.001)),
            "parameters": 109_386 if dense else {"5": 215_370, "7": 228_042}.get(planned.arm[0], 206_922),
            "flops": 218_000 if dense else {"5": 6.2e6, "7": 11.7e6}.get(planned.arm[0], 2.5e6),
            "seconds.train": 12.3, "images_per_second": 13_200.0,
        },
        history=history,
        predictions={"test": predicted},
        labels={"test": labels},
        provenance={
            "started": "2025-01-01T00:00:00+00:00", "versions": {"convlens": "0.1.0", "numpy": "2.4.0"},
            "hardware": {"processor": "Some Processor", "processors": 4},
            "engine": "numba", "threads": 2, "split": SPLIT,
        },
    )  # fmt: skip


@lru_cache(maxsize=512)
def trials(name: str, profile: Profile) -> tuple[Trial, ...]:
    planned = plan(study(name), profile, numerics_version=1)
    return tuple(Trial.of(one, outcome(one), created="2025-01-01T00:00:10+00:00") for one in planned)


def _profile(name: str, profile: str, seeds: tuple[int, ...]) -> Profile:
    """Return a profile with the arms of `LEVELS`; the quick one trains for one epoch."""
    arms = tuple(arm.name for arm in study(name).arms if arm.name in LEVELS)
    shorter: dict[str, Any] = {"recipe.epochs": 1} if profile == "quick" else {}
    return Profile(profile, seeds, shorter, arms=arms)


def make(
    seeds: Iterable[int] = (0, 1, 2, 3, 4), *, drop: int = 0, profile: str = "standard", **changes: Any
) -> Reproduction:
    """Return a reproduction; `drop` leaves out that number of the first study's trials, from the last."""
    profiles = {name: _profile(name, profile, tuple(seeds)) for name in NAMES}
    kept = {name: list(trials(name, profiles[name])) for name in NAMES}
    if drop:
        del kept["baseline-vs-cnn"][-drop:]
    found = {
        name: StudyResult(assess(study(name), kept[name], profiles[name]), kept[name], (), COMMAND, 321.5, STARTED)
        for name in kept
    }
    return Reproduction(
        **{
            "command": COMMAND,
            "profile": profile,
            "studies": found,
            "claims": claims({name: result.evidence for name, result in found.items()}, COMMAND),
            "models_folder": None,
            "seconds": 321.5,
            "started": STARTED,
            **changes,
        }
    )


def save_model(reproduction: Reproduction, folder: Path) -> Path:
    """Save a fresh CNN where the trained one of seed 0 would be."""
    from convlens import models
    from convlens.studies.executors.training import model_path

    arm = reproduction.best_cnn()
    assert arm is not None
    path = model_path(folder, arm.trials[0].key)
    models.build("cnn", seed=0).save(path)
    return path
