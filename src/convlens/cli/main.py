"""The command ``convlens``: its verbs, and its exit codes.

A wrong option, a bad file, an unwritable path or a full disk gives one line on standard error and exit code 2; a
training that diverged gives 3; Ctrl-C, SIGTERM and SIGHUP give 130, after saving; a closed output pipe gives 1.
Packages are imported by the verbs that need them, so that ``--help`` is fast.
"""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import Annotated, Any, NoReturn

import typer

from ..errors import ConvlensError, nearest
from ..signals import STOPPED_CODE, STOPPED_LINE, ignore
from ..version import __version__
from . import bench, data, evaluate, predict, reproduce, speedrun, study, summary, train, verify
from .console import discard, reader_has_gone, show_everything

# typer bundles its own click; this is the base of that copy's errors, reached by a public name
UsageError: Any = typer.BadParameter.__base__

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

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
app.command("speedrun")(speedrun.speedrun)
app.command("evaluate")(evaluate.evaluate)
app.command("predict")(predict.predict)
app.command("summary")(summary.summary)
app.command("bench")(bench.bench)
app.command("verify")(verify.verify)
app.add_typer(data.app, name="data")
app.add_typer(study.app, name="study")


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
    del version  # handled by its callback


def main() -> None:
    """Run the command line."""
    show_everything()
    try:
        code = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
        sys.stdout.flush()
        if code == STOPPED_CODE:  # typer swallows the KeyboardInterrupt and returns this
            raise KeyboardInterrupt
    except ConvlensError as error:
        _fail(str(error), error.exit_code)
    except UsageError as error:
        _fail(_usage(error), 2)
    except MemoryError as error:
        _fail(f"there is not enough memory ({error}); choose a smaller network, fewer or smaller images, or a machine "
              "with more", 2)  # fmt: skip
    except (KeyboardInterrupt, typer.Abort):
        _fail(STOPPED_LINE, STOPPED_CODE)
    except OSError as error:
        if reader_has_gone(error):  # as `head` does
            discard(sys.stdout)
            _leave(1)
        if error.errno not in NO_ROOM:
            raise
        discard(sys.stdout)
        _fail(f"cannot write the output: {error.strerror}; free some space", 2)
    _leave(code if isinstance(code, int) else 0)


def _usage(error: Any) -> str:
    """Return one line that says what is wrong with a command, and where its help is."""
    option = getattr(error, "option_name", None)
    message = str(error.format_message()).rstrip(".")
    if option is not None and error.ctx is not None:
        known = [name for parameter in error.ctx.command.params for name in parameter.opts if name[0] == "-"]
        message = f"no such option: {option}{nearest(option, known)}"
    if not message and error.ctx is not None:  # a group alone: its help has been shown
        message = f"missing command: {', '.join(error.ctx.command.commands)}"
    return f"{message} (see {error.ctx.command_path} --help)" if error.ctx else message


def _fail(message: str, code: int) -> NoReturn:
    ignore()
    line = " ".join(message.split())
    with contextlib.suppress(OSError):  # if the terminal is gone, only the exit code is left
        print(f"convlens: {line}", file=sys.stderr, flush=True)  # noqa: T201 - the one place where errors are printed
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit with this code; a further Ctrl-C does not change it."""
    ignore()
    sys.exit(code)


if __name__ == "__main__":
    main()
