"""One repeat of stratified cross-validation, with the candidate chosen anew inside every fold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ... import elementary
from ...data.split import Indexes, stratified_order, stratified_split
from ...errors import DataError
from ...randomness import stream
from ...typing import FloatArray, Labels
from .executor import ExecutionOptions
from .table_models import Fitted, TableModel


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What one repeat found. Every row is tested once, in the fold that it was left out for.

    Attributes
    ----------
    predictions
        (N,) class numbers, in the order of the rows.
    accuracies, validation
        (folds,) accuracy on the fold's test rows; that of the chosen candidate on validation rows, best of several.
    chosen
        (folds,) number of the chosen candidate, from 0.
    train_rows, test_rows
        (folds,) sizes.
    diverged
        Number of folds whose model diverged.
    engine
        The engine that ran the models, if they are networks.
    """

    predictions: Labels
    accuracies: FloatArray
    validation: FloatArray
    chosen: Labels
    train_rows: Labels
    test_rows: Labels
    diverged: int
    engine: str | None


@dataclass(frozen=True)
class Plan:
    """How rows are resampled, and with which seeds."""

    folds: int
    validation_fraction: float
    folds_seed: int
    model_seed: int


def cross_validate(
    models: Sequence[TableModel], rows: FloatArray, labels: Labels, plan: Plan, options: ExecutionOptions
) -> CrossValidation:
    """Run one repeat.

    In each fold, every candidate is fitted to the training rows less a stratified part for validation; the one with the
    best accuracy there is chosen (then: lower loss, then: first), fitted to all training rows, and asked once about the
    test rows. All candidates of a fold get the same seed.

    Parameters
    ----------
    models
        The candidates.
    rows
        (N, H, W, C); each column is standardised by the rows that a model is fitted to.
    labels
        (N,).
    plan, options
        How.

    Raises
    ------
    DataError
        If a class has fewer rows than there are folds.
    """
    tests = folds_of(labels, plan)
    predictions = np.empty(len(labels), np.int64)
    accuracies, validation, chosen, diverged, engine = [], [], [], 0, None
    for number, test in enumerate(tests):
        train = np.setdiff1d(np.arange(len(labels)), test)
        seed = int(stream(plan.model_seed, "initialise", f"fold {number}").integers(2**62))
        inner, held_out = stratified_split(labels[train], plan.validation_fraction, plan.folds_seed, f"fold {number}")
        best, score = _chosen(models, rows, labels, (train[inner], train[held_out]), seed, options)
        found = _asked(models[best], rows, labels, (train, test), seed, options)
        predictions[test] = found.probabilities.argmax(axis=1)
        accuracies.append(float((predictions[test] == labels[test]).mean()))
        validation.append(score)
        chosen.append(best)
        diverged, engine = diverged + found.diverged, found.engine
    sizes = np.array([len(test) for test in tests])
    return CrossValidation(
        predictions,
        np.array(accuracies),
        np.array(validation),
        np.array(chosen),
        len(labels) - sizes,
        sizes,
        diverged,
        engine,
    )


def folds_of(labels: Labels, plan: Plan) -> list[Indexes]:
    """Return the test rows of each fold, sorted: disjoint, together all, with the class proportions of the whole."""
    fewest = int(np.bincount(labels).min())
    if fewest < plan.folds:
        raise DataError(
            f"the rarest class has {fewest} rows, and {plan.folds} folds need one each; use {max(2, fewest)} folds"
        )
    order = stratified_order(labels, plan.folds_seed, "split", "folds")
    return [np.sort(part) for part in np.array_split(order, plan.folds)]


def standardised(rows: FloatArray, by: FloatArray) -> FloatArray:
    """Return (rows - mean) / deviation, column by column, both of `by`; a constant column becomes its difference."""
    flat = by.reshape(len(by), -1)
    mean = flat.sum(axis=0) / len(flat)  # along the first axis rows are added in their order, everywhere the same
    squares = ((flat - mean) ** 2).sum(axis=0) / len(flat)
    deviation = np.sqrt(np.where(squares > 0, squares, 1.0))
    found: FloatArray = ((rows.reshape(len(rows), -1) - mean) / deviation).reshape(rows.shape)
    return found


def _chosen(
    models: Sequence[TableModel],
    rows: FloatArray,
    labels: Labels,
    parts: tuple[Indexes, Indexes],
    seed: int,
    options: ExecutionOptions,
) -> tuple[int, float]:
    """Return the best candidate's number and its accuracy on the second part; one that diverged is the last choice."""
    scores = []
    for number, model in enumerate(models):
        found = _asked(model, rows, labels, parts, seed, options)
        accuracy = float((found.probabilities.argmax(axis=1) == labels[parts[1]]).mean())
        scores.append((found.diverged, -accuracy, _loss(found.probabilities, labels[parts[1]]), number))
    _, negative, _, best = min(scores)
    return best, -negative


def _asked(
    model: TableModel,
    rows: FloatArray,
    labels: Labels,
    parts: tuple[Indexes, Indexes],
    seed: int,
    options: ExecutionOptions,
) -> Fitted:
    """Fit a model to the first part and return its probabilities of the second."""
    train, asked = parts
    return model.fitted(
        standardised(rows[train], rows[train]), labels[train], standardised(rows[asked], rows[train]), seed, options
    )


def _loss(probabilities: FloatArray, labels: Labels) -> float:
    """Return the mean of -log p(true class), p at least 1e-12, in a fixed order of summation."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -math.fsum(elementary.log(np.maximum(true, 1e-12))) / len(labels)
