"""The executor of trials that train a model.

A configuration describes the run whole, down to every setting of every layer and of the recipe, defaults too, so that a
trial's key changes whenever what it names would train otherwise, and a profile may override any of them::

    {"kind": "training",
     "model": {"layers": [...]},
     "data": {"sha256": "9b...", "validation_fraction": 0.1, "train_images": 18000, "test": true},
     "seeds": {"split": 0, "subset": 0, "initialisation": "trial", "shuffle": "trial"},
     "recipe": {"optimizer": {...}, "schedule": {...}, "epochs": 3, ...},
     "names": {"model": "cnn", "recipe": "good", "data": "mnist"}}

A seed is a number, the same in every trial, or ``"trial"``: the trial's own seed. The names are for display, and
``data`` is also where to load from; they are not in the key (see `convlens.studies.trial.trial_key`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ... import data, models
from ...errors import ArtifactError, ConfigurationError, TrainingDiverged, TrainingInterrupted
from ...files import make_folder
from ...nn import Model
from ...nn.serialize import layer_to_dict
from ...train import Hook, Run, Training, fit, recipe
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
        Metric("flops", "FLOP", "cost per image", 1.0),
        Metric("seconds.train", "s", "time per training", deterministic=False),
        Metric("images_per_second", "images/s", "rate of training", deterministic=False),
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
    sha256, shape, classes = _described(dataset, _traces(dataset))
    chosen = models.architecture(model, shape, classes) if isinstance(model, str) else model
    trained = {**recipe(recipe_name).to_dict(), "epochs": epochs}
    return {
        "kind": "training",
        "model": {"layers": [layer_to_dict(layer, defaults=True) for layer in chosen.layers(classes)]},
        "data": {"sha256": sha256, "validation_fraction": 0.1, "train_images": train_images, "test": True},
        "seeds": {"split": 0, "subset": 0, "initialisation": "trial", "shuffle": "trial"},
        "recipe": {key: value for key, value in trained.items() if key != "name"},
        NAMES: {
            "model": name or (model if isinstance(model, str) else chosen.name),
            "recipe": trained["name"],
            "data": dataset,
        },
    }


@lru_cache(maxsize=16)
def _described(name: str, traces: tuple[Any, ...]) -> tuple[str, tuple[int, int, int], int]:
    """Return SHA-256, shape of an image and number of classes: loaded once for all arms that name the data."""
    del traces
    found = load_data(name)
    return found.sha256, found.input_shape, len(found.class_names)


def _traces(name: str) -> tuple[Any, ...]:
    """Return what changes when the data at a path does: place, size and time of every file. Named data never change."""
    if name in data.names():
        return ()
    path = Path(name).resolve()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file())


class TrainingExecutor:
    """Trains and evaluates; the test set is read once, at the end, or never where the configuration says so."""

    def check(self, configuration: Mapping[str, Any], where: str) -> None:
        """See `convlens.studies.executors.check`."""
        TrainingConfiguration.read(configuration, where)

    def run(self, planned: PlannedTrial, options: ExecutionOptions) -> TrialOutcome:
        """Train the model that the trial describes; one that diverged is a result too.

        Raises
        ------
        TrainingInterrupted
            After Ctrl-C, or if a hook stopped the training: what it came to is not the trial's result.
        """
        wanted = TrainingConfiguration.read(planned.configuration, planned.label)
        dataset = wanted.dataset(planned.seed)
        model = wanted.build(dataset, planned.seed).use(options.engine, options.threads)
        folder = options.checkpoints_folder
        checkpoint = None if folder is None else folder / f"{planned.key[:16]}.checkpoint"
        if folder is not None:
            make_folder(folder)  # a run that has ended removes it where it is empty
        try:
            run = _trained(model, dataset, wanted, planned, checkpoint, options)
            outcome, diverged = _measured(run, dataset, options), False
        except TrainingDiverged as error:
            outcome, diverged = _diverged(model, dataset, wanted.data.test, str(error), options), True
        finally:
            model.engine.close()
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
        if options.models_folder is not None and not diverged:
            model.save(model_path(options.models_folder, planned.key))
        return outcome


def _trained(
    model: Model,
    dataset: data.Dataset,
    wanted: TrainingConfiguration,
    planned: PlannedTrial,
    checkpoint: Path | None,
    options: ExecutionOptions,
) -> Run:
    """Train to the end, from the checkpoint if it can be restored; nobody named that file, so a useless one goes."""
    began = _Began()

    def train() -> Run:
        return fit(
            model,
            dataset,
            wanted.recipe,
            seed=wanted.seeds.of("shuffle", planned.seed),
            checkpoint=checkpoint,
            resume=checkpoint is not None,
            checkpoint_on_interrupt_only=True,
            test=wanted.data.test,
            doubt=False,
            progress=False,
            hooks=(began, *options.hooks),
        )

    try:
        run = train()
    except (ArtifactError, ConfigurationError):
        if began.yes or checkpoint is None or not checkpoint.exists():
            raise
        checkpoint.unlink()
        run = train()
    if run.stopped:
        kept = "nothing is saved" if checkpoint is None else "its checkpoint is kept"
        raise TrainingInterrupted(f"{planned.label}: a hook stopped the training; {kept}; run the trial again to go on")
    return run


class _Began(Hook):
    """Knows whether training began: an error before that is one of restoring the checkpoint."""

    yes = False

    def on_training_begin(self, training: Training) -> None:
        del training
        self.yes = True


def _measured(run: Run, dataset: data.Dataset, options: ExecutionOptions) -> TrialOutcome:
    """Return the outcome of a finished training."""
    model, test = run.model, run.test
    tested: dict[str, float] = {}
    evaluated = {"validation": run.validation} if test is None else {"test": test, "validation": run.validation}
    if test is not None:
        tested = {
            "test.accuracy": test.accuracy,
            "test.loss": test.loss,
            "test.calibration_error": test.calibration_error,
            "test.reads": run.test_reads,
        }
    train = model.evaluate(dataset.train.take(np.arange(min(TRAIN_SAMPLE, len(dataset.train)))))
    return TrialOutcome(
        metrics={
            **tested,
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
        predictions={split: _compact(one.predictions) for split, one in evaluated.items()},
        labels={split: _compact(getattr(dataset, split).labels) for split in evaluated},
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


def _diverged(
    model: Model,
    dataset: data.Dataset,
    test: bool,  # noqa: FBT001 - as the configuration has it
    reason: str,
    options: ExecutionOptions,
) -> TrialOutcome:
    """Return the outcome of a training that diverged: a result too, with every metric of one that came to its end.

    It is that of a guess: K equal probabilities, so a loss of log K, and always the most common class, whose share is
    the accuracy; the calibration error is that share less 1/K. No image of the test set was read.
    """
    classes, metrics = len(dataset.class_names), dict[str, float]()
    for split in ("train", "validation", "test") if test else ("train", "validation"):
        labels = getattr(dataset, split).labels
        metrics[f"{split}.accuracy"] = float(np.bincount(labels).max() / len(labels))
    if test:
        error = metrics["test.accuracy"] - 1 / classes
        metrics |= {"test.loss": math.log(classes), "test.calibration_error": error, "test.reads": 0}
    metrics |= {
        "diverged": 1,
        "validation.loss": math.log(classes),
        "gap.accuracy": metrics["train.accuracy"] - metrics["validation.accuracy"],
        "parameters": model.program.parameter_count,
        "flops": model.program.flops,
        "seconds.train": 0.0,
        "images_per_second": 0.0,
    }
    return TrialOutcome(metrics=metrics, provenance={**_provenance(model, dataset, options), "diverged": reason})
