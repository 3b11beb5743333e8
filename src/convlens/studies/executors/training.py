"""The executor of trials that train a model.

A configuration describes the run whole, down to every setting of every layer and of the recipe, defaults too, so that a
trial's key changes whenever what it names would train otherwise, and a profile may override any of them::

    {"kind": "training",
     "model": {"layers": [...]},
     "data": {"sha256": "9b...", "validation_fraction": 0.1, "train_images": 18000, "permute": None, "test": True},
     "seeds": {"split": 0, "subset": 0, "initialisation": "trial", "shuffle": "trial"},
     "recipe": {"optimizer": {...}, "schedule": {...}, "epochs": 3, ...},
     "names": {"model": "cnn", "recipe": "good", "data": "mnist"}}

A seed is a number, the same in every trial, or ``"trial"``: the trial's own seed. The names are for display, and
``data`` is also where to load from; they are not in the key (see `convlens.studies.trial.trial_key`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
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
from .seeds import SeedChoice
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
        Metric("parameters", "count", "parameters", 1.0, constant=True),
        Metric("flops", "FLOP", "cost per image", 1.0, constant=True),
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
    permute: int | None = None,
    seeds: Mapping[str, SeedChoice] | None = None,
    name: str = "",
    **changes: Any,
) -> dict[str, Any]:
    """Return the configuration of a trial on a data set, with the data's SHA-256.

    Data whose content is pinned, such as MNIST's and Fashion-MNIST's, need not be on this computer.

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
    permute
        Seed of one shuffle of the pixels of all images; None leaves them in place.
    seeds
        Seeds by purpose that are to be others than usual: ``{"subset": "trial"}`` draws another subset in every trial.
    name
        The model's name; by default its architecture's.
    changes
        Settings of the recipe to change, as `convlens.train.Recipe.changed` takes them.

    Raises
    ------
    ConfigurationError, DataError
        If the model, the recipe or the data set is unknown, or the data cannot be read.
    """
    sha256, shape, classes = _described(dataset)
    chosen = models.architecture(model, shape, classes) if isinstance(model, str) else model
    trained = recipe(recipe_name).changed({"epochs": epochs, **changes}).to_dict()
    usual = {"split": 0, "subset": 0, "initialisation": "trial", "shuffle": "trial"}
    return {
        "kind": "training",
        "model": {"layers": [layer_to_dict(layer, defaults=True) for layer in chosen.layers(classes)]},
        "data": {
            "sha256": sha256,
            "validation_fraction": 0.1,
            "train_images": train_images,
            "permute": permute,
            "test": True,
        },
        "seeds": {**usual, **(seeds or {})},
        "recipe": {key: value for key, value in trained.items() if key != "name"},
        NAMES: {
            "model": name or (model if isinstance(model, str) else chosen.name),
            "recipe": trained["name"],
            "data": dataset,
        },
    }


def _described(name: str) -> tuple[str, tuple[int, ...], int]:
    """Return SHA-256, shape of an image and number of classes: pinned, or of the data as they are now."""
    listed = next((one for one in data.listing() if one.name == name), None)
    if listed is not None and listed.sha256 is not None:
        return listed.sha256, listed.image_shape, listed.classes
    return _read(name, _traces(name))


@lru_cache(maxsize=16)
def _read(name: str, traces: tuple[Any, ...]) -> tuple[str, tuple[int, ...], int]:
    """Load the data, once for all arms that name them."""
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
    """Trains and evaluates; the test set is read once, at the end."""

    exact = True

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
            if planned.keep_weights:
                outcome = replace(outcome, weights=weights_of(model))
        except TrainingDiverged as error:
            outcome, diverged = _diverged(model, dataset, str(error), options, test=wanted.data.test), True
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
    model, sets = run.model, {"validation": run.validation, **({} if run.test is None else {"test": run.test})}
    train = model.evaluate(dataset.train.take(np.arange(min(TRAIN_SAMPLE, len(dataset.train)))))
    best = min((row["validation.loss"] for row in run.history), default=run.validation.loss)
    measured: dict[str, float] = {
        "train.accuracy": train.accuracy,
        "gap.accuracy": train.accuracy - run.validation.accuracy,
        "rise.validation_loss": run.validation.loss - best,
        "parameters": model.program.parameter_count,
        "flops": model.program.flops,
        "seconds.train": run.seconds["train"],
        "images_per_second": run.images_per_second,
    }
    for name, found in sets.items():
        measured |= {f"{name}.accuracy": found.accuracy, f"{name}.loss": found.loss}
    if run.test is not None:
        measured |= {"test.calibration_error": run.test.calibration_error, "test.reads": run.test_reads}
    return TrialOutcome(
        metrics=measured,
        history=run.history,
        predictions={name: _compact(found.predictions) for name, found in sets.items()},
        labels={name: _compact(getattr(dataset, name).labels) for name in sets},
        provenance=provenance(model, dataset, options),
    )


def weights_of(model: Model) -> bytes:
    """Return a model's parameters and running statistics: little-endian float32, in the order of its Program."""
    return b"".join(array.astype("<f4").tobytes() for array in (model.flat, model.flat_buffers))


def restore_weights(model: Model, weights: bytes) -> None:
    """Put what `weights_of` returned into a model of the same architecture.

    Raises
    ------
    ArtifactError
        If they are of another size, or not finite.
    """
    size, values = model.flat.size + model.flat_buffers.size, np.frombuffer(weights, "<f4")
    if values.size != size or not np.isfinite(values).all():
        raise ArtifactError(
            f"the weights kept for this model are damaged: {values.size:,} numbers, and it has {size:,}"
        )
    model.flat[...], model.flat_buffers[...] = values[: model.flat.size], values[model.flat.size :]


def model_path(folder: Path, key: str) -> Path:
    """Return the path of a trial's model."""
    return folder / f"{key[:16]}.safetensors"


def _compact(classes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return classes.astype(np.uint8 if classes.max(initial=0) < 256 else np.uint16)


def provenance(model: Model, dataset: data.Dataset, options: ExecutionOptions) -> dict[str, Any]:
    """Return what a result's bits and times depend on: versions, hardware, engine, threads; and the split."""
    return {
        "versions": versions(),
        "hardware": hardware(),
        "engine": model.engine.name,
        "threads": model.engine.threads,
        "trials side by side": options.side_by_side,
        "split": dict(dataset.split),
    }


def _diverged(
    model: Model, dataset: data.Dataset, reason: str, options: ExecutionOptions, *, test: bool
) -> TrialOutcome:
    """Return the outcome of a training that diverged: a result too, with every metric of one that came to its end.

    It is that of a guess: K equal probabilities, so a loss of log K, and always the most common class, whose share is
    the accuracy; the calibration error is that share less 1/K. No image of the test set was read.
    """
    classes, metrics = len(dataset.class_names), dict[str, float]()
    for split in ("train", "validation", *(("test",) if test else ())):
        labels = getattr(dataset, split).labels
        metrics[f"{split}.accuracy"] = float(np.bincount(labels).max() / len(labels))
        if split != "train":
            metrics[f"{split}.loss"] = math.log(classes)
    if test:
        metrics |= {"test.calibration_error": metrics["test.accuracy"] - 1 / classes, "test.reads": 0}
    metrics |= {
        "diverged": 1,
        "rise.validation_loss": 0.0,
        "gap.accuracy": metrics["train.accuracy"] - metrics["validation.accuracy"],
        "parameters": model.program.parameter_count,
        "flops": model.program.flops,
        "seconds.train": 0.0,
        "images_per_second": 0.0,
    }
    return TrialOutcome(metrics=metrics, provenance={**provenance(model, dataset, options), "diverged": reason})
