"""``convlens sagemaker rehearse``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...names import shown
from ..options import JsonFlag, notes, print_json
from ..options import out as console


def rehearse(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by `convlens train --out`.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the page and pictures go.")],
    profile: Annotated[
        str,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="Kind of account: open, learner-lab, no-passrole, scp-instance-type, boundary-tags, quota-0, "
            "simulate-denied, slow-start or unhealthy-model.",
        ),
    ] = "open",
    json: JsonFlag = False,
) -> None:
    """Deploy a model to an emulated SageMaker on this machine, ask it, update it and destroy it. Needs no account.

    The calls, the archive and the server are real; the account is not. Exit code 0 if everything went as it must,
    which includes that an account that forbids a deployment is known beforehand.

    Example: [bold]convlens sagemaker rehearse cnn.safetensors --out rehearsal --profile learner-lab[/bold]
    """
    from ...deploy.rehearsal import rehearse as run

    found = run(model, out, profile, progress=lambda line: notes.print(shown(line)))
    if json:
        print_json(found.to_dict())
    else:
        verdict = "everything went as it must" if found.right else "something went wrong"
        console.print(f"{verdict}; {'deployed' if found.deployed else 'not deployed'}; {len(found.calls)} calls")
        console.print(shown(f"the page: {found.files[0]}"))
    raise typer.Exit(found.exit_code)
