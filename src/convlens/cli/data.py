"""``convlens data``: the data sets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ..names import shown
from ..text_table import TextTable
from ..wording import count
from .options import JsonFlag, notes, out, print_json

app = typer.Typer(
    help="List, verify and fetch data sets.\n\nExample: [bold]convlens data list[/bold]", no_args_is_help=True
)


@app.command("list")
def list_sets(json: JsonFlag = False) -> None:
    """List the data sets that have a name: number of images, size, licence, and whether they are on this machine.

    Example: [bold]convlens data list[/bold]
    """
    from .. import data

    listing = data.listing()
    if json:
        print_json([asdict(one) for one in listing])
        return
    rows = [
        (
            *(one.name, "yes" if one.ready else "no", f"{one.train_images:,}", f"{one.test_images:,}"),
            *("x".join(map(str, one.image_shape)), str(one.classes), one.title, one.licence),
        )
        for one in listing
    ]
    columns = ("name", "ready", "training", "test", "size", "classes", "what it shows", "licence")
    out.print(TextTable("", columns, rows, left=(0, 1, 4, 6, 7), spare=(7,), names=()))
    absent = [one.name for one in listing if not one.ready]
    if absent:
        out.print(f"Not on this machine yet: {', '.join(absent)}. Download with: convlens data fetch {absent[0]}")
    out.print(
        "Your own pictures are a data set too: give --data the path of a folder with one folder of images per class, "
        "of IDX files, or of a CSV or npz file."
    )


@app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="The data set.")] = "mnist",
    json: JsonFlag = False,
) -> None:
    """Check every file of a data set: against its checksum where it is known, else whether it can be read.

    Example: [bold]convlens data verify mnist[/bold]
    """
    from .. import data

    files = data.verify(name)
    if json:
        print_json([asdict(one) for one in files])
    else:
        rows = [
            (
                *(one.name, f"{one.items:,}", one.place, one.sha256[:16]),
                ("ok", "green") if one.ok else (f"damaged: {one.problem}", "bold red"),
            )
            for one in files
        ]
        columns = ("file", "items", "where", "SHA-256", "state")
        out.print(TextTable("", columns, rows, left=(0, 2, 3, 4)))
        damaged = sum(not one.ok for one in files)
        out.print(
            f"{damaged} of {count(len(files), 'file')} damaged" if damaged else f"{count(len(files), 'file')}, ok"
        )
    if not all(one.ok for one in files):
        raise typer.Exit(2)


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The data set.")],
    json: JsonFlag = False,
) -> None:
    """Download a data set into your cache; every file is verified before it is kept.

    Example: [bold]convlens data fetch fashion-mnist[/bold]
    """
    from .. import data

    files = data.fetch(name, report=notes.print)
    if json:
        print_json([str(path) for path in files])
    else:
        out.print(shown(f"{name}: {len(files)} files, verified, in {files[0].parent}"))
        out.print(f"Next: convlens train cnn --data {name}")
