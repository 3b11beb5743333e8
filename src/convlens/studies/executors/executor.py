"""What an executor is, and what it is given beside the trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ...train import Hook
from ..trial import PlannedTrial, TrialOutcome


@dataclass(frozen=True)
class ExecutionOptions:
    """How trials are run here: nothing of it changes a result, so nothing of it is in a trial's key.

    Parameters
    ----------
    engine, threads
        What runs the models; see `convlens.engine.start`.
    side_by_side
        How many trials run at once, for the record: the rates they measure depend on it.
    models_folder
        Where each trained model is saved, named by its trial's key; None to keep none.
    checkpoints_folder
        Where a training that is stopped saves itself, named likewise, for the next run to go on; None to begin again.
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
    """Runs the trials of one kind."""

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        """Raise ConfigurationError unless all keys and values of the configuration are right."""

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        """Run a trial whose configuration has been checked; it never touches the store."""
