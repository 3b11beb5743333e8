"""The result of one training."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ..markup import html_table
from ..metrics import Evaluation
from ..nn import Model
from ..wording import count, duration, percent
from .provenance import hardware, versions
from .training import Training


@dataclass(frozen=True, repr=False)
class Run:
    """The result of one training.

    Attributes
    ----------
    model
        The trained model.
    history
        A plain mapping for each epoch: ``train.loss`` and ``train.accuracy`` (running means over the epoch's own
        steps), ``validation.loss``, ``validation.accuracy``, ``learning_rate``.
    validation, test
        Evaluations of the final weights; `test` is None if the test set was not read.
    test_reads
        How often the test images were read during this training: 1, or 0.
    best_epoch
        The epoch of the best validation accuracy, counted from 1; 0 if no epoch was evaluated.
    seconds
        Time by activity: ``train`` (batch assembly and steps), ``validation``, ``test``, ``checkpoint``, and ``doubt``
        (see `convlens.train.fit`).
    images_per_second
        Training images over ``seconds["train"]``.
    configuration
        Everything that decides the result.
    stopped
        Whether `Training.stop` ended training before the recipe did. Unless an epoch had just ended, the last row of
        the history is then that of the epoch cut short, with its number of ``steps``.
    """

    model: Model
    history: list[dict[str, Any]]
    validation: Evaluation
    test: Evaluation | None
    test_reads: int
    best_epoch: int
    seconds: dict[str, float]
    images_per_second: float
    engine: str
    threads: int
    seed: int
    configuration: dict[str, Any]
    stopped: bool = False

    @classmethod
    def of(cls, training: Training, *, test: bool) -> Run:
        """Evaluate a finished training; this is the only place where the test set is read."""
        progress, dataset, model = training.progress, training.dataset, training.model
        seconds = dict(progress.seconds)
        validation = training.validation or training.evaluated(dataset.validation)
        start = time.perf_counter()
        tested = training.evaluated(dataset.test) if test else None
        seconds["test"] = time.perf_counter() - start
        return cls(
            model=model,
            history=list(progress.history),
            validation=validation,
            test=tested,
            test_reads=dataset.test.reads - training.test_reads_before,
            best_epoch=progress.best_epoch + 1,
            seconds=seconds,
            images_per_second=progress.images / max(seconds["train"], 1e-9),
            engine=training.engine.name,
            threads=training.engine.threads,
            seed=training.seed,
            configuration=training.configuration,
            stopped=training.stopped,
        )

    def __repr__(self) -> str:
        state = ", stopped" if self.stopped else ""
        tested = "" if self.test is None else f"test accuracy {percent(self.test.accuracy)}, "
        return (
            f"<Run: {self.configuration['recipe']['name']} on {self.configuration['data']['name']}, seed {self.seed}: "
            f"{tested}validation accuracy {percent(self.validation.accuracy)}, {self._epochs}{state}>"
        )

    @property
    def _epochs(self) -> str:
        return count(len(self.history), "epoch")

    def _repr_html_(self) -> str:
        splits = (("validation", self.validation), ("test", self.test))
        rows = [(name, percent(one.accuracy), f"{one.loss:.4f}", one.images) for name, one in splits if one is not None]
        title = (
            f"{self.configuration['recipe']['name']} on {self.configuration['data']['name']}, seed {self.seed}: "
            f"{self._epochs}{', stopped' if self.stopped else ''}, {duration(self.seconds['train'])}"
        )
        return html_table(title, ("split", "accuracy", "loss", "images"), rows)

    def summary(self) -> dict[str, Any]:
        """Return the summary that is saved with the model."""
        return {
            "data": self.configuration["data"],
            "recipe": self.configuration["recipe"],
            "seed": self.seed,
            **{key: self.configuration[key] for key in ("start",) if key in self.configuration},
            "epochs": len(self.history),
            **({"stopped": True} if self.stopped else {}),
            "validation.accuracy": self.validation.accuracy,
            "test.accuracy": None if self.test is None else self.test.accuracy,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the whole result as plain JSON data."""
        return {
            "parameters": self.model.program.parameter_count,
            "flops": self.model.program.flops,
            "validation": self.validation.to_dict(),
            "test": None if self.test is None else {**self.test.to_dict(), "reads": self.test_reads},
            "history": self.history,
            "best_epoch": self.best_epoch,
            "stopped": self.stopped,
            "seconds": self.seconds,
            "images_per_second": self.images_per_second,
            "engine": self.engine,
            "threads": self.threads,
            "seed": self.seed,
            "versions": versions(),
            "hardware": hardware(),
            "configuration": self.configuration,
        }
