"""``convlens data``: the data sets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from .options import JsonFlag, notes, out, print_json

app = typer.Typer(help="List, verify and fetch data sets.\n\nExample: [bold]convlens data list[/bold]")


@app.command("list")
def list_sets(json: JsonFlag = False) -> None:
    """List the data sets.

    Example: [bold]convlens data list[/bold]
    """
    from .. import data

    listing = data.listing()
    if json:
        print_json([asdict(one) for one in listing])
        return
    table = Table("name", "training", "test", "size", "classes", "licence", "ready")
    for one in listing:
        size = "x".join(map(str, one.image_shape))
        ready = "yes" if one.ready else "no"
        table.add_row(
            one.name, f"{one.train_images:,}", f"{one.test_images:,}", size, str(one.classes), one.licence, ready
        )
    out.print(table, soft_wrap=False)
    out.print(
        "'convlens data fetch NAME' downloads one that is not ready. A folder of images or of IDX files, a CSV "
        "file and an npz file are data sets too: give the path to --data."
    )


@app.command("verify")
def verify(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="The data set.")] = "mnist",
    json: JsonFlag = False,
) -> None:
    """Check every file of a data set against its checksum.

    Example: [bold]convlens data verify mnist[/bold]
    """
    from .. import data

    files = data.verify(name)
    if json:
        print_json([asdict(one) for one in files])
    else:
        for one in files:
            state = "[green]ok[/green]" if one.ok else f"[bold red]damaged[/bold red]: {one.problem}"
            out.print(f"{one.place:8} {one.name:32} {one.items:>7,} items  {one.sha256[:16]}  {state}")
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
        out.print(f"{name}: {len(files)} files, verified, in {files[0].parent}")
