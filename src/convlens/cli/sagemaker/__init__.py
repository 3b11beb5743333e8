"""``convlens sagemaker``: one file a verb."""

from __future__ import annotations

import typer

from . import deploy, destroy, doctor, invoke, logs, package, rehearse, status

app = typer.Typer(
    help="Deploy a model to Amazon SageMaker.\n\n"
    "Example: [bold]convlens sagemaker package cnn.safetensors --out model.tar.gz[/bold]",
    no_args_is_help=True,
)
app.command("package")(package.package)
app.command("doctor")(doctor.doctor)
app.command("deploy")(deploy.deploy)
app.command("status")(status.status)
app.command("invoke")(invoke.invoke)
app.command("logs")(logs.logs)
app.command("destroy")(destroy.destroy)
app.command("rehearse")(rehearse.rehearse)
