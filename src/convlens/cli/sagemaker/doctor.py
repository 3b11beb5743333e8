"""``convlens sagemaker doctor``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...names import shown
from ...text_table import TextTable
from ..options import JsonFlag, out, print_json
from .common import (
    BucketOption,
    ConcurrencyOption,
    ImageOption,
    InstancesOption,
    MemoryOption,
    NameOption,
    ProfileOption,
    RegionOption,
    RoleOption,
    ServerlessFlag,
    TagsOption,
    TypesOption,
    connected,
    settings,
)

if TYPE_CHECKING:
    from ...deploy.sagemaker.doctor import Diagnosis

_STYLES = {"allowed": "green", "denied": "red", "unknown": "yellow"}


def doctor(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="[MODEL]", help="The model to deploy, if it is there already.", show_default=False),
    ] = None,
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
    probe: Annotated[
        bool, typer.Option("--probe", help="Also try calls that would write, made so that they cannot succeed.")
    ] = False,
    region: RegionOption = None,
    profile: ProfileOption = None,
    json: JsonFlag = False,
) -> None:
    """Find out whether a deployment can succeed, before anything is made: what is missing, and which layer decides.

    Every permission, the role's trust, the quota, the image and the bucket are allowed, denied or unknown, with the
    evidence. Only reads are made. The exit code is 0 for go, 4 for no-go, 5 for unsure, and 6 if AWS could not be
    asked: out of reach, no credentials, or expired ones.

    Example: [bold]convlens sagemaker doctor cnn.safetensors[/bold]
    """
    from ...deploy.sagemaker.doctor import doctor as examine
    from ...deploy.sagemaker.plan import NO_ARCHIVE
    from ...deploy.sagemaker.source import read_archive

    wanted = settings(name, serverless, instance_type, instances, memory, concurrency, role, bucket, image, tag)
    clients = connected(region, profile)
    archive = read_archive(model) if model is not None else NO_ARCHIVE
    diagnosis = examine(clients, wanted, archive, probe=probe)
    if json:
        print_json(diagnosis.to_dict())
    else:
        _show(diagnosis)
    raise typer.Exit(diagnosis.verdict.exit_code)


def _show(diagnosis: Diagnosis) -> None:
    """Print who deploys where, every answer (denied ones first), what helps, the least policies, and the verdict."""
    plan, role = diagnosis.plan, diagnosis.role
    out.print(shown(f"caller: {plan.identity.arn}"))
    out.print(shown(f"role: {role.arn} ({role.source})" if role else "role: none is known"))
    out.print(shown(f"region: {plan.region}; endpoint: {plan.endpoint}; price: {diagnosis.price}"))
    order = ("denied", "unknown", "allowed")
    findings = sorted(
        diagnosis.findings, key=lambda one: (one.answer == "allowed", one.optional, order.index(one.answer))
    )
    rows = [
        ((one.answer, _STYLES[one.answer]), one.what + (" (optional)" if one.optional else ""), one.who, one.evidence)
        for one in findings
    ]
    out.print(TextTable("", ("answer", "what", "who", "evidence"), rows, left=(0, 1, 2, 3), names=(1,)))
    for one in findings:
        if one.advice:
            out.print()
            out.print(shown(str(one)))
            out.print(shown(f"  what helps: {one.advice}"))
    out.print()
    for title, document in diagnosis.policies.items():
        out.print(f"{'Trust policy of the role' if title == 'trust' else f'Least policy for the {title}'}:")
        out.print(json_format.dumps(document, indent=2), markup=False)
    out.print(f"verdict: {diagnosis.verdict}")
