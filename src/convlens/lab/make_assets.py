"""Makes what ships with the lab (see `convlens.lab.shipped`): ``python -m convlens.lab.make_assets``.

Everything is trained with the recipe ``good``, as it is, on all training digits. The models have no record of doubt
(`convlens.nn.doubt`), which would be a third of some, and whose last digits depend on the processor. ``--check``
trains again, and says whether the same bits come out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .. import artifact, data, models
from ..data import Dataset
from ..errors import ConvlensError
from ..files import make_folder, write_atomically
from ..nn import Model, load
from ..plain import choose
from ..train import RECIPES, fit
from ..version import NUMERICS_VERSION
from .recording import STEPS_A_POINT, Recording
from .shipped import FOLDER, INDEX, ShippedDigits, described

RECIPE = RECIPES["good"]
A_CLASS = 30  # digits that ship
DIGITS = "digits"
_EARLY = (0, 10, 30, 100, 300)  # steps at which a training is looked at, besides the end of every epoch

Say = Callable[[str], None]


@dataclass(frozen=True)
class AssetPlan:
    """A configuration that is trained for the lab.

    Attributes
    ----------
    name, title, about
        What it is called in file names and on the page, and what it is.
    architecture, options
        As for `convlens.models.build`.
    seeds
        Of the trainings that are recorded. The model of the first is the one that ships.
    model
        Whether that model ships.
    snapshots
        Whether snapshots of its training ship.
    """

    name: str
    title: str
    about: str
    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    model: bool = True
    snapshots: bool = False

    def build(self, dataset: Dataset, seed: int) -> Model:
        """Return the untrained network."""
        return models.build(
            self.architecture,
            input_shape=dataset.input_shape,
            classes=len(dataset.class_names),
            class_names=dataset.class_names,
            seed=seed,
            **self.options,
        )


PLANS = {
    plan.name: plan
    for plan in (
        AssetPlan(
            "dense", "Dense", "two dense layers, 128 and 64 units: it has no notion of where pixels are", "baseline"
        ),
        AssetPlan("cnn", "CNN", "two convolutions, 16 and 32 filters of 3x3, each with max-pooling; dense 128", "cnn"),
        AssetPlan(
            "local",
            "Locally connected",
            "the CNN with kernels of its own at every position: the same widths, six times the parameters",
            "local",
        ),
        AssetPlan(
            "small-cnn",
            "Small CNN",
            "the CNN with 8 filters in both convolutions: a quarter of its size, so that eight snapshots can ship",
            "cnn",
            {"filters": (8, 8)},
            model=False,
            snapshots=True,
        ),
    )
}


def make(names: Iterable[str] = (), folder: Path = FOLDER, say: Say = lambda _: None) -> None:
    """Make assets, and the index of all that are there.

    Parameters
    ----------
    names
        ``"digits"``, or the names of plans; everything if there are none.
    folder
        Where to write them.
    say
        Called with what is being done, in a line.

    Raises
    ------
    ConfigurationError
        If a name is unknown.
    OutputError
        If a file cannot be written.
    """
    wanted = [choose(name, (DIGITS, *PLANS), "asset") for name in names] or [DIGITS, *PLANS]
    for part in ("models", "snapshots", "recordings"):
        make_folder(folder / part)
    dataset = data.load("mnist")
    digits = chosen_digits(dataset)
    write_atomically(folder / "digits.bin", digits.images.tobytes())
    for name in wanted:
        if name != DIGITS:
            _train(PLANS[name], dataset, folder, say)
    write_assets_index(dataset, digits, folder)


def chosen_digits(dataset: Dataset) -> ShippedDigits:
    """Return `A_CLASS` test digits of each class, spread evenly over the test set, whose halves differ in difficulty.

    They are in the order of the test set, in which the classes are mixed.
    """
    labels = dataset.test.labels
    places = [np.flatnonzero(labels == one) for one in range(len(dataset.class_names))]
    rows = np.sort(np.concatenate([found[np.arange(A_CLASS) * len(found) // A_CLASS] for found in places]))
    return ShippedDigits(dataset.test.images[rows], labels[rows], rows)


def _train(plan: AssetPlan, dataset: Dataset, folder: Path, say: Say) -> None:
    """Train a configuration with each of its seeds, and write what ships of it."""
    steps = -(-len(dataset.train) // RECIPE.batch_size)
    looked = (*_EARLY, *(steps * (epoch + 1) for epoch in range(RECIPE.epochs)))
    runs = []
    for place, seed in enumerate(plan.seeds):
        say(f"training {plan.name}, seed {seed}")
        model, recording, first = plan.build(dataset, seed), Recording(looked), place == 0
        kept: dict[str, Any] = {}
        if first and plan.snapshots:
            kept = {"snapshots": looked, "snapshot_folder": folder / "snapshots"}
        run = fit(model, dataset, RECIPE, doubt=False, progress=False, hooks=[recording], **kept)
        if first and plan.model:
            model.save(folder / "models" / f"{plan.name}.safetensors")
        runs.append(recording.to_dict(run))
        say(f"{plan.name}, seed {seed}: {run!r}")
    record = {**_about(plan, plan.build(dataset, 0)), "steps_a_point": STEPS_A_POINT, "runs": runs}
    write_atomically(folder / "recordings" / f"{plan.name}.json", as_json(record))


def _about(plan: AssetPlan, model: Model) -> dict[str, Any]:
    """Return what the index and a recording say of a configuration."""
    options = {name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
               for name, value in plan.options.items()}  # fmt: skip
    command = " ".join(("convlens train", plan.architecture, *(f"--{key} {value}" for key, value in options.items())))
    return {
        "name": plan.name,
        "title": plan.title,
        "about": plan.about,
        "parameters": model.program.parameter_count,
        "flops": model.program.flops,
        "recipe": RECIPE.to_dict(),
        "seeds": list(plan.seeds),
        "command": f"{command} --recipe {RECIPE.name} --seed {plan.seeds[0]}",
    }


def write_assets_index(dataset: Dataset, digits: ShippedDigits, folder: Path) -> None:
    """Write the index of the assets that are in a folder."""
    models_there = [plan for plan in PLANS.values() if (folder / _model_file(plan)).is_file()]
    recorded = [plan for plan in PLANS.values() if (folder / _recording_file(plan)).is_file()]
    snapshots = sorted((folder / "snapshots").glob("*.safetensors"))
    of_snapshots = next(plan for plan in PLANS.values() if plan.snapshots)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / INDEX)
    index = {
        "format_version": 1,
        "numerics_version": NUMERICS_VERSION,
        "made_by": "python -m convlens.lab.make_assets",
        "files": {path.relative_to(folder).as_posix(): described(path) for path in files},
        "digits": {
            "file": "digits.bin",
            "shape": list(digits.images.shape),
            "labels": digits.labels.tolist(),
            "indexes": digits.indexes.tolist(),
            "class_names": list(dataset.class_names),
            "about": f"{A_CLASS} test digits of each class, spread evenly over the test set: indexes are from 0",
            "source": dataset.provenance["source"],
            "licence": dataset.provenance["licence"],
        },
        "models": [_model_entry(plan, digits, folder) for plan in models_there],
        "snapshots": {
            **_about(of_snapshots, of_snapshots.build(dataset, 0)),
            "models": [_snapshot_entry(path, digits, folder) for path in snapshots],
        },
        "recordings": [
            {**_about(plan, plan.build(dataset, 0)), "file": _recording_file(plan)} for plan in recorded
        ],
    }  # fmt: skip
    write_atomically(folder / INDEX, as_json(index))


def _model_file(plan: AssetPlan) -> str:
    return f"models/{plan.name}.safetensors"


def _recording_file(plan: AssetPlan) -> str:
    return f"recordings/{plan.name}.json"


def _model_entry(plan: AssetPlan, digits: ShippedDigits, folder: Path) -> dict[str, Any]:
    model = load(folder / _model_file(plan))
    result = {key: model.training[key] for key in ("seed", "epochs", "validation.accuracy", "test.accuracy")}
    return {**_about(plan, model), "file": _model_file(plan), **result, "digits_right": right(model, digits)}


def _snapshot_entry(path: Path, digits: ShippedDigits, folder: Path) -> dict[str, Any]:
    model = load(path)
    where = path.relative_to(folder).as_posix()
    return {"step": model.training["step"], "file": where, "digits_right": right(model, digits)}


def right(model: Model, digits: ShippedDigits) -> int:
    """Return how many digits a model classifies correctly."""
    return int((model.predict(digits.images) == digits.labels).sum())


def as_json(value: object) -> bytes:
    """Return plain data as compact JSON."""
    return (json.dumps(value, separators=(",", ":"), allow_nan=False) + "\n").encode()


def differences(names: Sequence[str] = (), folder: Path = FOLDER, say: Say = lambda _: None) -> list[str]:
    """Make assets again elsewhere, and return, in words, what is not the same in a folder.

    Of models, weights and header are compared; the program's version, in the header, may be a later one.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        again = Path(elsewhere)
        make(names, again, say)
        found = []
        for path in sorted(path for path in again.rglob("*") if path.is_file() and path.name != INDEX):
            name = path.relative_to(again)
            if not (folder / name).is_file():
                found.append(f"{name} is missing")
            elif _decisive(path) != _decisive(folder / name):
                found.append(f"{name} comes out differently")
        return found


def _decisive(path: Path) -> object:
    """Return what has to be the same when a file is made again."""
    if path.suffix != ".safetensors":
        return path.read_bytes()
    found = artifact.read(path, "model")
    header = {key: value for key, value in found.header.items() if key != "convlens_version"}
    return header, {name: array.tobytes() for name, array in found.arrays.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 if a check failed."""
    parser = argparse.ArgumentParser(prog="python -m convlens.lab.make_assets", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{DIGITS}, {', '.join(PLANS)}; by default all")
    parser.add_argument("--check", action="store_true", help="train again, write nothing, and compare")
    chosen = parser.parse_args(arguments)

    def say(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    try:
        if not chosen.check:
            make(chosen.names, say=say)
            return 0
        found = differences(chosen.names, say=say)
    except ConvlensError as error:
        say(str(error))
        return error.exit_code
    for line in found:
        say(line)
    say("not the same" if found else "the same bits")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
