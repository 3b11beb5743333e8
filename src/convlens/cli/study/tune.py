"""``convlens study tune``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import ConvlensError
from ...names import shown
from ...text_table import TextTable
from ...wording import count, number, seeds
from ..options import EngineOption, JsonFlag, ThreadsOption, notes, out, print_json
from .options import FOLDER, FolderOption

if TYPE_CHECKING:
    from ...studies.tuning import Tuning


def tune(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Studies; by default all.")] = None,
    folder: FolderOption = FOLDER,
    file: Annotated[
        Path | None, typer.Option("--file", help="Where the rates are kept; by default the file in the package.")
    ] = None,
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    json: JsonFlag = False,
) -> None:
    """Find the learning rate of every arm that has none yet, on validation; the test set is not read.

    Finished trials are kept: tuning that was interrupted goes on where it stopped.

    Example: [bold]convlens study tune kernel-size[/bold]
    """
    from ...studies.executors import ExecutionOptions
    from ...studies.tuning import tune as find_rates
    from ..trials import TrialProgress

    with TrialProgress(folder / "checkpoints") as display:
        found = find_rates(
            names or (),
            folder=folder,
            file=file,
            options=ExecutionOptions(engine=engine, hooks=(display.hook(),)),
            threads=threads,
            progress=display,
        )
    if json:
        print_json({label: {**asdict(rate), "at_edge": rate.at_edge} for label, rate in found.rates.items()})
    else:
        _show(found)
    for name, why in found.left_out.items():
        notes.print(shown(f"left out: {name}: {why}"))
    if found.failed:
        first = found.failed[0]
        raise ConvlensError(
            f"{count(len(found.failed), 'trial')} failed, the first of them {first.planned.label}: "
            f"{first.failure.error}: {first.failure.message.rstrip('.')}. Repeat the command to try them again"
        )


def _show(found: Tuning) -> None:
    """Print the grid with every network's means and its winner, and which winners are at an edge."""
    from ...studies.tuned import PROTOCOL

    if not found.rates:
        out.print("no arm asks for a tuned learning rate")
        return
    title = (
        f"validation accuracy in %, by learning rate: {PROTOCOL.train_images:,} training images, "
        f"{count(PROTOCOL.epochs, 'epoch')}, mean of {seeds(len(PROTOCOL.seeds))}"
    )
    columns = ("network", "data", *(f"{rate:g}" for rate in PROTOCOL.grid), "best")
    rows = [
        (label, rate.names["data"], *(number(100 * one, ".2f") for one in rate.accuracy), f"{rate.rate:g}")
        for label, rate in found.rates.items()
    ]
    out.print(TextTable(title, columns, rows, left=(0, 1), names=(0, 1)))
    for label, rate in found.rates.items():
        if rate.at_edge:
            notes.print(
                shown(f"warning: {label}: the best rate, {rate.rate:g}, is at the edge of the grid; a better one may "
                      "lie beyond")
            )  # fmt: skip
