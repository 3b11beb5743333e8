"""``convlens study export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import ConfigurationError
from .kept import kept_result
from .options import FOLDER, FolderOption, NameArgument, ProfileOption, StoredFlag


def export(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv, json, or stored.")] = "csv",
    to: Annotated[Path | None, typer.Option("--to", help="File to write; by default it is printed.")] = None,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    stored: StoredFlag = False,
) -> None:
    """Write every trial's numbers: CSV with a row for each arm, seed and metric, or JSON with all there is.

    The format `stored` is that of the results that ship with convlens.

    Example: [bold]convlens study export kernel-size --format csv --to kernel-size.csv[/bold]
    """
    from ...files import write_atomically
    from ...plain import choose
    from ...report.results import as_bytes, study_results
    from ...studies.results.shipped import write_shipped
    from ...studies.results.table import csv_of

    form = choose(form, ("csv", "json", "stored"), "format")
    result = kept_result(name, profile, folder, stored=stored)
    if form == "stored":
        if to is None:
            raise ConfigurationError("a stored result is a file: name it with --to")
        write_shipped(result, to)
        return
    content = csv_of(result).encode() if form == "csv" else as_bytes(study_results(result))
    if to is None:
        typer.echo(content, nl=False)
    else:
        write_atomically(to, content)
