"""``convlens study``: list, run, show, export, verify and tune the studies of the catalogue, one file a verb."""

import typer

from .export import export
from .listing import listed
from .run import run
from .show import show
from .tune import tune
from .verify import verify

app = typer.Typer(
    help="Studies answer a question with many trainings: list them, run one, show its result.\n\n"
    "Example: [bold]convlens study run kernel-size --profile quick[/bold]",
    no_args_is_help=True,
)
app.command("list")(listed)
app.command("run")(run)
app.command("show")(show)
app.command("export")(export)
app.command("verify")(verify)
app.command("tune")(tune)
