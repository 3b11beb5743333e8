"""Executors run trials: one per kind, in a table by name.

A configuration names its ``kind``. The executor of that kind knows every key that a configuration may have, and rejects
all others: when a trial is planned, before anything runs, and again when it is run. So a misspelt setting is an error,
not a study that reports "no effect".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError, nearest
from ..trial import PlannedTrial, TrialOutcome
from .executor import ExecutionOptions as ExecutionOptions
from .executor import Executor as Executor
from .measurement import MeasurementExecutor
from .table import TableExecutor
from .training import TrainingExecutor

EXECUTORS: dict[str, Executor] = {
    "training": TrainingExecutor(),
    "measurement": MeasurementExecutor(),
    "table": TableExecutor(),
}


def check(configuration: Mapping[str, Any], where: str) -> None:
    """Check every key of a configuration, nested ones too.

    Parameters
    ----------
    configuration
        Of an arm or a trial, with its ``kind``.
    where
        Its owner, for the message: ``"kernel-size/3x3"``.

    Raises
    ------
    ConfigurationError
        If the kind, a key or a value is unknown or missing; the message suggests the nearest known name.
    """
    executor_of(configuration, where).check(configuration, where)


def execute(planned: PlannedTrial, options: ExecutionOptions | None = None) -> TrialOutcome:
    """Check a trial (see `check`) and run it."""
    executor = executor_of(planned.configuration, planned.label)
    executor.check(planned.configuration, planned.label)
    return executor.run(planned, options or ExecutionOptions())


def executor_of(configuration: Mapping[str, Any], where: str) -> Executor:
    """Return the executor that the configuration's ``kind`` names."""
    kind = configuration.get("kind")
    if not isinstance(kind, str) or kind not in EXECUTORS:
        said = "has no 'kind'" if kind is None else f"is of an unknown kind {kind!r}"
        raise ConfigurationError(f"{where}: the configuration {said}{nearest(str(kind or ''), EXECUTORS)}")
    return EXECUTORS[kind]
