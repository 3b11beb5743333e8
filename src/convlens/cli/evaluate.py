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
    SkipBrokenOption,
    ThreadsOption,
    check_outputs,
    note_reading,
    notes,
    out,
    print_json,
)

if TYPE_CHECKING:
    from ..metrics import Evaluation, WrongImage

MOST_WRONG = 40  # images on the sheet
FILES = ("evaluation.json", "confusion.png", "calibration.png", "wrong.png")


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by `convlens train --out`.")],
    data: DataOption = "mnist",
    skip_broken: SkipBrokenOption = False,
    split: Annotated[str, typer.Option("--split", help="test, validation or train.")] = "test",
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    json: JsonFlag = False,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help=f"Write {', '.join(FILES[:-1])} and {FILES[-1]} there."),
    ] = None,
) -> None:
    """Evaluate a saved model: accuracy, loss, calibration, scores per class, confusion matrix, worst errors.

    Example: [bold]convlens evaluate cnn.safetensors --out evaluation[/bold]
    """
    from .. import data as sets
    from ..errors import ConfigurationError, nearest
    from ..nn import load

    splits = ("test", "validation", "train")
    if split not in splits:
        raise ConfigurationError(f"unknown split {split!r}{nearest(split, splits)}")
    network = load(model).use(engine, threads)
    dataset = sets.load(data, skip_broken=skip_broken)
    note_reading(dataset)
    if network.input_shape != tuple(dataset.input_shape) or network.classes != len(dataset.class_names):
        raise ConfigurationError(
            f"{model} takes images of {network.input_shape} and {network.classes} classes, but {dataset.name} has "
            f"{tuple(dataset.input_shape)} and {len(dataset.class_names)}; name the data it was trained on"
        )
    if folder is not None:
        make_folder(folder)
        check_outputs(*(folder / name for name in FILES))
    examples, names = getattr(dataset, split), dataset.class_names
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
