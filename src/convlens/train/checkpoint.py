"""Checkpoints: everything that training needs to resume with the same bits, in one file.

Randomness is addressed by seed, epoch and step, so no generator state has to be stored. The file holds the weights and
their average, the optimiser's state, the best weights so far, the position, the sums of the epoch under way, the
history, and the configuration that they belong to.

A training can be extended: its checkpoint is also that of a training of more epochs, or with another schedule, if the
learning rate of every step already taken is the same in both. That holds of a constant rate, and of a step decay before
its first milestone; `OneCycle` and `Cosine` are stretched over all epochs, so that every step differs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .. import artifact
from ..errors import ArtifactError, ConfigurationError
from ..nn.serialize import layer_to_dict, layers_from_data
from ..version import NUMERICS_VERSION
from ..wording import count
from .recipes import Recipe
from .state import Progress, State


def save(path: Path, state: State, configuration: dict[str, Any]) -> None:
    """Write a checkpoint, atomically; if that raises OutputError, the previous one is untouched."""
    header = {
        "numerics_version": NUMERICS_VERSION,
        "configuration": configuration,
        "progress": asdict(state.progress),
        "optimizer_step": state.optimizer.step,
    }
    artifact.write(path, "checkpoint", header, state.arrays())


def restore(path: Path, state: State, configuration: dict[str, Any], steps: int) -> None:
    """Read a checkpoint into the state, of a training with this number of `steps` in an epoch.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged or not convlens's.
    ConfigurationError
        If it belongs to another training (the message names the difference; names, and the place of the data, may
        differ), or to another version of the numerics, so that resuming would give other bits.
    """
    contents = artifact.read(path, "checkpoint")
    header = contents.header
    _require_these_numerics(path, header)
    extended = _require_same(path, header.get("configuration"), configuration)
    arrays = state.arrays()
    try:
        progress = Progress(**header["progress"])
        step = int(header["optimizer_step"])
        if set(arrays) != set(contents.arrays):
            raise ValueError(f"its arrays are {sorted(contents.arrays)}")
        for name, array in arrays.items():
            found = contents.arrays[name]
            if found.shape != array.shape or found.dtype != array.dtype:
                raise ValueError(f"{name} is {found.dtype}{found.shape}")
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged: it does not describe a training ({error})") from error
    if extended:
        _require_same_rates(path, header["configuration"]["recipe"], configuration["recipe"], progress, steps)
    for name, array in arrays.items():
        np.copyto(array, contents.arrays[name])
    state.progress, state.optimizer.step = progress, step
    configuration.pop("start", None)  # the training's beginning was that of the file
    configuration |= {key: value for key, value in header["configuration"].items() if key == "start"}


def _require_these_numerics(path: Path, header: dict[str, Any]) -> None:
    """Raise ConfigurationError if a checkpoint was made with other numerics; early ones do not state theirs."""
    if header.get("numerics_version") != NUMERICS_VERSION:
        raise ConfigurationError(
            f"{path} was written by convlens {header.get('convlens_version')} with numerics version "
            f"{header.get('numerics_version', 'below 5')}, this one has {NUMERICS_VERSION}, so resuming would not give "
            "the same bits; resume with that convlens, or start again with another checkpoint"
        )


def _require_same(path: Path, found: object, expected: dict[str, Any]) -> bool:
    """Raise ConfigurationError if a checkpoint was made with another configuration; return whether it is extended."""
    if not isinstance(found, dict):
        raise ArtifactError(f"{path} is damaged: it does not name its configuration")
    ours, theirs = flatten(_decisive(expected)), flatten(_decisive(found))
    if "start" not in theirs:  # it began with the seed's weights; a model that was trained since may take it up again
        ours.pop("start", None)
    differing = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    others = [key for key in differing if key != "recipe.epochs" and not key.startswith("recipe.schedule.")]
    if others:
        key = min(others, key=lambda key: key not in ours or key not in theirs)  # one that both have, where there is
        raise ConfigurationError(
            f"{path} belongs to another training: {key} is {theirs.get(key)!r} there and {ours.get(key)!r} here; "
            "repeat the command it was made with, or name another checkpoint"
        )
    return bool(differing)


def _require_same_rates(
    path: Path, theirs: dict[str, Any], ours: dict[str, Any], progress: Progress, steps: int
) -> None:
    """Raise ConfigurationError if the two recipes, of other lengths or schedules, differ in a step already taken."""
    one, other = Recipe.from_dict(theirs), Recipe.from_dict(ours)
    taken = progress.epoch * steps + progress.step
    if taken > other.epochs * steps:
        raise ConfigurationError(
            f"{path} has been trained for more than {count(other.epochs, 'epoch')} already; resume with "
            f"{count(one.epochs, 'epoch')}, or start again with another checkpoint"
        )
    if not one.begins_like(other, taken, steps):
        advice = "save the model (--out) and train that further, or start again with another checkpoint"
        if one.schedule != other.schedule:
            raise ConfigurationError(
                f"{path} belongs to another training: the learning rates of its steps are those of {one.schedule} "
                f"there and of {other.schedule} here; repeat the command it was made with, {advice}"
            )
        raise ConfigurationError(
            f"{path} holds a training of {count(one.epochs, 'epoch')}, and one of {other.epochs} would have given its "
            f"steps other learning rates ({type(one.schedule).__name__}), so it cannot be extended; resume with "
            f"{count(one.epochs, 'epoch')}, {advice}"
        )


def _decisive(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return what decides the bits: no names, no place of the data, and every setting that a file leaves out.

    What cannot be read stays as it is, and so differs.
    """
    found = dict(configuration)
    data, recipe, model = (found.get(part) for part in ("data", "recipe", "model"))
    if isinstance(data, dict):
        found["data"] = {key: value for key, value in data.items() if key not in ("name", "provenance")}
    with suppress(ConfigurationError, KeyError, TypeError, ValueError):
        found["recipe"] = Recipe.from_dict(recipe).to_dict()  # type: ignore[arg-type] # a TypeError if it is none
    if isinstance(found.get("recipe"), dict):
        found["recipe"] = {key: value for key, value in found["recipe"].items() if key != "name"}
    with suppress(ConfigurationError, KeyError, TypeError, ValueError):
        layers = layers_from_data(model["layers"])  # type: ignore[index]
        found["model"] = {**model, "layers": [layer_to_dict(layer, defaults=True) for layer in layers]}  # type: ignore[dict-item]
    return found


def flatten(tree: object, prefix: str = "") -> dict[str, object]:
    """Return nested plain data as dotted names and values: ``{"recipe.epochs": 3}``."""
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list | tuple):
        items = dict(enumerate(tree)).items()
    else:
        return {prefix: tree}
    pairs = [flatten(value, f"{prefix}.{key}" if prefix else str(key)) for key, value in items]
    return {name: value for pair in pairs for name, value in pair.items()}
