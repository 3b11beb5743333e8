"""The executor of trials that train a model: a plain configuration in, an outcome out.

A configuration describes the run whole, down to every layer and every setting of the recipe, so that a trial's key
changes whenever what it names would train otherwise::

    {"model": {"name": "cnn", "layers": [...]}, "data": {"name": "mnist", "train_images": 18000},
     "recipe": {"name": "good", "optimizer": {...}, "schedule": {...}, "epochs": 3, ...}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import data, models
from ..errors import TrainingDiverged
from ..nn import Model
from ..nn.serialize import layer_to_dict, layers_from_data
from ..train import Hook, Recipe, Run, fit, recipe
from ..train.provenance import hardware, versions
from .trial import PlannedTrial, TrialOutcome

TRAIN_SAMPLE = 6_000
"""Training images on which the final weights are evaluated, as many as there are for validation."""

METRICS = (
    "test.accuracy",
    "validation.accuracy",
    "train.accuracy",
    "gap.accuracy",
    "parameters",
    "flops",
    "seconds.train",
    "images_per_second",
)


def configuration(
    model: str | models.Architecture,
    *,
    recipe_name: str = "good",
    epochs: int = 3,
    dataset: str = "mnist",
    train_images: int | None = None,
    name: str = "",
) -> dict[str, Any]:
    """Return the configuration of a trial on a named data set.

    Parameters
    ----------
    model
        A named architecture, or one with its options.
    recipe_name, epochs
        How it is trained.
    dataset
        Name of the data set.
    train_images
        Size of a stratified subset of the training images; None for all of them.
    name
        What to call the model; its architecture's name where empty.
    """
    shape, classes = _dimensions(dataset)
    chosen = models.architecture(model, shape, classes) if isinstance(model, str) else model
    return {
        "model": {
            "name": name or (model if isinstance(model, str) else chosen.name),
            "layers": [layer_to_dict(layer) for layer in chosen.layers(classes)],
        },
        "data": {"name": dataset, "train_images": train_images},
        "recipe": {**recipe(recipe_name).to_dict(), "epochs": epochs},
    }


class Trainer:
    """Runs planned trials by training; call it with one.

    Parameters
    ----------
    engine, threads
        What runs the models; see `convlens.engine.start`.
    workers
        How many of these run side by side, for the record: the rates they measure depend on it.
    models_folder
        Where each trained model is saved, named by its trial's key; None to keep none.
    checkpoints_folder
        Where a training that is stopped saves itself, named likewise, for the next call to go on; None to begin again.
    hooks
        Told of every step and epoch.
    """

    def __init__(
        self,
        *,
        engine: str | None = None,
        threads: int | None = None,
        workers: int = 1,
        models_folder: Path | None = None,
        checkpoints_folder: Path | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self._engine, self._threads, self._workers = engine, threads, workers
        self._models_folder, self._checkpoints_folder = models_folder, checkpoints_folder
        self._hooks = tuple(hooks)

    def __call__(self, planned: PlannedTrial) -> TrialOutcome:
        """Train and evaluate; the test set is read once, at the end."""
        wanted: Mapping[str, Any] = planned.configuration
        dataset = subset(wanted["data"])
        chosen = Recipe.from_dict(wanted["recipe"])
        model = build(wanted, dataset, planned.seed).use(self._engine, self._threads)
        folder = self._checkpoints_folder
        checkpoint = None if folder is None else folder / f"{planned.key[:16]}.checkpoint"
        try:
            run = fit(
                *(model, dataset, chosen),
                checkpoint=checkpoint,
                resume=True,
                checkpoint_on_interrupt_only=True,
                progress=False,
                hooks=self._hooks,
            )
            outcome = _measured(run, dataset, self._workers)
        except TrainingDiverged as error:
            return _diverged(model, dataset, str(error), self._workers)
        finally:
            model.engine.close()
        if checkpoint is not None:
            checkpoint.unlink(missing_ok=True)
        if self._models_folder is not None:
            model.save(model_path(self._models_folder, planned.key))
        return outcome


def _measured(run: Run, dataset: data.Dataset, workers: int) -> TrialOutcome:
    """Return the outcome of a training that came to its end."""
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
        provenance=_provenance(model, dataset, workers),
    )


def subset(wanted: Mapping[str, Any]) -> data.Dataset:
    """Return the data set that a configuration names."""
    whole = _load(wanted["name"])
    return whole if wanted.get("train_images") is None else whole.subset(wanted["train_images"])


def build(wanted: Mapping[str, Any], dataset: data.Dataset, seed: int) -> Model:
    """Return the fresh model that a configuration describes."""
    return Model(
        layers_from_data(wanted["model"]["layers"]),
        dataset.input_shape,
        seed,
        preprocessing=dataset.preprocessing,
        class_names=dataset.class_names,
    )


def model_path(folder: Path, key: str) -> Path:
    """Return where the model of a trial is kept."""
    return folder / f"{key[:16]}.safetensors"


@lru_cache(maxsize=2)
def _load(name: str) -> data.Dataset:
    """Return a data set; trials follow one another on the same one."""
    return data.load(name)


def _dimensions(name: str) -> tuple[tuple[int, ...], int]:
    dataset = _load(name)
    return tuple(dataset.input_shape), len(dataset.class_names)


def _compact(classes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return classes.astype(np.uint8 if classes.max(initial=0) < 256 else np.uint16)


def _provenance(model: Model, dataset: data.Dataset, workers: int) -> dict[str, Any]:
    return {
        "versions": versions(),
        "hardware": hardware(),
        "engine": model.engine.name,
        "threads": model.engine.threads,
        "trials side by side": workers,
        "split": dict(dataset.split),
    }


def _diverged(model: Model, dataset: data.Dataset, reason: str, workers: int) -> TrialOutcome:
    """Return the outcome of a training that diverged: a result too, at the accuracy of guessing one class."""
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
    return TrialOutcome(metrics=metrics, provenance={**_provenance(model, dataset, workers), "diverged": reason})
