"""The command ``convlens``: its verbs, and how errors leave it.

A wrong request, a wrong file or an unwritable place is one clear line on standard error and exit code 2; a training
that diverged is 3; Ctrl-C is 130, after saving. Rooms are imported by the verbs that need them, so ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from ..errors import ConvlensError, nearest
from ..version import __version__
from . import data, evaluate, predict, reproduce, summary, train

# typer carries its own copy of click; of that copy's errors, this is the base that can be reached by a public name
UsageError: Any = typer.BadParameter.__base__

app = typer.Typer(
    name="convlens",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Find out why convolutional layers work, and when they do not: train, compare, look inside.\n\n"
    "Example: [bold]convlens train cnn --epochs 3 --out cnn.safetensors[/bold]",
)
app.command("reproduce")(reproduce.reproduce)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("summary")(summary.summary)
app.add_typer(data.app, name="data")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"convlens {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version  # its callback has done the work


def main() -> None:
    """Run the command line."""
    try:
        code = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except ConvlensError as error:
        _fail(str(error), error.exit_code)
    except UsageError as error:
        _fail(_usage(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        _fail("stopped", 130)
    except BrokenPipeError:  # whoever read our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Any) -> str:
    """Say in one line what is wrong with a command, and where to read on."""
    option = getattr(error, "option_name", None)
    message = str(error.format_message()).rstrip(".")
    if option is not None and error.ctx is not None:
        known = [name for parameter in error.ctx.command.params for name in parameter.opts if name[0] == "-"]
        message = f"no such option: {option}{nearest(option, known)}"
    return f"{message} (see {error.ctx.command_path} --help)" if error.ctx else message


def _fail(message: str, code: int) -> None:
    line = " ".join(message.split())
    print(f"convlens: {line}", file=sys.stderr)  # noqa: T201 - the one place where errors are printed
    sys.exit(code)


if __name__ == "__main__":
    main()
