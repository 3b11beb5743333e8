"""``convlens lab``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..names import shown
from .options import JsonFlag, notes, out, print_json


def lab(
    models: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[MODEL]...", help="Saved models to show beside those of the package.", show_default=False
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="The port; by default the first free one from 8750 on.")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Listen there, such as on 0.0.0.0, so that other machines can use it with a token.",
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page in a browser.")] = False,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FOLDER", help="Write the page there instead, for any web server."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="FOLDER", help="Where its trainings are kept; by default among your data."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Open the lab: draw a digit, drag it, look inside the networks that read it, and train your own.

    The page runs on this machine alone and needs no internet. With --export it becomes a folder of static files.

    Example: [bold]convlens lab cnn.safetensors[/bold]
    """
    from ..errors import ConfigurationError
    from ..lab.server import LabSettings, run

    if export is None:
        if json:
            raise ConfigurationError("--json says what was written; give it with --export FOLDER, or leave it out")
        run(models or (), LabSettings(host, port, browser=not no_browser, folder=folder), say=notes.print)
        return
    from ..lab.export import export as write_page

    written = write_page(export, models or ())
    if json:
        print_json({"folder": str(written.folder), "files": written.files, "bytes": written.bytes})
    else:
        out.print(shown(f"{written.folder}: {written.files} files, {written.bytes / 1e6:.1f} MB; to look at it:"))
        out.print(shown(f"python -m http.server --directory {written.folder} --bind 127.0.0.1"))
