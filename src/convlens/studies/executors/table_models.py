"""The models that a table is given to: logistic regression, gradient boosting, and a convlens network.

Each is a frozen dataclass of its settings, with scikit-learn's names for scikit-learn's, and one method that fits it to
some rows and returns probabilities of others. scikit-learn is imported when it is first used.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from ... import nn
from ...data import Dataset, Examples
from ...errors import ConfigurationError, TrainingDiverged, TrainingInterrupted
from ...nn.serialize import layers_from_data
from ...plain import check_keys, is_number
from ...preprocessing import Preprocessing
from ...tables import scikit_learn
from ...tables.table import require_range
from ...train import Recipe, fit
from ...typing import FloatArray, Labels
from .executor import ExecutionOptions


class Fitted(NamedTuple):
    """Probabilities (N, K) of the rows asked for; the shares of the classes, if it diverged; a network's engine."""

    probabilities: FloatArray
    diverged: bool = False
    engine: str | None = None


class TableModel(Protocol):
    """A model of a table."""

    needs_scikit_learn: ClassVar[bool]

    def fitted(
        self, rows: FloatArray, labels: Labels, asked: FloatArray, seed: int, options: ExecutionOptions
    ) -> Fitted:
        """Fit to `rows` (N, H, W, C), standardised, with `labels` of all K classes; return probabilities of `asked`."""


@dataclass(frozen=True)
class LogisticRegression:
    """scikit-learn's ``LogisticRegression``: a linear model, fitted by L-BFGS.

    Parameters
    ----------
    C
        Inverse strength of the penalty on squared weights.
    max_iter
        Largest number of iterations.
    """

    C: float
    max_iter: int

    needs_scikit_learn: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _require_positive("C", self.C)
        require_range("max_iter", self.max_iter, 1, 100_000)

    def fitted(
        self, rows: FloatArray, labels: Labels, asked: FloatArray, seed: int, options: ExecutionOptions
    ) -> Fitted:
        """See `TableModel.fitted`; nothing is drawn."""
        del seed, options
        made = scikit_learn.part("linear_model").LogisticRegression(C=self.C, max_iter=self.max_iter)
        return _by_scikit_learn(made, rows, labels, asked)


@dataclass(frozen=True)
class GradientBoosting:
    """scikit-learn's ``HistGradientBoostingClassifier``: boosted trees on binned columns, without early stopping.

    Parameters
    ----------
    learning_rate
        Factor of every tree's contribution.
    max_iter
        Number of rounds, each with one tree a class (one in all for two classes).
    max_leaf_nodes, min_samples_leaf
        Size of a tree, and of its smallest leaf.
    """

    learning_rate: float
    max_iter: int
    max_leaf_nodes: int
    min_samples_leaf: int

    needs_scikit_learn: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _require_positive("learning_rate", self.learning_rate)
        for name, low in (("max_iter", 1), ("max_leaf_nodes", 2), ("min_samples_leaf", 1)):
            require_range(name, getattr(self, name), low, 100_000)

    def fitted(
        self, rows: FloatArray, labels: Labels, asked: FloatArray, seed: int, options: ExecutionOptions
    ) -> Fitted:
        """See `TableModel.fitted`."""
        del options
        made = scikit_learn.part("ensemble").HistGradientBoostingClassifier(
            **vars(self), early_stopping=False, random_state=seed % 2**32
        )
        return _by_scikit_learn(made, rows, labels, asked)


@dataclass(frozen=True)
class Network:
    """A convlens network.

    Parameters
    ----------
    layers
        As plain data; see `convlens.nn.serialize`.
    recipe
        As plain data without a name; see `convlens.train.Recipe`.
    """

    layers: Sequence[Any]
    recipe: Any

    needs_scikit_learn: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if isinstance(self.recipe, dict) and "name" in self.recipe:
            raise ConfigurationError("recipe: unknown key 'name'; its name is in names.model")
        if self._recipe.patience is not None:
            raise ConfigurationError(
                f"recipe: patience is None in a trial on a table, not {self._recipe.patience}: what is chosen, is "
                "chosen among the candidates"
            )
        layers_from_data(self.layers)

    @property
    def _recipe(self) -> Recipe:
        check_keys([*Recipe.__dataclass_fields__], self.recipe, "recipe")
        return Recipe.from_dict({"name": "table", **self.recipe})

    def fitted(
        self, rows: FloatArray, labels: Labels, asked: FloatArray, seed: int, options: ExecutionOptions
    ) -> Fitted:
        """See `TableModel.fitted`; `seed` draws the initial weights, the order of the rows and dropout."""
        classes = int(labels.max()) + 1
        dataset = _dataset(rows.astype(np.float32), labels, classes)
        model = nn.Model(layers_from_data(self.layers), dataset.input_shape, seed).use(options.engine, options.threads)
        try:
            run = fit(
                model, dataset, self._recipe, seed=seed, test=False, doubt=False, progress=False, hooks=options.hooks
            )
            if run.stopped:
                raise TrainingInterrupted("a hook stopped the training; nothing is saved; run the trial again")
            return Fitted(model.predict_proba(asked.astype(np.float32)), engine=model.engine.name)
        except TrainingDiverged:
            shares = np.bincount(labels, minlength=classes) / len(labels)
            return Fitted(np.tile(shares, (len(asked), 1)), diverged=True, engine=model.engine.name)
        finally:
            model.engine.close()


MODELS: dict[str, type[TableModel]] = {
    "gradient-boosting": GradientBoosting,
    "logistic-regression": LogisticRegression,
    "network": Network,
}


def _require_positive(name: str, value: object) -> None:
    if not is_number(value) or not value > 0:  # type: ignore[operator]
        raise ConfigurationError(f"{name} is a number above 0, not {value!r}")


def _by_scikit_learn(model: Any, rows: FloatArray, labels: Labels, asked: FloatArray) -> Fitted:
    """Fit on one thread, so that sums do not depend on their number."""
    with threadpool_limits(1), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # that L-BFGS came to its last iteration: a result too
        model.fit(rows.reshape(len(rows), -1), labels)
        return Fitted(model.predict_proba(asked.reshape(len(asked), -1)))


def _dataset(rows: FloatArray, labels: Labels, classes: int) -> Dataset:
    """Return rows as a data set; what a training evaluates, but nothing here chooses by, is a few rows of its own."""
    train, shape = Examples("train", rows, labels), rows.shape[1:]
    few = train.take(np.arange(1), "validation")
    return Dataset(
        name="table",
        train=train,
        validation=few,
        test=few,
        class_names=tuple(map(str, range(classes))),
        input_shape=shape,
        split={},
        provenance={},
        preprocessing=Preprocessing(shape),
        sha256="",
    )
