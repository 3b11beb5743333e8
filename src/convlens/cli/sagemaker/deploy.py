"""``convlens sagemaker deploy``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...names import shown
from ...text_table import TextTable
from ..options import JsonFlag, notes, out, print_json
from .common import (
    BucketOption,
    ConcurrencyOption,
    ImageOption,
    InstancesOption,
    JournalsOption,
    MemoryOption,
    MinutesOption,
    NameOption,
    ProfileOption,
    RegionOption,
    RoleOption,
    ServerlessFlag,
    TagsOption,
    TypesOption,
    connected,
    patient,
    settings,
)

if TYPE_CHECKING:
    from ...deploy.sagemaker.doctor import Diagnosis


def deploy(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model saved by `convlens train --out`, or its archive.")
    ],
    name: NameOption = "convlens",
    serverless: ServerlessFlag = False,
    instance_type: TypesOption = None,
    instances: InstancesOption = 1,
    memory: MemoryOption = 2048,
    concurrency: ConcurrencyOption = 5,
    role: RoleOption = None,
    bucket: BucketOption = None,
    image: ImageOption = None,
    tag: TagsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be made, and make nothing.")] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Try even where the doctor says no-go, which may be a false alarm.")
    ] = False,
    minutes: MinutesOption = 30.0,
    journals: JournalsOption = Path("out/sagemaker"),
    region: RegionOption = None,
    profile: ProfileOption = None,
    json: JsonFlag = False,
) -> None:
    """Deploy a model to an endpoint, or put it behind the endpoint of this name.

    First everything is checked as by the doctor. A deployment that was stopped goes on when the command is repeated.
    One that fails shows why, and removes what it made. An endpoint costs money until it is destroyed. The exit code is
    4 if it is refused or fails, and 6 if AWS could not be asked; with --dry-run it is the doctor's.

    Example: [bold]convlens sagemaker deploy cnn.safetensors --name digits[/bold]
    """
    from ...deploy.sagemaker.deploy import deploy as put
    from ...deploy.sagemaker.doctor import doctor
    from ...deploy.sagemaker.source import read_archive

    wanted = settings(name, serverless, instance_type, instances, memory, concurrency, role, bucket, image, tag)
    clients = connected(region, profile)
    archive = read_archive(model)
    if dry_run:
        diagnosis = doctor(clients, wanted, archive)
        _show_plan(diagnosis, clients, json=json)
        raise typer.Exit(diagnosis.verdict.exit_code)
    done = put(clients, archive, wanted, folder=journals, patience=patient(minutes), check=not unchecked)
    if json:
        print_json(done.to_dict())
        return
    for note in done.notes:
        notes.print(shown(note))
    out.print(shown(f"endpoint {done.plan.endpoint}: {done.action}, in service in {done.plan.region}"))
    out.print(f"ask it: convlens sagemaker invoke {done.plan.endpoint} seven.png")
    out.print(f"stop its cost: convlens sagemaker destroy {done.plan.endpoint}")


def _show_plan(diagnosis: Diagnosis, clients: Any, *, json: bool) -> None:
    """Print the steps, the price and the verdict."""
    from ...deploy.sagemaker.deploy import planned_steps

    found = planned_steps(clients, diagnosis.plan)
    if json:
        listed = [{"what": one.what, "name": one.name, "action": one.action} for one in found]
        print_json({"steps": listed, **diagnosis.to_dict()})
        return
    rows = [(one.action, one.what, one.name) for one in found]
    out.print(TextTable("", ("", "what", "name"), rows, left=(0, 1, 2), names=(2,)))
    out.print(shown(f"price: {diagnosis.price}"))
    out.print(f"verdict: {diagnosis.verdict}; the reasons: convlens sagemaker doctor")
