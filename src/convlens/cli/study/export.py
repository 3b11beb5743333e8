"""``convlens study export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import ConfigurationError, ConvlensError
from ...names import shown
from ..options import notes
from .options import FOLDER, FolderOption, ProfileOption, StoredFlag


def export(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names from `convlens study list`.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All studies of the catalogue; for stored.")] = False,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv, json, or stored.")] = "csv",
    to: Annotated[
        Path | None,
        typer.Option("--to", help="File to write, for stored a folder; by default it is printed."),
    ] = None,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    stored: StoredFlag = False,
) -> None:
    """Write every trial's numbers: CSV with a row for each arm, seed and metric, or JSON with all there is.

    The format `stored` is that of the results that ship with convlens: a file for each study whose trials in the folder
    are complete; the others are named.

    Example: [bold]convlens study export kernel-size --format csv --to kernel-size.csv[/bold]
    """
    from ... import studies
    from ...files import write_atomically
    from ...plain import choose
    from ...report.results import as_bytes, study_results
    from ...studies.results.table import csv_of

    form = choose(form, ("csv", "json", "stored"), "format")
    if form == "stored":
        _export_stored(names, every=every, to=to, profile=profile, folder=folder)
        return
    if not names or len(names) > 1 or every:
        raise ConfigurationError(f"{form} is of one study: name it, and no other; “convlens study list” has the names")
    result = studies.find_result(names[0], profile, folder=folder, stored=stored)
    content = csv_of(result).encode() if form == "csv" else as_bytes(study_results(result))
    if to is None:
        typer.echo(content, nl=False)
    else:
        write_atomically(to, content)


def _export_stored(names: list[str] | None, *, every: bool, to: Path | None, profile: str, folder: Path) -> None:
    from ... import studies

    if bool(names) == every or to is None:
        raise ConfigurationError("stored results are files: name the studies, or give --all, and a folder with --to")
    wanted = names or list(studies.entries())
    left = studies.export_shipped(wanted, to, profile, folder=folder)
    for why in left.values():
        notes.print(shown(f"not written: {why}"))
    if len(left) == len(wanted):
        raise ConvlensError(f"no study is complete in {folder}; nothing is written")
