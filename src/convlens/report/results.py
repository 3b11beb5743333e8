"""Everything as JSON: what a script would want of the report."""

from __future__ import annotations

import json
from typing import Any

from ..claims.reproduction import BEST_CNN, Confusion, Reproduction
from ..studies.trial import Trial

SCHEMA_VERSION = 1
"""Raised when a key of ``results.json`` changes its meaning or goes; adding a key leaves it."""


def results(reproduction: Reproduction) -> dict[str, Any]:
    """Return the whole reproduction as plain JSON data: accuracies are fractions, times are seconds."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": reproduction.command,
        "profile": reproduction.profile,
        "started": reproduction.started,
        "seconds": reproduction.seconds,
        "missing_trials": reproduction.missing,
        "claims": [row.to_dict() for row in reproduction.claims],
        "studies": {
            name: {**evidence.to_dict(), "trials": _trials(reproduction, name)}
            for name, evidence in reproduction.evidence.items()
        },
        "confusion": _confusion(reproduction),
    }


def results_json(reproduction: Reproduction) -> bytes:
    """Return `results` as the bytes of a file."""
    text = json.dumps(results(reproduction), indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def _trials(reproduction: Reproduction, study: str) -> list[dict[str, Any]]:
    """Return every arm's trials; one that two arms share is there under each."""
    return [_trial(arm.name, trial) for arm in reproduction.arms(study) for trial in arm.trials]


def _trial(arm: str, trial: Trial) -> dict[str, Any]:
    return {
        "arm": arm,
        "seed": trial.seed,
        "key": trial.key,
        "numerics_version": trial.numerics_version,
        "metrics": dict(trial.metrics),
        "history": trial.history,
        "provenance": dict(trial.provenance),
        "created": trial.created,
    }


def _confusion(reproduction: Reproduction) -> dict[str, Any] | None:
    confusion = Confusion.of(reproduction.best_cnn())
    if confusion is None:
        return None
    return {
        "arm": BEST_CNN,
        "split": "test",
        "seeds": list(confusion.seeds),
        "rows": "true class",
        "columns": "predicted class",
        "matrix": confusion.matrix.tolist(),
    }
