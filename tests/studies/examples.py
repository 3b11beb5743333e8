"""A small study and an executor that needs no model, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convlens.errors import ConfigurationError
from convlens.randomness import stream
from convlens.studies.executors import EXECUTORS, ExecutionOptions
from convlens.studies.spec import Arm, Estimand, Metric, Profile, Study
from convlens.studies.statistics.verdict import between, greater_than
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, Trial, TrialOutcome

TRUE = np.arange(50, dtype=np.uint8) % 10


class ToyExecutor:
    """Stands where executors stand: knows the keys of `configuration`."""

    exact = True

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        for key in configuration:
            if key not in ("kind", "model", "recipe", "data", "names"):
                raise ConfigurationError(f"{where} has an unknown key {key!r}")

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        return execute(planned)


EXECUTORS["toy"] = ToyExecutor()


def configuration(kernel_size: int) -> dict[str, Any]:
    return {
        "kind": "toy",
        "model": {"name": "cnn", "kernel_size": kernel_size},
        "recipe": {"epochs": 3},
        "data": "mnist",
    }


def make_study(**changes: Any) -> Study:
    parts: dict[str, Any] = {
        "name": "kernel-size",
        "question": "Is 3x3 better than 7x7?",
        "prediction": "By a little.",
        "why": "It has fewer weights to fit.",
        "factor": "kernel size",
        "levels": (3, 5, 7),
        "controls": ("same recipe",),
        "data": ("mnist",),
        "arms": tuple(Arm(f"{k}x{k}", configuration(k), cost=k) for k in (3, 5, 7)),
        "metrics": (
            Metric("test.accuracy", "fraction", "test accuracy", 0.02),
            Metric("parameters", "count", constant=True),
        ),
        "primary": Estimand("gain", "test.accuracy", "3x3", greater_than(0.02), reference="7x7"),
        "secondary": (
            Estimand("middle", "test.accuracy", "5x5", between(-0.01, 0.01), reference="3x3"),
            Estimand("size", "parameters", "3x3", between(-10, 10)),
        ),
        "max_minutes": 5,
        "sources": ("Araujo 2019",),
    }
    return Study(**{**parts, **changes})


THREE = Profile("standard", (0, 1, 2))
FIVE = Profile("standard", (0, 1, 2, 3, 4))


def execute(planned: PlannedTrial) -> TrialOutcome:
    """Larger kernels do worse; seeds vary, in part together for all arms."""
    kernel_size = planned.configuration["model"]["kernel_size"]  # type: ignore[index,call-overload]
    noise = stream(planned.seed, "corrupt", str(kernel_size)).normal(0, 0.001)
    shared = stream(planned.seed, "corrupt").normal(0, 0.02)
    predicted = TRUE.copy()
    predicted[:kernel_size] = (predicted[:kernel_size] + 1) % 10
    return TrialOutcome(
        metrics={"test.accuracy": 0.95 - 0.01 * kernel_size + noise + shared, "parameters": 9.0},
        history=[{"epoch": 0, "loss": 0.5}],
        predictions={"test": predicted},
        labels={"test": TRUE},
        provenance={"engine": "numpy", "threads": 2},
    )


def all_trials(store: TrialStore) -> list[Trial]:
    """Return all trials of a store, oldest first."""
    keys = [key for (key,) in store._connection.execute("SELECT key FROM trials ORDER BY rowid")]
    return [trial for key in keys if (trial := store.get(key)) is not None]


def planned_trial(seed: int = 0, kernel_size: int = 3, **changes: Any) -> PlannedTrial:
    parts: dict[str, Any] = {
        "study": "kernel-size",
        "arm": "3x3",
        "seed": seed,
        "configuration": configuration(kernel_size),
        "numerics_version": 1,
    }
    return PlannedTrial(**{**parts, **changes})


def make_trial(seed: int = 0, kernel_size: int = 3, **changes: Any) -> Trial:
    planned = planned_trial(seed, kernel_size, **changes)
    return Trial.of(planned, execute(planned), created="2025-01-01T00:00:00+00:00")
