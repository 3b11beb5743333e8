"""One trial: a configuration and a seed, what running it measured, and the key that identifies it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NewType

import numpy as np

from ..errors import ConfigurationError, DataError
from ..plain import JSON, canonical, check_name, plain
from ..randomness import LARGEST_SEED
from ..typing import Array
from .curve import Curve

TrialKey = NewType("TrialKey", str)  # 64 hexadecimal digits

NAMES = "names"
"""The part of a configuration that is not in its key: display names, and where the data are found."""

PARENT = "of"
"""The part of a configuration that describes the training whose model is measured, as a configuration of its own."""

TO_THE_END = ("seconds.train", "images_per_second")
"""Metrics that only a training that came to its end has."""


def decisive(configuration: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the part of a configuration that decides the result: all but its names, and those of its parent."""
    found = {key: value for key, value in configuration.items() if key != NAMES}
    parent = found.get(PARENT)
    return {**found, PARENT: decisive(parent)} if isinstance(parent, Mapping) else found


def trial_key(configuration: Mapping[str, JSON], seed: int, numerics_version: int) -> TrialKey:
    """Return the SHA-256 of the canonical JSON of everything that decides a trial's result.

    The names of study and arm are left out, and so are the configuration's own names for model, recipe and data (see
    `decisive`), so that two studies with the same run share it. If studies *measure* different things, that must be in
    the configuration; otherwise a trial found in the store may lack a metric, which is an error.

    Parameters
    ----------
    configuration
        Plain JSON that fully describes the run: its kind, model, data, seeds, recipe, extra measurements.
    seed
        The run's seed.
    numerics_version
        Version of the arithmetic, raised by hand whenever results change.

    Raises
    ------
    ConfigurationError
        If the configuration is not plain JSON.
    """
    content = {"configuration": decisive(configuration), "seed": seed, "numerics_version": numerics_version}
    return TrialKey(hashlib.sha256(canonical(content, "trial").encode()).hexdigest())


def check_seed(seed: object, where: str) -> None:
    """Raise ConfigurationError unless `seed` is an integer from 0 to 2**63 - 1."""
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        raise ConfigurationError(f"{where}: a seed is a whole number from 0 to 2**63 - 1, not {seed!r}")


@dataclass(frozen=True)
class PlannedTrial:
    """A trial to be run: everything the executor needs.

    Parameters
    ----------
    study, arm
        The study and the arm that ask for it. Not part of the key.
    seed
        Seed of everything the executor draws: initialisation, order, augmentation.
    configuration
        Plain JSON; copied.
    numerics_version
        Version of the arithmetic that will run it.
    cost
        Expected duration relative to the other planned trials (no unit).
    metrics
        Names of metrics that the outcome must have.
    curves
        Curves that it must have.
    keep_weights
        Whether the outcome brings the trained weights along, because another trial measures them. Not part of the key.
    weights
        The weights of the trial's parent, as its outcome brought them; None if the executor has to train the parent
        itself. Not part of the key either: they follow from the configuration.

    Raises
    ------
    ConfigurationError
        If a part is out of range.
    """

    study: str
    arm: str
    seed: int
    configuration: Mapping[str, JSON] = field(hash=False)
    numerics_version: int
    cost: float = 1.0
    metrics: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    keep_weights: bool = field(default=False, compare=False)
    weights: bytes | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_name(self.study, "a study")
        check_name(self.arm, "an arm")
        where = f"{self.study}/{self.arm}"
        check_seed(self.seed, where)
        if not (math.isfinite(self.cost) and self.cost > 0):
            raise ConfigurationError(f"{where}: cost is a number above 0, not {self.cost!r}")
        object.__setattr__(self, "configuration", plain(self.configuration, f"{where}: configuration"))

    @cached_property
    def key(self) -> TrialKey:
        """The trial's identity; see `trial_key`."""
        return trial_key(self.configuration, self.seed, self.numerics_version)

    @property
    def label(self) -> str:
        """Its name in messages: ``study/arm, seed 3``."""
        return f"{self.study}/{self.arm}, seed {self.seed}"

    def parent(self) -> PlannedTrial | None:
        """Return the training whose model this trial measures, with the same seed; None if it measures none.

        It belongs to the same study, and no metric of its own is required.
        """
        of = self.configuration.get(PARENT)
        if not isinstance(of, Mapping) or self.configuration.get("weights") == "initial":
            return None
        name = f"network of {self.arm}"[:100].strip()
        return replace(self, arm=name, configuration=of, metrics=(), curves=(), keep_weights=True, weights=None)


@dataclass(frozen=True, eq=False)
class TrialOutcome:
    """What an executor returns after one run.

    Parameters
    ----------
    metrics
        Flat, dotted names to finite numbers: ``test.accuracy`` (a fraction, 0 to 1), ``seconds.train``,
        ``images_per_second``. The part before the first dot is the split that ``predictions`` are of.
        A run that diverged is a result too: report its accuracy at chance, like every other metric that a study may
        require, and a metric ``diverged`` of 1.
    history
        Plain JSON: the training history.
    predictions
        Predicted classes by split, shape (N,), uint8 or uint16.
    labels
        True classes by split in the same order, so that the evidence can be checked from the store alone.
    curves
        Arrays of finite numbers by name, of any shape: for what is measured at many points, such as accuracy by shift.
    provenance
        Plain JSON: versions, hardware, engine, threads.
    weights
        The trained parameters and running statistics, little-endian float32, if they were asked for. The store keeps
        them beside itself, not with the trial.

    Raises
    ------
    DataError
        If a metric or a curve is not finite, or predictions and labels differ in number.
    ConfigurationError
        If history or provenance is not plain JSON.
    """

    metrics: Mapping[str, float]
    history: JSON = None
    predictions: Mapping[str, Array] = field(default_factory=dict)
    labels: Mapping[str, Array] = field(default_factory=dict)
    curves: Mapping[str, Array] = field(default_factory=dict)
    provenance: Mapping[str, JSON] = field(default_factory=dict)
    weights: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", {name: _number(name, v) for name, v in self.metrics.items()})
        object.__setattr__(self, "history", plain(self.history, "history"))
        object.__setattr__(self, "provenance", plain(self.provenance, "provenance"))
        for kind in ("predictions", "labels"):
            arrays = getattr(self, kind)
            object.__setattr__(self, kind, {s: _classes(f"{kind}[{s!r}]", a) for s, a in arrays.items()})
        object.__setattr__(self, "curves", {name: _curve(name, array) for name, array in self.curves.items()})
        for split in self.predictions.keys() & self.labels.keys():
            predicted, true = self.predictions[split].size, self.labels[split].size
            if predicted != true:
                raise DataError(f"{split}: {predicted} predictions but {true} labels; expected one of each per image")


@dataclass(frozen=True)
class Failure:
    """How a trial failed: type of the error, message and time (ISO 8601, UTC). The next run tries it again."""

    error: str
    message: str
    created: str


@dataclass(frozen=True, eq=False)
class Trial:
    """A finished trial as stored. ``study`` and ``arm`` are those that ran it."""

    study: str
    arm: str
    seed: int
    configuration: Mapping[str, Any]
    numerics_version: int
    metrics: Mapping[str, float]
    history: Any
    predictions: Mapping[str, Array]
    labels: Mapping[str, Array]
    curves: Mapping[str, Array]
    provenance: Mapping[str, Any]
    created: str  # ISO 8601, UTC

    @cached_property
    def key(self) -> TrialKey:
        """The trial's identity; see `trial_key`."""
        return trial_key(self.configuration, self.seed, self.numerics_version)

    @property
    def diverged(self) -> bool:
        """Whether the training diverged: a result, but one without an end."""
        return self.metrics.get("diverged", 0) > 0

    @property
    def seconds(self) -> float | None:
        """How long it took: what it measured, or else from its beginning to its end; None if nobody knows."""
        if "seconds.train" in self.metrics:
            return None if self.diverged else self.metrics["seconds.train"]
        began = self.provenance.get("started")
        if not isinstance(began, str):
            return None
        return (datetime.fromisoformat(self.created) - datetime.fromisoformat(began)).total_seconds()

    def measured(self, metric: str) -> bool:
        """Return whether the trial measured it: nobody timed to its end a training that diverged."""
        return metric in self.metrics and not (self.diverged and metric in TO_THE_END)

    @classmethod
    def of(cls, planned: PlannedTrial, outcome: TrialOutcome, created: str) -> Trial:
        """Join a plan and its outcome."""
        return cls(
            study=planned.study,
            arm=planned.arm,
            seed=planned.seed,
            configuration=planned.configuration,
            numerics_version=planned.numerics_version,
            metrics=outcome.metrics,
            history=outcome.history,
            predictions=outcome.predictions,
            labels=outcome.labels,
            curves=outcome.curves,
            provenance=outcome.provenance,
            created=created,
        )


def _number(name: str, value: float) -> float:
    check_name(name, "a metric")
    number = float(value)
    if not math.isfinite(number):
        raise DataError(f"metric {name!r} is {number}; a trial stores only finite values (see TrialOutcome)")
    return number


def _classes(where: str, array: Array) -> Array:
    if not isinstance(array, np.ndarray) or array.dtype not in (np.uint8, np.uint16) or array.ndim != 1:
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise DataError(f"{where} is {found}; expected class numbers, uint8 or uint16, of shape (N,)")
    return _kept(array)


def _curve(name: str, array: Array) -> Array:
    check_name(name, "a curve")
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise DataError(f"curve {name!r} is {found}; expected an array of numbers")
    if not np.isfinite(array).all():
        raise DataError(f"curve {name!r} has non-finite values; a trial stores only finite values")
    return _kept(array)


def _kept(array: Array) -> Array:
    """Return a read-only copy, so that a trial cannot change after it is measured."""
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy
