"""``convlens evaluate``."""

from __future__ import annotations

import json as json_format
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..files import make_folder, write_atomically
from ..names import shown
from .options import (
    DataOption,
    EngineOption,
    JsonFlag,
    ResizeOption,
    SkipBrokenOption,
    ThreadsOption,
    check_outputs,
    image_size,
    note_reading,
    notes,
    out,
    print_json,
)

if TYPE_CHECKING:
    from ..data import Dataset, Examples
    from ..metrics import Evaluation, WrongImage
    from ..nn import Model

MOST_WRONG = 40  # images on the sheet
SPLITS = ("test", "validation", "train", "all")
FILES = ("evaluation.json", "confusion.png", "calibration.png", "wrong.png")


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by `convlens train --out`.")],
    data: DataOption = "mnist",
    skip_broken: SkipBrokenOption = False,
    resize: ResizeOption = None,
    split: Annotated[str, typer.Option("--split", help="test, validation, train or all.")] = "test",
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    json: JsonFlag = False,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help=f"Write {', '.join(FILES[:-1])} and {FILES[-1]} there."),
    ] = None,
) -> None:
    """Evaluate a saved model: accuracy, loss, calibration, scores per class, confusion matrix, worst errors.

    The classes of the data are matched with the model's by name.

    Example: [bold]convlens evaluate cnn.safetensors --out evaluation[/bold]
    """
    from .. import data as sets
    from ..errors import ConfigurationError, nearest
    from ..nn import load

    if split not in SPLITS:
        raise ConfigurationError(f"unknown split {split!r}{nearest(split, SPLITS)}")
    network = load(model).use(engine, threads)
    dataset = sets.load(data, skip_broken=skip_broken, resize=image_size(resize), like=network)
    note_reading(dataset)
    _check_shape(model, network, dataset)
    dataset = dataset.with_classes(network.class_names)
    if folder is not None:
        make_folder(folder)
        check_outputs(*(folder / name for name in FILES))
    examples, names = _examples(dataset, split), dataset.class_names
    for line in _remarks(network, dataset, split, examples):
        notes.print(line, markup=False)
    result = network.evaluate(examples)
    wrong = result.most_wrong(MOST_WRONG)
    found = {"model": str(model), "data": dataset.name, "split": split, **_plain(result, names, wrong)}
    if folder is not None:
        from ..report.evaluation import evaluation_figures

        files = {"evaluation.json": (json_format.dumps(found, indent=2, allow_nan=False) + "\n").encode()}
        files |= evaluation_figures(result, examples.images, names, wrong)
        for name, contents in files.items():
            write_atomically(folder / name, contents)
    if json:
        print_json(found)
    else:
        out.print(shown(f"{model} on {dataset.name}, {split}: {result.images:,} images"))
        _print(result, names)
    if folder is not None:
        notes.print(shown(f"written to {folder}: {', '.join(FILES)}"))


def _check_shape(path: Path, network: Model, dataset: Dataset) -> None:
    """Raise unless the images have the model's size and channels; the message says which of them differs."""
    from ..errors import ShapeError

    wanted, found = network.input_shape, tuple(dataset.input_shape)
    if found == wanted:
        return
    advice = "name the data it was trained on, --data NAME|PATH, or others of that size"
    if found[:2] == wanted[:2]:
        kinds = {1: "grey", 3: "colour"}
        advice = f"convert the images: the model was trained on {kinds.get(wanted[2], f'{wanted[2]}-channel')} ones"
    raise ShapeError(
        f"{path} takes images of {' x '.join(map(str, wanted))} (height, width, channels), and those of "
        f"{dataset.name} are {' x '.join(map(str, found))}; {advice}"
    )


def _examples(dataset: Dataset, split: str) -> Examples:
    """Return the images of a split."""
    from ..errors import DataError

    examples: Examples = dataset.whole() if split == "all" else getattr(dataset, split)
    if not len(examples):
        raise DataError(f"{dataset.name}: has no {split} images; evaluate --split test, or --split all")
    return examples


def _remarks(network: Model, dataset: Dataset, split: str, examples: Examples) -> list[str]:
    """Return what a reader of the result should know: which images it is about, and which classes it lacks."""
    from ..data.labels import listed

    trained_on = dataset.sha256 == network.training.get("data", {}).get("sha256")
    lines = []
    if split == "all" and trained_on:
        lines.append(f"the model was trained on {dataset.name}: --split all includes the images it has learned from")
    fraction = dataset.split["fractions"]["test"]
    if split == "test" and fraction is not None and not trained_on:
        total = sum(dataset.split["counts"].values())
        lines.append(
            f"{dataset.name} has no test set of its own: {len(examples):,} of its {total:,} images, drawn at random, "
            "are evaluated; --split all evaluates every image"
        )
    present = set(examples.labels.tolist())
    if missing := [name for number, name in enumerate(dataset.class_names) if number not in present]:
        lines.append(f"{dataset.name}, {split}: has no image of the model's classes {listed(missing)}")
    return lines


def _plain(result: Evaluation, names: Sequence[str], wrong: Sequence[WrongImage]) -> dict[str, Any]:
    """Return an evaluation as plain data, with the classes' names."""
    found = result.to_dict()
    found["class_names"] = list(names)
    found["classes"] = [{"class": name, **scores} for name, scores in zip(names, found["classes"], strict=True)]
    found["wrong"] = result.wrong
    found["most_wrong"] = [
        {"index": one.index, "true": names[one.label], "called": names[one.prediction], "confidence": one.confidence}
        for one in wrong
    ]
    return found


def _print(result: Evaluation, names: Sequence[str]) -> None:
    """Print the tables."""
    from .evaluation_tables import class_table, confusion_counts, summary_lines, undefined_note

    for line in summary_lines(result):
        out.print(line)
    out.print(class_table(result, names), soft_wrap=False)
    if note := undefined_note(result):
        out.print(note)
    out.print(confusion_counts(result, names, out.width), soft_wrap=False)
