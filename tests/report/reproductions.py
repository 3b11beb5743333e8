"""Fake reproductions of the real studies: plausible numbers without training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from convlens.claims.reproduction import plans
from convlens.claims.rows import claims
from convlens.randomness import stream
from convlens.report import Reproduction
from convlens.studies.assessment.evidence import assess
from convlens.studies.catalog import entry
from convlens.studies.results.result import StudyResult
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
"""Test accuracies by arm, of two studies."""
OTHERS = {
    "3x3 twice": 0.9800,
    "3x3 thrice": 0.9830,
    "CNN, shuffled": 0.9680,
    "dense": 0.9705,
    "dense, shuffled": 0.9706,
}
LEVEL = 0.9780  # of all other trainings

MEASURED = {
    ("max", "shift.consistency_at_2"): 0.93, ("strided", "shift.consistency_at_2"): 0.88,
    ("average", "shift.consistency_at_2"): 0.925, ("dense", "shift.consistency_at_2"): 0.70,
    ("max", "equivariance.interior_at_1_block 1, convolution"): 1e-7, ("control", "permutation.difference"): 2e-7,
    ("max", "equivariance.interior_at_1_block 1, output"): 0.4, ("dense", "equivariance.map_at_1_hidden 1"): 0.6,
    ("CNN", "probe.gain"): 0.08, ("dense", "probe.gain"): 0.05, ("CNN", "probe.accuracy_block 2"): 0.95,
    ("CNN, random weights", "probe.accuracy_block 2"): 0.92, ("selectivity, CNN", "selectivity.gain"): 0.3,
}  # fmt: skip
"""Values of other metrics by arm; of others, 0.5. They vary by a hundredth part."""


@lru_cache
def study(name: str) -> Study:
    return rated(name)


def outcome(planned: PlannedTrial) -> TrialOutcome:
    """Return what a trial of any kind might have measured."""
    kinds = {"training": _trained, "table": _of_table}
    return kinds.get(str(planned.configuration["kind"]), _measured)(planned)


def _measured(planned: PlannedTrial) -> TrialOutcome:
    random = stream(planned.seed, "corrupt", planned.arm)
    values = {name: MEASURED.get((planned.arm, name), 0.5) for name in planned.metrics}
    return TrialOutcome(
        metrics={name: value * (1 + 0.01 * float(random.normal())) for name, value in values.items()},
        curves={curve.name: random.uniform(0.2, 0.9, curve.shape) for curve in planned.curves},
        provenance=_provenance(),
    )


def _of_table(planned: PlannedTrial) -> TrialOutcome:
    random = stream(planned.seed, "corrupt", planned.arm)
    folds = (0.90 if planned.arm.endswith("convolution") else 0.95) + random.normal(0, 0.005, 5)
    rows = np.full(5, 100)
    return TrialOutcome(
        metrics={**dict.fromkeys(planned.metrics, 0.01), "test.accuracy": float(folds.mean())},
        curves={"fold.accuracy": folds, "fold.test_rows": rows, "fold.train_rows": 4 * rows},
        provenance=_provenance(),
    )


def _trained(planned: PlannedTrial) -> TrialOutcome:
    random = stream(planned.seed, "corrupt", planned.arm)
    epochs = min(3, planned.configuration["recipe"]["epochs"])  # type: ignore[index,call-overload,type-var]
    level = {**LEVELS, **OTHERS}.get(planned.arm, LEVEL) + float(random.normal(0, 0.0006)) - 0.002 * (3 - epochs)
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
    metrics = {
        "test.accuracy": test, "test.loss": 0.04, "test.calibration_error": 0.003, "test.reads": 1,
        "validation.accuracy": validation, "validation.loss": 0.05,
        "train.accuracy": min(1.0, validation + 0.004), "gap.accuracy": 0.004 + float(random.normal(0, 0.0003)),
        "parameters": 109_386 if dense else {"5": 215_370, "7": 228_042}.get(planned.arm[0], 206_922),
        "flops": 218_000 if dense else {"5": 6.2e6, "7": 11.7e6}.get(planned.arm[0], 2.5e6),
        "seconds.train": 12.3, "images_per_second": 13_200.0,
    }  # fmt: skip
    others = {name: 0.01 + float(random.normal(0, 0.001)) for name in planned.metrics if name not in metrics}
    return TrialOutcome(
        metrics={**metrics, **others},
        history=history,
        predictions={"test": predicted},
        labels={"test": labels},
        provenance=_provenance(),
    )


def _provenance() -> dict[str, Any]:
    return {
        "started": "2025-01-01T00:00:00+00:00", "versions": {"convlens": "0.1.0", "numpy": "2.4.0"},
        "hardware": {"processor": "Some Processor", "processors": 4},
        "engine": "numba", "threads": 2, "split": SPLIT,
    }  # fmt: skip


@lru_cache(maxsize=512)
def trials(name: str, profile: Profile) -> tuple[Trial, ...]:
    planned = plan(study(name), profile, numerics_version=1)
    return tuple(Trial.of(one, outcome(one), created="2025-01-01T00:00:10+00:00") for one in planned)


@lru_cache(maxsize=512)
def result(name: str, profile: Profile, drop: int = 0) -> StudyResult:
    """Return a study's result, without so many of its trials, from the last."""
    kept = trials(name, profile)[: -drop or None]
    return StudyResult(assess(study(name), kept, profile), kept, (), COMMAND, 321.5, STARTED)


def _profile(name: str, profile: str, seeds: tuple[int, ...]) -> Profile:
    """Return a profile with the arms of `LEVELS`; the quick one trains for one epoch."""
    arms = tuple(arm.name for arm in study(name).arms if arm.name in LEVELS)
    shorter: dict[str, Any] = {"recipe.epochs": 1} if profile == "quick" else {}
    return Profile(profile, seeds, shorter, arms=arms)


def make(
    seeds: Iterable[int] = (0, 1, 2, 3, 4), *, drop: int = 0, profile: str = "standard", **changes: Any
) -> Reproduction:
    """Return a reproduction of two studies; `drop` leaves out that number of the first one's trials, from the last."""
    declared = tuple(seeds)
    found = {name: result(name, _profile(name, profile, declared), drop if name == NAMES[0] else 0) for name in NAMES}
    return _reproduction(found, {}, {}, profile, changes)


def make_all(
    seeds: Iterable[int] = (0, 1, 2, 3, 4),
    *,
    profile: str = "standard",
    without: Iterable[str] = (),
    stored: Iterable[str] = (),
    **changes: Any,
) -> Reproduction:
    """Return a reproduction of all studies that the claims need, with the arms that it trains.

    `without` names studies that could not be run, and `stored` those of which results ship.
    """
    left, kept = set(without), set(stored)
    sizes = {one.name: replace(size, seeds=tuple(seeds), looks=()) for one, size in plans(profile)}
    found = {name: result(name, size) for name, size in sizes.items() if name not in left}
    shipped = {name: result(name, entry(name).profile("standard")) for name in sizes if name in kept}
    absent = {name: f"{name} cannot be run on this computer; needs: patience" for name in left}
    return _reproduction(found, shipped, absent, profile, changes)


def _reproduction(
    found: dict[str, StudyResult],
    stored: dict[str, StudyResult],
    absent: dict[str, str],
    profile: str,
    changes: dict[str, Any],
) -> Reproduction:
    of = [{name: one.evidence for name, one in results.items()} for results in (found, stored)]
    return Reproduction(
        **{
            "command": COMMAND,
            "profile": profile,
            "studies": found,
            "claims": claims(of[0], COMMAND, of[1], absent),
            "models_folder": None,
            "seconds": 321.5,
            "started": STARTED,
            "stored": stored,
            "absent": absent,
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
