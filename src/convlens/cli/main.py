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
from ..names import shown
from ..signals import STOPPED_CODE, STOPPED_LINE, ignore
from ..version import __version__
from . import (
    bench,
    compare,
    data,
    evaluate,
    lab,
    look,
    predict,
    reproduce,
    sagemaker,
    serve,
    speedrun,
    study,
    summary,
    train,
    verify,
)
from .console import discard, reader_has_gone, show_everything
from .options import notes, out

# typer bundles its own click; this is the base of that copy's errors, reached by a public name
UsageError: Any = typer.BadParameter.__base__

NARROW = 76  # columns of a terminal
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

app = typer.Typer(
    name="convlens",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find out why convolutional layers work, and when they do not: train, compare, look inside.\n\n"
    "Example: [bold]convlens train cnn --epochs 3 --out cnn.safetensors[/bold]",
)
app.command("reproduce")(reproduce.reproduce)
app.command("train")(train.train)
app.command("speedrun")(speedrun.speedrun)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("predict")(predict.predict)
app.command("serve")(serve.serve)
app.command("look")(look.look)
app.command("summary")(summary.summary)
app.command("bench")(bench.bench)
app.command("lab")(lab.lab)
app.command("verify")(verify.verify)
app.add_typer(data.app, name="data")
app.add_typer(study.app, name="study")
app.add_typer(sagemaker.app, name="sagemaker")


@app.command("help", hidden=True)
def _help(words: Annotated[list[str] | None, typer.Argument(metavar="[VERB]...")] = None) -> None:
    """Show the help of a verb: what ``convlens VERB --help`` shows."""
    _command()(args=[*(words or ()), "--help"], prog_name="convlens", standalone_mode=False)


@app.command("version", hidden=True)
def _version() -> None:
    """Show the version: what ``convlens --version`` shows."""
    _show_version(True)


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
        code = _command()(args=sys.argv[1:] or ["--help"], prog_name="convlens", standalone_mode=False)
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


def _command() -> Any:
    """Return the command; on a narrow terminal with plain help, because Typer's boxes cut the names of options."""
    if out.room is None or out.room >= NARROW:
        return app
    app.rich_markup_mode = None
    command = typer.main.get_command(app)
    command.context_settings["terminal_width"] = out.room
    _without_markup(command)
    return command


def _without_markup(command: Any) -> None:
    command.help = (command.help or "").replace("[bold]", "").replace("[/bold]", "")
    command.short_help = " ".join(command.help.partition("\n\n")[0].split())  # whole: Typer would cut it
    for one in getattr(command, "commands", {}).values():
        _without_markup(one)


def _usage(error: Any) -> str:
    """Return one line that says what is wrong with a command, and where its help is."""
    option, message = getattr(error, "option_name", None), " ".join(str(error.format_message()).split()).rstrip(".")
    if error.ctx is None:
        return message
    command = error.ctx.command
    if type(error).__name__ == "NoArgsIsHelpError" and message:  # Typer has shown the help, but plain help not yet
        notes.print(error.format_message())
        message = ""
    if message.startswith("Invalid value for"):
        message = _invalid(error) or message
    elif option is not None and "o such option" in message:
        message = f"no such option: {option}{_nearest_option(option, command)}"
    elif message.startswith("No such command"):
        name = message.removeprefix("No such command ").partition(". Did you mean")[0].strip("'\"")
        message = f"no such command: {name}{nearest(name.lower(), _commands(command))}"
    elif "unexpected extra argument" in message and "--json" in sys.argv:
        message += "; --json takes no file here, it prints: end the command with > FILE"
    elif not message or message == "Missing command":  # a group alone: its help has been shown
        message = f"missing command: {', '.join(_commands(command))}"
    return f"{message} (see {error.ctx.command_path} --help)"


def _invalid(error: Any) -> str:
    """Return what an option takes, and what came, where Typer's message (by pydantic) says neither; else nothing."""
    problems = getattr(error.__cause__, "errors", None)
    if problems is None or getattr(error, "param", None) is None:
        return ""
    expected = "a whole number" if "integer" in error.format_message() else "a number"
    return f"{error.param.opts[0]} takes {expected}, not {problems()[0].get('input')!r}"


def _nearest_option(option: str, command: Any) -> str:
    """Return the hint for an unknown option: of a letter, the options that begin with it; of initials, such as lr."""
    known = [name for parameter in command.params for name in parameter.opts if name[:2] == "--"]
    asked = option.lower().lstrip("-").replace("_", "-")
    alike = [name for name in known if asked in (name[2], "".join(word[0] for word in name[2:].split("-")))]
    if alike:
        return f"; did you mean {' or '.join(map(repr, alike))}?"
    return nearest(f"--{asked}" if asked[1:] else "", known)


def _commands(group: Any) -> list[str]:
    return [name for name, one in getattr(group, "commands", {}).items() if not one.hidden]


def _fail(message: str, code: int) -> NoReturn:
    ignore()
    with contextlib.suppress(OSError):  # if the terminal is gone, only the exit code is left
        notes.print(f"convlens: {shown(message)}")
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit with this code; a further Ctrl-C does not change it."""
    ignore()
    sys.exit(code)


if __name__ == "__main__":
    main()
