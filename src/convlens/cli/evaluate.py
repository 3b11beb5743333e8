"""``convlens evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .options import (
    DataOption,
    EngineOption,
    JsonFlag,
    SkipBrokenOption,
    ThreadsOption,
    note_skipped,
    out,
    percent,
    print_json,
)


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model that `convlens train --out` has saved.")],
    data: DataOption = "mnist",
    skip_broken: SkipBrokenOption = False,
    split: Annotated[str, typer.Option("--split", help="test, validation or train.")] = "test",
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    json: JsonFlag = False,
) -> None:
    """Evaluate a saved model: accuracy, loss, calibration error, confusion matrix.

    Example: [bold]convlens evaluate cnn.safetensors --json[/bold]
    """
    from .. import data as sets
    from .. import train
    from ..errors import ConfigurationError, nearest
    from ..nn import load

    splits = ("test", "validation", "train")
    if split not in splits:
        raise ConfigurationError(f"unknown split {split!r}{nearest(split, splits)}")
    network = load(model).use(engine, threads)
    dataset = sets.load(data, skip_broken=skip_broken)
    note_skipped(dataset.provenance)
    if network.input_shape != tuple(dataset.input_shape) or network.classes != len(dataset.class_names):
        raise ConfigurationError(
            f"{model} takes images of {network.input_shape} and {network.classes} classes, but {dataset.name} has "
            f"{tuple(dataset.input_shape)} and {len(dataset.class_names)}; name the data it was trained on"
        )
    result = train.evaluate(network, getattr(dataset, split))
    if json:
        print_json({"model": str(model), "data": dataset.name, "split": split, **result.to_dict()})
        return
    out.print(
        f"{model} on {dataset.name}, {split} ({result.images:,} images): accuracy {percent(result.accuracy)}, "
        f"loss {result.loss:.4f}, calibration error {result.calibration_error:.4f}"
    )
    table = Table(title="confusion matrix: rows are true classes, columns what they were called", show_lines=False)
    table.add_column("")
    for name in dataset.class_names:
        table.add_column(name, justify="right")
    for position, (name, row) in enumerate(zip(dataset.class_names, result.confusion, strict=True)):
        cells = [_cell(int(count), position == column) for column, count in enumerate(row)]
        table.add_row(name, *cells)
    out.print(table, soft_wrap=False)


def _cell(count: int, right: bool) -> str:
    """Return a count of the confusion matrix: what is right in dim, errors to be seen."""
    if right:
        return f"[dim]{count}[/dim]"
    return f"[bold red]{count}[/bold red]" if count else "[dim]·[/dim]"
