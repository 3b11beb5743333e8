"""``convlens sagemaker package``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...names import shown
from ..options import JsonFlag, print_json
from ..options import out as console


def package(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by `convlens train --out`.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The archive, such as model.tar.gz.")],
    json: JsonFlag = False,
) -> None:
    """Pack a model for SageMaker: weights, manifest, and the module that its ready-made images call.

    The same model gives the same bytes.

    Example: [bold]convlens sagemaker package cnn.safetensors --out model.tar.gz[/bold]
    """
    from ...deploy.sagemaker.package import package as pack

    packed = pack(model, out)
    if json:
        print_json(packed.to_dict())
        return
    console.print(shown(f"{packed.path}: {packed.size:,} bytes, sha256 {packed.sha256}"))
    for name, about in packed.manifest["files"].items():
        console.print(f"  {name}: {about['bytes']:,} bytes, sha256 {about['sha256']}")
