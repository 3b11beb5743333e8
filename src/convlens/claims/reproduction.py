"""What the report is made from: evidence, trials and claims, as the command line hands them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..studies.evidence import ArmEvidence, Evidence
from ..studies.spec import Arm
from ..studies.trial import Trial
from ..typing import IntArray
from .rows import ClaimRow

NETWORKS, KERNELS = "baseline-vs-cnn", "kernel-size"
_SETTING = ("data", "recipe", "names")
BEST_CNN = "cnn, good"  # the arm whose errors and filters are shown: the CNN under the better recipe


@dataclass(frozen=True)
class Reproduction:
    """One run of ``convlens reproduce``.

    Attributes
    ----------
    command
        What was typed.
    profile
        Name of the profile that was run.
    evidence
        By name of the study.
    trials
        By name of the study: all trials of its plan, also those that another study ran first.
    claims
        The claims and what became of them.
    models_folder
        Where the trained models were saved; None where none were kept.
    seconds
        How long it took, wall time; trials that were found in the store took none.
    started
        When it began: ISO 8601, UTC.
    """

    command: str
    profile: str
    evidence: Mapping[str, Evidence]
    trials: Mapping[str, Sequence[Trial]]
    claims: Sequence[ClaimRow]
    models_folder: Path | None
    seconds: float
    started: str

    @property
    def missing(self) -> int:
        """How many trials were declared and are not there."""
        return sum(evidence.missing for evidence in self.evidence.values())

    @property
    def one_seed(self) -> bool:
        """Whether no arm has more than one seed, so that nothing measured can be more than inconclusive."""
        return all(len(arm.seeds) <= 1 for evidence in self.evidence.values() for arm in evidence.arms)

    def arms(self, study: str) -> list[ArmTrials]:
        """Return the arms of a study with their trials, in the order in which they were declared."""
        if study not in self.evidence:
            return []
        evidence = self.evidence[study]
        by_key = {str(trial.key): trial for trial in self.trials.get(study, ())}
        described = {arm.name: arm for arm in evidence.study.arms}
        return [
            ArmTrials(described[arm.name], arm, tuple(by_key[key] for key in arm.keys if key in by_key))
            for arm in evidence.arms
        ]

    def setting(self, study: str, arms: Sequence[ArmTrials] | None = None) -> str:
        """Return data and recipe in a sentence, for captions; several values where arms differ."""
        configurations = [arm.arm.configuration for arm in (self.arms(study) if arms is None else arms)]
        parts: dict[str, dict[str, None]] = {"Data": {}, "recipe": {}}
        for configuration in configurations:
            data, recipe, names = (
                part if isinstance(part := configuration.get(name), Mapping) else {} for name in _SETTING
            )
            images, epochs = data.get("train_images"), recipe.get("epochs")
            trained = "all training images" if images is None else f"{images:,} training images"
            parts["Data"][f"{names.get('data', 'unrecorded')}, {trained}"] = None
            parts["recipe"][f"“{names.get('recipe', 'unrecorded')}”, {epochs} epoch{'' if epochs == 1 else 's'}"] = None
        return "; ".join(f"{name}: {' or '.join(values)}" for name, values in parts.items() if values) + "."

    def best_cnn(self) -> ArmTrials | None:
        """Return the arm whose errors and filters are shown."""
        return next((arm for arm in self.arms(NETWORKS) if arm.name == BEST_CNN), None)


@dataclass(frozen=True)
class ArmTrials:
    """An arm: what was declared, what it measured, and the trials themselves."""

    arm: Arm
    evidence: ArmEvidence
    trials: tuple[Trial, ...]

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.arm.name

    def values(self, metric: str) -> dict[int, float]:
        """Return seed to value, of the trials that measured it."""
        return {trial.seed: trial.metrics[metric] for trial in self.trials if metric in trial.metrics}

    def series(self, metric: str) -> dict[int, list[float]]:
        """Return seed to the metric after every epoch; trials without such a history (diverged) are left out."""
        found = {}
        for trial in self.trials:
            rows = trial.history if isinstance(trial.history, list) else []
            values = [row[metric] for row in rows if metric in row]
            if values and len(values) == len(rows):
                found[trial.seed] = values
        return found


@dataclass(frozen=True)
class Confusion:
    """Test images of class i (row) that were called j (column), summed over the trained networks of `seeds`."""

    seeds: tuple[int, ...]
    matrix: IntArray

    @property
    def errors(self) -> list[tuple[int, int, int]]:
        """The confusions (true, called, how often), the most frequent first."""
        true, called = np.nonzero(self.matrix)
        found = [(int(i), int(j), int(self.matrix[i, j])) for i, j in zip(true, called, strict=True) if i != j]
        return sorted(found, key=lambda one: (-one[2], one[0], one[1]))

    @classmethod
    def of(cls, arm: ArmTrials | None) -> Confusion | None:
        """Sum over the arm's trials that stored test predictions; None without any."""
        kept = [t for t in arm.trials if "test" in t.predictions and "test" in t.labels] if arm else []
        if not kept:
            return None
        size = 1 + max(int(max(t.predictions["test"].max(), t.labels["test"].max())) for t in kept)
        matrix = np.zeros((size, size), np.int64)
        for trial in kept:
            np.add.at(matrix, (trial.labels["test"], trial.predictions["test"]), 1)
        return cls(tuple(trial.seed for trial in kept), matrix)
