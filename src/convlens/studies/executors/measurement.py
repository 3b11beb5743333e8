"""The executor of trials that measure a network which another trial, their parent, has trained.

::

    {"kind": "measurement",
     "of": {"kind": "training", ...},
     "weights": "trained",
     "measure": {"name": "shift-map", "images": 1000},
     "names": {"measure": "accuracy under shift"}}

``of`` is the parent's whole configuration, and the parent's seed is the trial's own. ``"initial"`` in place of
``"trained"`` measures the network as it was before training, for which no parent is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError, ConvlensError, nearest
from ...plain import check_keys, plain
from ..measures import Measure, measure
from ..trial import NAMES, PARENT, PlannedTrial, TrialOutcome
from .executor import ExecutionOptions
from .training import TrainingExecutor, provenance, restore_weights
from .training_configuration import TrainingConfiguration

WEIGHTS = ("trained", "initial")


def measurement(
    of: Mapping[str, Any], name: str, *, weights: str = "trained", shown: str = "", **settings: Any
) -> dict[str, Any]:
    """Return the configuration of a measurement.

    Parameters
    ----------
    of
        Configuration of the training; see `convlens.studies.executors.training.configuration`.
    name, settings
        The measure, one of `convlens.studies.measures.MEASURES`, and its settings; those left out are written out too.
    weights
        ``"trained"``, or ``"initial"`` for the network before its training.
    shown
        Name of the measure in reports; by default its own.

    Raises
    ------
    ConfigurationError
        If the measure or a setting is unknown.
    """
    whole = {"name": name, **plain(vars(measure({"name": name, **settings})), "measure")}
    return {
        "kind": "measurement",
        PARENT: dict(of),
        "weights": weights,
        "measure": whole,
        NAMES: {"measure": shown or name, **{key: of[NAMES][key] for key in ("model", "recipe", "data")}},
    }


@dataclass(frozen=True)
class _Sections:
    """The keys at the top of a configuration."""

    kind: str
    of: Any
    weights: Any
    measure: Any
    names: Any


class MeasurementExecutor:
    """Measures the parent's network; trains it first if its weights were not sent along."""

    exact = True

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        """See `convlens.studies.executors.check`."""
        _read(configuration, where)

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        """Measure.

        Raises
        ------
        ConvlensError
            If the network had to be trained here, and its training diverged.
        """
        training, measured_by = _read(planned.configuration, planned.label)
        weights = planned.weights
        if weights is None and (parent := planned.parent()) is not None:
            weights = TrainingExecutor().run(parent, options).weights
            if weights is None:
                raise ConvlensError(f"{planned.label}: there is no network to measure: its training diverged")
        dataset = training.dataset(planned.seed)
        model = training.build(dataset, planned.seed).use(options.engine, options.threads)
        if weights is not None:
            restore_weights(model, weights)
        try:
            found = measured_by.run(model, dataset, planned.seed)
            return TrialOutcome(found.metrics, curves=found.curves, provenance=provenance(model, dataset, options))
        finally:
            model.engine.close()


def _read(configuration: Mapping[str, Any], where: str) -> tuple[TrainingConfiguration, Measure]:
    check_keys(_Sections, configuration, where)
    parent, weights = configuration[PARENT], configuration["weights"]
    if not isinstance(parent, Mapping) or parent.get("kind") != "training":
        raise ConfigurationError(f"{where}: 'of' is the configuration of a training, not {parent!r:.80}")
    if weights not in WEIGHTS:
        raise ConfigurationError(f"{where}: unknown weights {weights!r}{nearest(str(weights), WEIGHTS)}")
    return TrainingConfiguration.read(parent, f"{where}: of"), measure(configuration["measure"], f"{where}: measure")
