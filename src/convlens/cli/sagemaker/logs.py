"""``convlens sagemaker logs``."""

from __future__ import annotations

import json as json_format
from typing import Annotated

import typer

from ...names import shown
from ..options import JsonFlag, out
from .common import EndpointArgument, ProfileOption, RegionOption, connected


def logs(
    endpoint: EndpointArgument,
    minutes: Annotated[float, typer.Option("--minutes", metavar="N", help="How far back.")] = 60.0,
    containing: Annotated[str, typer.Option("--containing", metavar="TEXT", help="Only lines with this text.")] = "",
    region: RegionOption = None,
    profile: ProfileOption = None,
    json: JsonFlag = False,
) -> None:
    """Show the log of an endpoint's server, oldest line first; with --json, an object a line.

    Example: [bold]convlens sagemaker logs digits --minutes 10[/bold]
    """
    from ...deploy.sagemaker.logs import logs as read

    for one in read(connected(region, profile), endpoint, minutes=minutes, containing=containing):
        if json:
            typer.echo(json_format.dumps(one.to_dict()))
        else:
            out.print(shown(f"{one.time:%H:%M:%S} {one.message}"), markup=False)
