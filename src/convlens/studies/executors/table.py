"""The executor of trials on small tables: one repeat of stratified cross-validation, tuned inside every fold.

A configuration describes the trial whole::

    {"kind": "table",
     "table": {"name": "wine", "settings": {}, "sha256": "39...", "view": "rows"},
     "model": {"kind": "logistic-regression", "C": 1.0, "max_iter": 1000},
     "candidates": [{"C": 0.01}, {"C": 1.0}],
     "resampling": {"folds": 5, "validation_fraction": 0.25},
     "seeds": {"folds": "trial", "columns": "trial", "model": "trial"},
     "names": {"table": "wine", "model": "logistic regression"}}

A candidate is the model with some settings replaced, by dotted name. Arms with the same ``folds`` seed share their
folds and, with the same ``columns`` seed, the order of the columns.

A trial is a repeat, and its accuracies by fold are in the curve ``fold.accuracy``: repeats share their rows, so their
spread is not that of new data, and an interval over them needs the correction of Nadeau & Bengio, "Inference for the
generalization error", Machine Learning 52 (2003).

The bits of scikit-learn's results may differ between its versions, and between processors. So this executor does not
promise them (`TableExecutor.exact`); provenance says which trials used it, and its version.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy

from ... import tables
from ...plain import canonical
from ...tables import scikit_learn
from ...train.provenance import hardware, versions
from ..metric import Metric
from ..trial import NAMES, PlannedTrial, TrialOutcome
from .cross_validation import CrossValidation, Plan, cross_validate
from .executor import ExecutionOptions
from .table_configuration import TableConfiguration

CURVES = ("fold.accuracy", "fold.chosen", "fold.test_rows", "fold.train_rows")


def metrics(rows: int) -> tuple[Metric, ...]:
    """Return the metrics of a study on tables, the smallest of which has so many rows."""
    return (
        Metric("test.accuracy", "fraction", "test accuracy, mean of the folds", 1 / rows, folds="fold.accuracy"),
        Metric("accuracy.standard_deviation", "difference of fractions", "standard deviation over the folds"),
        Metric("validation.accuracy", "fraction", "validation accuracy of the chosen candidates"),
        Metric("seconds.train", "s", "time per trial", deterministic=False),
    )


def configuration(
    table: str,
    model: Mapping[str, Any],
    candidates: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any] | None = None,
    view: str = "rows",
    permuted: bool = False,
    folds: int = 5,
    name: str = "",
) -> dict[str, Any]:
    """Return the configuration of a trial on a table.

    Parameters
    ----------
    table, settings
        A name of `convlens.tables.TABLES`, and settings of its source.
    model, candidates
        See the module.
    view
        ``"rows"``, or ``"features"``: what somebody who knows the task would compute from a row.
    permuted
        Whether the columns are permuted, by the trial's seed.
    folds
        Number of folds.
    name
        The model's display name; its kind by default.

    Raises
    ------
    ConfigurationError
        If a name or a setting is unknown or out of range.
    """
    described = settings or {}
    found = {
        "kind": "table",
        "table": {
            "name": table,
            "settings": dict(described),
            "sha256": _sha256(table, canonical(described)),
            "view": view,
        },
        "model": dict(model),
        "candidates": [dict(one) for one in candidates],
        "resampling": {"folds": folds, "validation_fraction": 0.25},
        "seeds": {"folds": "trial", "columns": "trial" if permuted else None, "model": "trial"},
        NAMES: {"table": table, "model": name or str(model.get("kind"))},
    }
    TableConfiguration.read(found, table)
    return found


@lru_cache(maxsize=32)
def _sha256(table: str, settings: str) -> str:
    """Return a table's SHA-256, once for all arms; bundled tables have theirs pinned, and are not read."""
    return tables.source(table, json.loads(settings)).sha256


class TableExecutor:
    """Cross-validates a model on a table."""

    exact = False  # scikit-learn's bits vary between versions and processors

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        """See `convlens.studies.executors.check`."""
        TableConfiguration.read(configuration, where)

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        """Run one repeat.

        Raises
        ------
        ConfigurationError
            If scikit-learn is needed and not installed.
        DataError
            If the table is another than the one the trial was planned with.
        TrainingInterrupted
            After Ctrl-C, or if a hook stopped a training.
        """
        wanted, began = TableConfiguration.read(planned.configuration, planned.label), time.perf_counter()
        table, seed = wanted.load(), planned.seed
        plan = Plan(
            wanted.resampling.folds,
            wanted.resampling.validation_fraction,
            wanted.seeds.of("folds", seed),
            wanted.seeds.of("model", seed),
        )
        found = cross_validate(wanted.models, wanted.columns(table, seed), table.labels, plan, options)
        return TrialOutcome(
            metrics=_metrics(found, time.perf_counter() - began),
            predictions={"test": found.predictions.astype(np.uint8)},
            labels={"test": table.labels.astype(np.uint8)},
            curves={
                "fold.accuracy": found.accuracies,
                "fold.chosen": found.chosen,
                "fold.test_rows": found.test_rows,
                "fold.train_rows": found.train_rows,
            },
            provenance=_provenance(wanted, found.engine, options),
        )


def _metrics(found: CrossValidation, seconds: float) -> dict[str, float]:
    return {
        "test.accuracy": float(found.accuracies.mean()),
        "accuracy.standard_deviation": float(found.accuracies.std(ddof=1)),
        "validation.accuracy": float(found.validation.mean()),
        "seconds.train": seconds,
        **({"diverged": float(found.diverged)} if found.diverged else {}),
    }


def _provenance(wanted: TableConfiguration, engine: str | None, options: ExecutionOptions) -> dict[str, Any]:
    used = wanted.needs_scikit_learn
    sources = {"scikit-learn": scikit_learn.version(), "scipy": scipy.__version__} if used else {}
    return {
        "versions": {**versions(), **sources},
        "hardware": hardware(),
        **({"engine": engine} if engine else {}),
        "trials side by side": options.side_by_side,
        "exact": not used,  # whether the same versions promise the same bits on every processor
    }
