"""``convlens predict``."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from ..errors import ConfigurationError, ConvlensError, DataError
from ..names import shown
from .intake import PrepareOption
from .options import JsonFlag, notes, out

if TYPE_CHECKING:
    from ..predictor import Prediction

Outcomes: TypeAlias = "Iterator[tuple[Path, Prediction | ConvlensError]]"

_USE = "as in: convlens predict --model cnn.safetensors seven.png"


def predict(
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE...", help="Image files, or folders of them.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="A model saved by `convlens train --out`.", show_default=False)
    ] = None,
    as_digits: PrepareOption = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Write there, for each image, what the network saw and the top three classes, and a table of all.",
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Classify images.

    Pictures are read as the model's training images were. A model of MNIST's digits takes any picture of a digit: it is
    first made like MNIST's, and every step is listed. An image that cannot be read is reported, and the others go on.

    Example: [bold]convlens predict --model cnn.safetensors seven.png[/bold]
    """
    from ..predictor import Predictor

    predictor = Predictor(_model(model, images), prepare=as_digits)
    paths = _files(images)
    for note in predictor.notes:
        notes.print(note, markup=False)
    found: Outcomes = zip(paths, predictor.each(paths), strict=True)
    if folder is not None:
        found = _written(found, folder, images or [])
    failed = _print_json(found) if json else _print(found, alone=len(paths) == 1)
    if folder is not None:
        what = "predictions.json, predictions.csv, and a picture of each prediction"
        notes.print(f"written to {folder}: {what}", markup=False)
    if failed:
        raise DataError(f"{failed:,} of {len(paths):,} images could not be predicted; the reasons are given above")


def _model(model: Path | None, images: list[Path] | None) -> Path:
    """Return the model's file; ConfigurationError unless a model and an image were named."""
    if model is None:
        given = next((path for path in images or () if path.suffix == ".safetensors"), None)
        name = f"name the model with --model {given}" if given else "name a model with --model"
        raise ConfigurationError(f"{name}, and the images behind it, {_USE}")
    if not images:
        raise ConfigurationError(f"there is no image to predict; name image files or a folder of them, {_USE}")
    return model


def _files(images: list[Path] | None) -> list[Path]:
    """Return the files named, each once, and of every folder its images, sorted by name."""
    from ..pictures.reading import images_in

    files: list[Path] = []
    for path in images or ():
        if not path.is_dir():
            files.append(path)
            continue
        found, others = images_in(path)
        files += found
        if others:
            more = f" and {len(others) - 3:,} more" if len(others) > 3 else ""
            notes.print(f"{path}: left out {', '.join(one.name for one in others[:3])}{more}: no images", markup=False)
    return list(dict.fromkeys(files))


def _print(found: Outcomes, *, alone: bool) -> int:
    """Print each prediction as it is made, and return the number of images that have none."""
    failed = 0
    for path, one in found:
        if isinstance(one, ConvlensError):
            if alone:
                raise one
            failed += 1
            notes.print(str(one), markup=False)
            continue
        out.print(shown(f"{path}: {one}"))
        if one.account.changed:
            out.print(f"  {one.account}")
        if one.unsure:
            out.print(shown(f"  unsure: {'; '.join(one.doubts)}"))
    return failed


def _print_json(found: Outcomes) -> int:
    """Print a JSON array, each element as it is found, and return the number of images that have no prediction."""
    failed, before = 0, "[\n"
    for path, one in found:
        error = isinstance(one, ConvlensError)
        failed += error
        entry = {"image": str(path), **({"error": str(one)} if isinstance(one, ConvlensError) else one.to_dict())}
        sys.stdout.write(before + json_format.dumps(entry, indent=2, allow_nan=False))
        before = ",\n"
    sys.stdout.write("\n]\n")
    return failed


def _written(found: Outcomes, folder: Path, images: list[Path]) -> Outcomes:
    """Return an iterator that passes predictions on, each once it has been written to the folder."""
    from ..report.predictions import PredictionFolder

    if any(path.is_dir() and folder.exists() and path.samefile(folder) for path in images):
        raise ConfigurationError(f"--out {folder} is a folder of images to predict; name another one")
    into = PredictionFolder(folder)

    def written() -> Outcomes:
        try:
            for path, one in found:
                into.add(path, one)
                yield path, one
        finally:  # also after Ctrl-C: the tables list what has been predicted
            into.finish()

    return written()
