"""``convlens serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..names import shown
from .intake import PrepareOption
from .options import ThreadsOption, notes


def serve(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="Models saved by `convlens train --out`; the first is the default.",
            show_default=False,
        ),
    ],
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 is any that is free.")] = 8080,
    as_digits: PrepareOption = None,
    threads: ThreadsOption = 1,
) -> None:
    """Serve predictions over HTTP.

    It meets SageMaker's contract and the Open Inference Protocol; the page at its address shows how to use it. It stops
    at Ctrl-C or SIGTERM, after every request that it has accepted.

    Example: [bold]convlens serve cnn.safetensors --port 8080[/bold]
    """
    from ..serve import Settings, run

    def started(address: str) -> None:
        notes.print(shown(f"serving {', '.join(path.stem for path in models)} at {address}"), markup=False)

    run(models, Settings(host=host, port=port, prepare=as_digits, threads=threads), started=started)
