"""The report as JSON, for scripts."""

from __future__ import annotations

import json
from typing import Any

from ..claims.reproduction import BEST_CNN, Confusion, Reproduction
from ..studies.results.result import StudyResult

SCHEMA_VERSION = 1
"""Raised when a key of ``results.json`` changes its meaning or is removed, not when one is added."""


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
        "studies": {name: result.to_dict() for name, result in reproduction.studies.items()},
        "confusion": _confusion(reproduction),
    }


def study_results(result: StudyResult) -> dict[str, Any]:
    """Return one study as plain JSON data, with the same keys."""
    return {
        "schema_version": SCHEMA_VERSION,
        "command": result.command,
        "profile": result.evidence.profile.name,
        "started": result.started,
        "seconds": result.seconds,
        "missing_trials": result.evidence.missing,
        "studies": {result.name: result.to_dict()},
    }


def as_bytes(found: dict[str, Any]) -> bytes:
    """Return plain data as the bytes of a JSON file."""
    return (json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


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
