"""The interface of an executor, and the options it receives besides the trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...train import Hook
from ..trial import PlannedTrial, TrialOutcome


@dataclass(frozen=True)
class ExecutionOptions:
    """How to run trials on this machine. No option changes a result, so none is part of a trial's key.

    Parameters
    ----------
    engine, threads
        Engine of the models; see `convlens.engine.start`.
    side_by_side
        Number of trials that run in parallel; recorded, because measured rates depend on it.
    models_folder
        Folder for trained models, named by their trial's key; None saves none.
    checkpoints_folder
        Folder for the checkpoints of interrupted trainings, from which the next run continues; None saves none.
    hooks
        Called at every step and epoch. One that stops a training stops the run: the trial has no result.
    """

    engine: str | None = None
    threads: int | None = None
    side_by_side: int = 1
    models_folder: Path | None = None
    checkpoints_folder: Path | None = None
    hooks: tuple[Hook, ...] = ()


class Executor(Protocol):
    """Runs the trials of one kind.

    Attributes
    ----------
    exact
        Whether a repetition gives the same bits on every machine; not where another library does the arithmetic.
    """

    exact: bool

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        """Raise ConfigurationError unless all keys and values of the configuration are valid."""

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        """Run a trial whose configuration has been checked; never accesses the store."""
