"""The executor of trials that train a model.

A configuration describes the whole run, down to every layer and every setting of the recipe, so that a trial's key
changes with anything that changes the training::

    {"kind": "training",
     "model": {"layers": [...]},
     "data": {"sha256": "9b...", "validation_fraction": 0.1, "train_images": 18000},
     "seeds": {"split": 0, "subset": 0, "initialisation": "trial", "shuffle": "trial"},
     "recipe": {"optimizer": {...}, "schedule": {...}, "epochs": 3, ...},
     "names": {"model": "cnn", "recipe": "good", "data": "mnist"}}

A seed is a number, the same in every trial, or ``"trial"``: the trial's own seed. The names are for display, and
``data`` is also where to load from; they are not in the key (see `convlens.studies.trial.trial_key`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ... import data, models
from ...errors import TrainingDiverged
from ...nn import Model
from ...nn.serialize import layer_to_dict
from ...train import Run, fit, recipe
from ...train.provenance import hardware, versions
from ..metric import Metric
from ..trial import NAMES, PlannedTrial, TrialOutcome
from .executor import ExecutionOptions
from .training_configuration import TrainingConfiguration, load_data

TRAIN_SAMPLE = 6_000
"""Training images on which the final weights are evaluated, as many as there are for validation."""


def metrics(test_images: int = 10_000, validation_images: int = 6_000) -> tuple[Metric, ...]:
    """Return the metrics of a study of trainings, on data with these numbers of images; MNIST's by default."""
    test, validation, train = 1 / test_images, 1 / validation_images, 1 / TRAIN_SAMPLE
    return (
        Metric("test.accuracy", "fraction", "test accuracy", test),
        Metric("validation.accuracy", "fraction", "validation accuracy", validation),
        Metric("train.accuracy", "fraction", "train accuracy", train),
        Metric("gap.accuracy", "difference of fractions", "gap, train − validation", min(validation, train)),
        Metric("parameters", "count", "parameters", 1.0),
        Metric("flops", "FLOP", "MFLOP per image", 1.0),
        Metric("seconds.train", "s", "seconds per training", deterministic=False),
        Metric("images_per_second", "images/s", "images per second", deterministic=False),
    )


METRICS = metrics()


def configuration(
    model: str | models.Architecture,
    *,
    recipe_name: str = "good",
    epochs: int = 3,
    dataset: str = "mnist",
    train_images: int | None = None,
    name: str = "",
) -> dict[str, Any]:
    """Return the configuration of a trial on a data set, with the data's current SHA-256.

    Parameters
    ----------
    model
        A named architecture, or one with its options.
    recipe_name, epochs
        How the model is trained.
    dataset
        Name of the data set, or its path.
    train_images
        Size of a stratified subset of the training images; None for all of them.
    name
        The model's name; by default its architecture's.

    Raises
    ------
    ConfigurationError, DataError
        If the model, the recipe or the data set is unknown, or the data cannot be read.
    """
    found = load_data(dataset)
    shape, classes = tuple(found.input_shape), len(found.class_names)
    chosen = models.architecture(model, shape, classes) if isinstance(model, str) else model
    trained = {**recipe(recipe_name).to_dict(), "epochs": epochs}
    return {
        "kind": "training",
        "model": {"layers": [layer_to_dict(layer) for layer in chosen.layers(classes)]},
        "data": {"sha256": found.sha256, "validation_fraction": 0.1, "train_images": train_images},
        "seeds": {"split": 0, "subset": 0, "initialisation": "trial", "shuffle": "trial"},
        "recipe": {key: value for key, value in trained.items() if key != "name"},
        NAMES: {
            "model": name or (model if isinstance(model, str) else chosen.name),
            "recipe": trained["name"],
            "data": dataset,
        },
    }


class TrainingExecutor:
    """Trains and evaluates; the test set is read once, at the end."""

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        """See `convlens.studies.executors.check`."""
        TrainingConfiguration.read(configuration, where)

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        """Train the model that the trial describes; a training that diverged is a result too."""
        wanted = TrainingConfiguration.read(planned.configuration, planned.label)
        dataset = wanted.dataset(planned.seed)
        model = wanted.build(dataset, planned.seed).use(options.engine, options.threads)
        folder = options.checkpoints_folder
        checkpoint = None if folder is None else folder / f"{planned.key[:16]}.checkpoint"
        try:
            run = fit(
                model,
                dataset,
                wanted.recipe,
                seed=wanted.seeds.of("shuffle", planned.seed),
                checkpoint=checkpoint,
                resume=True,
                checkpoint_on_interrupt_only=True,
                progress=False,
                hooks=options.hooks,
            )
            outcome = _measured(run, dataset, options)
        except TrainingDiverged as error:
            return _diverged(model, dataset, str(error), options)
        finally:
            model.engine.close()
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
        if options.models_folder is not None:
            model.save(model_path(options.models_folder, planned.key))
        return outcome


def _measured(run: Run, dataset: data.Dataset, options: ExecutionOptions) -> TrialOutcome:
    """Return the outcome of a finished training."""
    model, test = run.model, run.test
    assert test is not None, "a trial reads the test set"
    train = model.evaluate(dataset.train.take(np.arange(min(TRAIN_SAMPLE, len(dataset.train)))))
    return TrialOutcome(
        metrics={
            "test.accuracy": test.accuracy,
            "test.loss": test.loss,
            "test.calibration_error": test.calibration_error,
            "test.reads": run.test_reads,
            "validation.accuracy": run.validation.accuracy,
            "validation.loss": run.validation.loss,
            "train.accuracy": train.accuracy,
            "gap.accuracy": train.accuracy - run.validation.accuracy,
            "parameters": model.program.parameter_count,
            "flops": model.program.flops,
            "seconds.train": run.seconds["train"],
            "images_per_second": run.images_per_second,
        },
        history=run.history,
        predictions={"test": _compact(test.predictions), "validation": _compact(run.validation.predictions)},
        labels={"test": _compact(dataset.test.labels), "validation": _compact(dataset.validation.labels)},
        provenance=_provenance(model, dataset, options),
    )


def model_path(folder: Path, key: str) -> Path:
    """Return the path of a trial's model."""
    return folder / f"{key[:16]}.safetensors"


def _compact(classes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return classes.astype(np.uint8 if classes.max(initial=0) < 256 else np.uint16)


def _provenance(model: Model, dataset: data.Dataset, options: ExecutionOptions) -> dict[str, Any]:
    return {
        "versions": versions(),
        "hardware": hardware(),
        "engine": model.engine.name,
        "threads": model.engine.threads,
        "trials side by side": options.side_by_side,
        "split": dict(dataset.split),
    }


def _diverged(model: Model, dataset: data.Dataset, reason: str, options: ExecutionOptions) -> TrialOutcome:
    """Return the outcome of a training that diverged: the accuracy of always guessing the most frequent class."""
    guess = {
        split: float(np.bincount(getattr(dataset, split).labels).max() / len(getattr(dataset, split)))
        for split in ("train", "validation", "test")
    }
    metrics: dict[str, float] = {f"{split}.accuracy": accuracy for split, accuracy in guess.items()}
    metrics |= {
        "diverged": 1,
        "gap.accuracy": guess["train"] - guess["validation"],
        "parameters": model.program.parameter_count,
        "flops": model.program.flops,
        "seconds.train": 0.0,
        "images_per_second": 0.0,
    }
    return TrialOutcome(metrics=metrics, provenance={**_provenance(model, dataset, options), "diverged": reason})
