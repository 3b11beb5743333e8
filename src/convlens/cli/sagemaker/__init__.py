"""``convlens sagemaker``: one file a verb."""

from __future__ import annotations

import typer

from . import package

app = typer.Typer(
    help="Deploy a model to Amazon SageMaker.\n\n"
    "Example: [bold]convlens sagemaker package cnn.safetensors --out model.tar.gz[/bold]",
    no_args_is_help=True,
)
app.command("package")(package.package)
