"""A training as SageMaker runs it: a folder, ``/opt/ml``, holds all that goes in and all that comes out.

::

    input/config/hyperparameters.json      strings by name (`Hyperparameters`)
    input/config/inputdataconfig.json      the channels; without one, MNIST as it comes with convlens is trained on
    input/config/resourceconfig.json       the machines, of which there must be one
    input/data/<channel>/                  a set of images: folders of images, IDX files, or one CSV or npz file
    checkpoints/training.checkpoint        written every minute and after every epoch; resumed, to the same bits
    model/                                 the contents of a model's archive (`package`), which SageMaker packs
    output/data/result.json                everything about the training
    output/failure                         why it failed, at most 1,024 characters

A spot instance is taken away with SIGTERM, or killed; SageMaker starts the training again with what was in
``checkpoints``. Lines on standard output hold the numbers that `METRIC_DEFINITIONS` find.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ... import data, models
from ...data import Dataset
from ...errors import ConfigurationError, ConvlensError, DataError, TrainingInterrupted
from ...files import make_folder, write_atomically
from ...nn import Model
from ...train import Hook, Run, Saver, fit, recipe
from ...train.training import Training
from .hyperparameters import Hyperparameters
from .package import MODEL, contents

CHANNELS = ("training", "train")
"""Names of the channel of images."""

CHECKPOINT = "training.checkpoint"
LONGEST_FAILURE = 1024  # characters that SageMaker shows

_METRICS = ("train:loss", "train:accuracy", "validation:loss", "validation:accuracy", "test:accuracy")
METRIC_DEFINITIONS: tuple[dict[str, str], ...] = tuple(
    {"Name": name, "Regex": rf"\b{name}=([0-9.e+-]+)"} for name in _METRICS
)
"""How SageMaker finds the metrics in the log: ``MetricDefinitions`` of CreateTrainingJob."""


def train(root: Path) -> int:
    """Run a training.

    Parameters
    ----------
    root
        The folder; on SageMaker ``/opt/ml``.

    Returns
    -------
    int
        The exit code: 0, or that of the error whose reason is in ``output/failure``. A training that was asked to stop
        leaves its checkpoint, and no failure.

    Raises
    ------
    Exception
        What no one foresaw, so that its traceback is in the log; the reason is in ``output/failure`` too.
    """
    try:
        _train(root)
    except TrainingInterrupted as error:
        _say(str(error))
        return error.exit_code
    except ConvlensError as error:
        _fail(root, str(error))
        return error.exit_code
    except Exception as error:
        _fail(root, f"{type(error).__name__}: {error}")
        raise
    return 0


def _train(root: Path) -> None:
    """Read the request, train, and write the results."""
    config = root / "input" / "config"
    chosen = Hyperparameters.from_strings(_config(config / "hyperparameters.json"))
    _require_one_machine(_config(config / "resourceconfig.json"))
    dataset = _dataset(root, _config(config / "inputdataconfig.json"), chosen)
    for folder in (root / "checkpoints", root / "model", root / "output" / "data"):
        make_folder(folder)
    model = models.build(
        chosen.model,
        input_shape=dataset.input_shape,
        classes=len(dataset.class_names),
        class_names=dataset.class_names,
        seed=chosen.seed,
        **chosen.architecture(),
    ).use()
    run = fit(
        model,
        dataset,
        recipe(chosen.recipe).changed(chosen.recipe_changes()),
        seed=chosen.seed,
        checkpoint=Saver(root / "checkpoints" / CHECKPOINT),
        resume=True,
        progress=False,
        hooks=[MetricLines()],
    )
    _write(root, model, run)


def _write(root: Path, model: Model, run: Run) -> None:
    """Write the trained model and everything about the training."""
    assert run.test is not None, "fit has read the test set"
    _say(f"test:accuracy={run.test.accuracy:.6g}")
    model.save(root / "model" / MODEL)
    for name, content in contents(root / "model" / MODEL).items():
        path = root / "model" / name
        make_folder(path.parent)
        write_atomically(path, content)
    result = json.dumps(run.to_dict(), indent=2, allow_nan=False)
    write_atomically(root / "output" / "data" / "result.json", f"{result}\n".encode())


class MetricLines(Hook):
    """Writes a line for each epoch on standard output, in which `METRIC_DEFINITIONS` find its numbers."""

    def on_training_begin(self, training: Training) -> None:
        progress = training.progress
        if progress.images:
            _say(f"resuming in epoch {progress.epoch + 1}, step {progress.step + 1}")

    def on_epoch_end(self, training: Training, row: dict[str, Any]) -> None:
        del training
        names = (name for name in _METRICS if name.replace(":", ".") in row)
        _say(" ".join([f"epoch={row['epoch']}", *(f"{name}={row[name.replace(':', '.')]:.6g}" for name in names)]))


def _dataset(root: Path, channels: Mapping[str, Any], chosen: Hyperparameters) -> Dataset:
    """Return the images of the channel, or MNIST where there is none."""
    found = "mnist" if not channels else str(_channel(root, channels))
    dataset = data.load(
        found,
        validation_fraction=chosen.validation_fraction,
        skip_broken=chosen.skip_broken,
        resize=chosen.resize,
    )
    for note in dataset.notes:
        _say(note)
    return dataset if chosen.train_images is None else dataset.subset(chosen.train_images)


def _channel(root: Path, channels: Mapping[str, Any]) -> Path:
    """Return the folder of the one channel, or the CSV or npz file that lies in it alone.

    Raises
    ------
    ConfigurationError
        If there are several channels, one of another name, or one that is streamed.
    DataError
        If the folder is missing.
    """
    if len(channels) > 1 or not set(channels) <= set(CHANNELS):
        raise ConfigurationError(
            f"expected one channel, {' or '.join(CHANNELS)}, not {', '.join(channels)}; validation and test images are "
            "split off it, or are in it as folders of their own"
        )
    [(name, settings)] = channels.items()
    mode = settings.get("TrainingInputMode", "File") if isinstance(settings, Mapping) else settings
    if mode not in ("File", "FastFile"):
        raise ConfigurationError(f"channel {name} has the input mode {mode!r}; use File or FastFile")
    folder = root / "input" / "data" / name
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder} of channel {name}; give the channel a data source")
    files = [path for path in folder.iterdir() if path.name[0] != "."]
    alone = len(files) == 1 and files[0].suffix.lower() in (".csv", ".npz")
    return files[0] if alone else folder


def _require_one_machine(resources: Mapping[str, Any]) -> None:
    hosts = resources.get("hosts", ["algo-1"])
    if not isinstance(hosts, list) or len(hosts) != 1:
        raise ConfigurationError(f"a training runs on one machine, and there are {hosts}; set the instance count to 1")


def _config(path: Path) -> dict[str, Any]:
    """Return a file of SageMaker's, empty where there is none."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} cannot be read ({error}); SageMaker writes JSON there") from error
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} is {type(found).__name__}; SageMaker writes a JSON object there")
    return found


def _say(line: str) -> None:
    """Write a line of the log at once: the machine may be gone in a moment."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(root: Path, reason: str) -> None:
    """Write why a training failed where SageMaker shows it, and to the log."""
    sys.stderr.write(f"convlens: {reason}\n")
    make_folder(root / "output")
    write_atomically(root / "output" / "failure", reason[:LONGEST_FAILURE].encode("utf-8", "replace"))
