"""Results of every study of the catalogue, with numbers that were made up: of each shape that figures have to draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from convlens.randomness import stream
from convlens.studies.assessment.evidence import assess
from convlens.studies.catalog import entry
from convlens.studies.results.result import StudyResult
from convlens.studies.runner import plan
from convlens.studies.spec import Curve, Metric, Profile, Study
from convlens.studies.storage.register import DrawnVerdict, Registration
from convlens.studies.trial import PlannedTrial, Trial, TrialOutcome
from tests.rates import rated

STARTED = "2026-01-02T03:04:05+00:00"


@lru_cache(maxsize=32)
def study(name: str) -> Study:
    return rated(name)


def level_of(planned: PlannedTrial, arm_level: float | None) -> float:
    """Return an accuracy that grows with the arm's level, and otherwise differs a little from arm to arm."""
    own = 0.012 * float(stream(0, "corrupt", planned.arm).uniform())
    base = 0.97 if arm_level is None else 0.99 - 0.5 / (1 + arm_level) ** 0.6
    noise = stream(planned.seed, "corrupt", planned.arm).normal(0, 0.0012) + stream(planned.seed, "corrupt").normal(
        0, 0.001
    )
    return float(min(0.9999, base + own + noise))


def value_of(metric: Metric, planned: PlannedTrial, level: float) -> float:
    if metric.name in ("parameters", "flops"):
        return 206_922.0 if metric.name == "parameters" else 2.5e6
    if metric.name == "test.reads":
        return 1.0
    if metric.unit == "fraction":
        return level
    if metric.name == "seconds.train":
        return 7.0 + level
    spread = {"count": 0.0, "difference of fractions": 0.01, "pixels": 0.3}.get(metric.unit, 0.05)
    return 1.0 + spread * float(stream(planned.seed, "corrupt", metric.name + planned.arm).normal())


def curve_of(curve: Curve, planned: PlannedTrial, level: float) -> Any:
    grids = np.meshgrid(*(np.linspace(-1, 1, size) for size in curve.shape), indexing="ij")
    away = np.sqrt(sum(grid**2 for grid in grids))
    return (level * np.exp(-away) + stream(planned.seed, "corrupt", curve.name).normal(0, 0.004)).clip(0, 1)


def outcome(planned: PlannedTrial, described: Study) -> TrialOutcome:
    arm = next(one for one in described.arms if one.name == planned.arm)
    level = level_of(planned, arm.level)
    metrics = {one.name: value_of(one, planned, level) for one in described.metrics if one.is_of(arm.name)}
    curves = {one.name: curve_of(one, planned, level) for one in described.curves_of(arm.name)}
    curves |= {  # an arm may measure more than is declared of it, along fewer layers
        one.name: np.full(one.shape[0] - 1, level)
        for one in described.curves
        if len(one.axes) == 1 and one.shape[0] > 1 and not one.is_of(arm.name)
    }
    recipe: Any = arm.configuration.get("recipe")
    history, predictions, labels = None, {}, {}
    if isinstance(recipe, Mapping):
        history = [
            {"epoch": epoch, "train.accuracy": level - 0.3 / epoch, "validation.accuracy": level - 0.1 / epoch}
            for epoch in range(1, recipe["epochs"] + 1)
        ]
        true = (np.arange(1000) % 10).astype(np.uint8)
        wrong = stream(planned.seed, "corrupt", planned.arm).choice(1000, math.ceil(1000 * (1 - level)), replace=False)
        said = true.copy()
        said[wrong] = (said[wrong] + 1) % 10
        predictions, labels = {"test": said}, {"test": true}
        metrics["test.accuracy"] = float((said == true).mean())
    folds = {one.folds for one in described.metrics if one.folds is not None and one.is_of(arm.name)}
    curves |= {name: np.full(5, level) + stream(planned.seed, "corrupt", planned.arm).normal(0, 0.01, 5)
               for name in folds}  # fmt: skip
    return TrialOutcome(
        metrics, history, predictions, labels, curves, {"engine": "numba", "versions": {"convlens": "0.1.0"}}
    )


@lru_cache(maxsize=32)
def result(name: str, profile: str = "standard", seeds: int | None = 5) -> StudyResult:
    """Return a study's result with made-up numbers, of its first seeds (None: of all)."""
    described = study(name)
    size = entry(name).profile(profile)
    if seeds is not None:
        size = replace(size, seeds=size.seeds[:seeds], looks=())
    return of(described, size)


def of(described: Study, profile: Profile) -> StudyResult:
    resolved = described.under(profile)
    planned = plan(described, profile, numerics_version=1)
    trials = [Trial.of(one, outcome(one, resolved), "2026-01-02T03:04:06+00:00") for one in planned]
    evidence = assess(described, trials, profile)
    command = f"convlens study run {described.name} --profile {profile.name}"
    declared = Registration("a" * 64, 1, "0.1.0 (commit 1234567)", "2026-01-02T03:00:00+00:00")
    drawn = DrawnVerdict("a" * 64, 1, len(profile.seeds), evidence.verdict.sentence, "2026-01-02T04:00:00+00:00")
    return StudyResult(evidence, trials, (), command, 61.0, STARTED, (declared,), (drawn,))
