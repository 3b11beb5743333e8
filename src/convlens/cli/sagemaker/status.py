"""``convlens sagemaker status``."""

from __future__ import annotations

from typing import Annotated

import typer

from ...names import shown
from ..options import JsonFlag, out, print_json
from .common import ProfileOption, RegionOption, connected


def status(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="Name of the endpoint; without it, all are listed.")
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    json: JsonFlag = False,
) -> None:
    """Show how an endpoint is, or list all endpoints of the region.

    Example: [bold]convlens sagemaker status digits[/bold]
    """
    from ...deploy.sagemaker.status import status as look
    from ...deploy.sagemaker.status import statuses

    clients = connected(region, profile)
    if endpoint is None:
        found = statuses(clients)
        if json:
            print_json([{"endpoint": name, "state": state} for name, state in found])
            return
        for name, state in found:
            out.print(shown(f"{name}: {state}"))
        if not found:
            out.print(f"there is no endpoint in {clients.region}")
        return
    one = look(clients, endpoint)
    if json:
        print_json(one.to_dict())
        return
    out.print(shown(f"{one.endpoint}: {one.state} since {one.changed}"))
    out.print(shown(f"  runs {one.model} on {one.machines} (configuration {one.configuration})"))
    if one.reason:
        out.print(shown(f"  reason: {one.reason}"))
