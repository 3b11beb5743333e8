"""``convlens sagemaker invoke``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .common import EndpointArgument, ProfileOption, RegionOption, connected


def invoke(
    endpoint: EndpointArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A picture (png), or images as npy, npz, json or csv.")],
    accept: Annotated[
        str, typer.Option("--accept", metavar="TYPE", help="Content type of the answer.")
    ] = "application/json",
    region: RegionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Send a file to an endpoint, and print its answer.

    Example: [bold]convlens sagemaker invoke digits seven.png[/bold]
    """
    from ...deploy.sagemaker.invoke import invoke_file

    reply = invoke_file(connected(region, profile), endpoint, file, accept)
    sys.stdout.flush()
    sys.stdout.buffer.write(reply.body)
    if sys.stdout.isatty() and not reply.body.endswith(b"\n"):
        sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
