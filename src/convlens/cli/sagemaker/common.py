"""Options that the verbs of ``convlens sagemaker`` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ...names import shown
from ..options import notes

if TYPE_CHECKING:
    from ...deploy.sagemaker.clients import Clients
    from ...deploy.sagemaker.plan import Settings
    from ...deploy.sagemaker.waiting import Patience

RegionOption: TypeAlias = Annotated[
    str | None, typer.Option("--region", metavar="NAME", help="Such as us-east-1; by default as AWS is configured.")
]
ProfileOption: TypeAlias = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help="A profile of AWS's configuration files.")
]
EndpointArgument: TypeAlias = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name of the endpoint.")]
JournalsOption: TypeAlias = Annotated[
    Path, typer.Option("--journals", metavar="FOLDER", help="Where it is written down what a deployment has made.")
]
MinutesOption: TypeAlias = Annotated[
    float, typer.Option("--minutes", metavar="N", help="Deadline of each wait, in minutes.")
]
NameOption: TypeAlias = Annotated[
    str, typer.Option("--name", metavar="NAME", help="Name of the endpoint: lower-case letters, digits and hyphens.")
]
ServerlessFlag: TypeAlias = Annotated[
    bool, typer.Option("--serverless", help="No machine of its own: billed by use, slower to start.")
]
TypesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--instance-type",
        metavar="TYPE,TYPE",
        help="Type of machine, and those to fall back on; ml.t2.medium by default.",
    ),
]
InstancesOption: TypeAlias = Annotated[int, typer.Option("--instances", metavar="N", help="Number of machines.")]
MemoryOption: TypeAlias = Annotated[
    int, typer.Option("--memory", metavar="MB", help="Of a serverless endpoint: 1024 to 6144 in steps of 1024.")
]
ConcurrencyOption: TypeAlias = Annotated[
    int, typer.Option("--concurrency", metavar="N", help="Requests that a serverless endpoint answers at once.")
]
RoleOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--role", metavar="NAME|ARN", help="Role that the endpoint runs as; by default one is looked for."),
]
BucketOption: TypeAlias = Annotated[
    str | None, typer.Option("--bucket", metavar="NAME", help="By default sagemaker-REGION-ACCOUNT.")
]
ImageOption: TypeAlias = Annotated[
    str | None, typer.Option("--image", metavar="URI", help="An image of your own; by default AWS's for scikit-learn.")
]
TagsOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="A tag; may be given several times.")
]


def connected(region: str | None, profile: str | None) -> Clients:
    """Return the clients of an account."""
    from ...deploy.sagemaker.clients import Clients

    return Clients(region=region, profile=profile)


def patient(minutes: float) -> Patience:
    """Return how to wait, with progress as remarks."""
    from ...deploy.sagemaker.waiting import Patience

    return Patience(seconds=60 * minutes, progress=lambda line: notes.print(shown(line)))


def settings(
    name: str,
    serverless: bool,
    types: str | None,
    instances: int,
    memory: int,
    concurrency: int,
    role: str | None,
    bucket: str | None,
    image: str | None,
    tags: list[str] | None,
) -> Settings:
    """Return the settings that the options say."""
    from ...deploy.sagemaker.plan import Settings, parsed_tags

    given: dict[str, Any] = {}
    if types is not None:
        given["instance_types"] = tuple(types.split(","))
    if tags:
        given["tags"] = parsed_tags(tags)
    return Settings(
        name=name,
        serverless=serverless,
        instances=instances,
        memory_mb=memory,
        concurrency=concurrency,
        role=role,
        bucket=bucket,
        image=image,
        **given,
    )
