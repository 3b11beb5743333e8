"""Executors: what runs a trial, one for each kind, in a table by the kind's name.

A configuration names its ``kind``. Its executor knows every key that a configuration of that kind may have, and
refuses all others: when a trial is planned, before anything runs, and again when it is run. So a misspelt setting is an
error, and never a study that reports "no effect".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError, nearest
from ..trial import PlannedTrial, TrialOutcome
from .executor import ExecutionOptions as ExecutionOptions
from .executor import Executor as Executor
from .training import TrainingExecutor

EXECUTORS: dict[str, Executor] = {"training": TrainingExecutor()}


def check(configuration: Mapping[str, Any], where: str) -> None:
    """Check every key of a configuration, nested ones too.

    Parameters
    ----------
    configuration
        Of an arm or a trial, with its ``kind``.
    where
        Whose it is, for the message: ``"kernel-size/3x3"``.

    Raises
    ------
    ConfigurationError
        If the kind, a key or a value is unknown or missing; it names the key and the nearest right one.
    """
    executor_of(configuration, where).check(configuration, where)


def execute(planned: PlannedTrial, options: ExecutionOptions | None = None) -> TrialOutcome:
    """Check a trial and run it; see `check` for what is refused."""
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
