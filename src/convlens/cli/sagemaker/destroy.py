"""``convlens sagemaker destroy``."""

from __future__ import annotations

from pathlib import Path

from ...errors import DeploymentError
from ...names import shown
from ..options import JsonFlag, out, print_json
from .common import EndpointArgument, JournalsOption, MinutesOption, ProfileOption, RegionOption, connected, patient


def destroy(
    endpoint: EndpointArgument,
    minutes: MinutesOption = 30.0,
    journals: JournalsOption = Path("out/sagemaker"),
    region: RegionOption = None,
    profile: ProfileOption = None,
    json: JsonFlag = False,
) -> None:
    """Remove an endpoint, and everything that a deployment made for it.

    What AWS does not show to be of this endpoint's deployments is left, and named. The exit code is 4 if anything is
    left, and 6 if AWS could not be asked.

    Example: [bold]convlens sagemaker destroy digits[/bold]
    """
    from ...deploy.sagemaker.destroy import destroy as remove

    removal = remove(connected(region, profile), endpoint, folder=journals, patience=patient(minutes))
    if json:
        print_json(removal.to_dict())
    else:
        out.print(shown(str(removal)))
    if removal.left:
        raise DeploymentError(f"{len(removal.left)} of the endpoint's things are left; the reasons are above")
