"""``convlens verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from ..names import shown
from .options import JsonFlag, notes, out, print_json, whole_numbers

THREADS = "1,2,3,8"


def verify(
    threads: Annotated[
        str | None,
        typer.Option("--threads", metavar="N,N", help=f"Numbers of threads to train with; by default {THREADS}."),
    ] = None,
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
        if threads is not None or json:
            raise ConfigurationError("--record only writes the hashes; leave out --threads and --json")
        verification.record(record)
        notes.print(shown(f"recorded: {record}"))
        return
    counts = whole_numbers("--threads", threads or THREADS, ",", "numbers with commas, such as 1,8")
    report = verification.verify(counts)
    if json:
        print_json(report.to_dict())
    else:
        out.print(str(report))
    if not report.holds:
        raise typer.Exit(1)
