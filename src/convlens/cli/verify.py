"""``convlens verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonFlag, notes, out, print_json, whole_numbers


def verify(
    threads: Annotated[
        str, typer.Option("--threads", metavar="N,N", help="Numbers of threads to train with.")
    ] = "1,2,3,8",
    json: JsonFlag = False,
    record: Annotated[
        Path | None, typer.Option("--record", help="Write this machine's hashes to a file instead of comparing them.")
    ] = None,
) -> None:
    """Train a fixed set of small networks, and compare the weights' hashes with the recorded ones.

    Exits with code 1 if a promised result differs; docs/reproducibility.md says what is promised.

    Example: [bold]convlens verify --threads 1,8[/bold]
    """
    from .. import verification

    if record is not None:
        verification.record(record)
        notes.print(f"recorded: {record}", markup=False)
        return
    counts = whole_numbers("--threads", threads.split(","), "numbers with commas, such as 1,8")
    report = verification.verify(counts)
    if json:
        print_json(report.to_dict())
    else:
        out.print(str(report), markup=False)
    if not report.holds:
        raise typer.Exit(1)
