"""Options that several verbs share, and small helpers for their output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ..errors import ConfigurationError
from ..files import require_distinct, require_writable, write_atomically
from ..names import shown
from ..wording import duration as duration
from ..wording import percent as percent
from .console import Screen

if TYPE_CHECKING:
    from ..data import Dataset

DataOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="NAME|PATH",
        help="A name from 'convlens data list', a folder of images or IDX files, or a CSV or npz file.",
    ),
]
SkipBrokenOption: TypeAlias = Annotated[
    bool, typer.Option("--skip-broken", help="Leave out image files that are broken or of another size than most.")
]
ResizeOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--resize",
        metavar="N|HxW",
        help="Resize the images of a folder: scaled to cover this size in pixels, the middle cut out.",
    ),
]
EngineOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--engine", metavar="NAME", help="numba, numpy or interpreter; by default the fastest."),
]
ThreadsOption: TypeAlias = Annotated[
    int | None, typer.Option("--threads", help="Number of threads; by default all that the process may use.")
]
JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SeedOption: TypeAlias = Annotated[
    int, typer.Option("--seed", help="Seed of the initial weights and of the order of images.")
]
KernelOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--kernel-size", metavar="N|HxW", help="Kernel size of every convolution, such as 5 or 3x5."),
]
FiltersOption: TypeAlias = Annotated[
    str | None, typer.Option("--filters", metavar="N,N", help="Filters of each block, such as 16,32.")
]
PaddingOption: TypeAlias = Annotated[str | None, typer.Option("--padding", help="same, valid or full.")]
PoolingOption: TypeAlias = Annotated[str | None, typer.Option("--pooling", help="max, average, blur, strided or none.")]
ModelArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="baseline, baseline-wide, baseline-flops, local, cnn, a TOML file, or a saved model.",
    ),
]


class _Notes(Screen):
    """A console that goes quiet when its pipe is closed, while the work goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


out = Screen()
notes = _Notes(stderr=True)  # progress and remarks, kept apart from results


def architecture_options(
    kernel_size: str | None, filters: str | None, padding: str | None, pooling: str | None
) -> dict[str, Any]:
    """Return the architecture options that were given, as arguments for `convlens.models.build`."""
    options: dict[str, Any] = {}
    if kernel_size is not None:
        sizes = whole_numbers("--kernel-size", kernel_size, "x", "a number such as 5, or two such as 3x5")
        options["kernel_size"] = sizes[0] if len(sizes) == 1 else sizes
    if filters is not None:
        options["filters"] = whole_numbers("--filters", filters, ",", "numbers with commas, such as 16,32")
    if padding is not None:
        options["padding"] = padding
    if pooling is not None:
        options["pooling"] = pooling
    return options


def image_size(resize: str | None) -> int | tuple[int, int] | None:
    """Return the value of ``--resize`` as `convlens.data.load` takes it."""
    if resize is None:
        return None
    expected = "a number of pixels such as 64, or height and width such as 48x64"
    sides = whole_numbers("--resize", resize, "x", expected)
    if len(sides) > 2:
        raise ConfigurationError(f"--resize takes {expected}, not {resize!r}")
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


def whole_numbers(option: str, text: str, separator: str, expected: str) -> tuple[int, ...]:
    """Parse an option's parts as integers; ConfigurationError names the option and what was expected."""
    try:
        return tuple(int(part) for part in text.lower().split(separator))
    except ValueError:
        raise ConfigurationError(f"{option} takes {expected}, not {text!r}") from None


def refuse_options(model: str, options: Mapping[str, Any]) -> None:
    """Raise ConfigurationError if options of a named model are given with a file, where they would change nothing."""
    from ..models import ARCHITECTURES

    path = Path(model)
    if not options or model.casefold() in ARCHITECTURES or not path.is_file():
        return
    because, instead = "is a saved model", "or give them with a model's name, such as cnn"
    if path.suffix.lower() == ".toml":
        because, instead = "describes the whole model", "or say the same in the file's layers"
    given = ", ".join(f"--{name.replace('_', '-')}" for name in options)
    raise ConfigurationError(f"{model} {because}; leave out {given}, {instead}")


def note_reading(dataset: Dataset) -> None:
    """Report how a data set was read, and the files left out of it: the first few, and the number of others."""
    for note in dataset.notes:
        notes.print(shown(note))
    skipped = dataset.provenance.get("skipped", [])
    for line in skipped[:5]:
        notes.print(shown(f"skipped {line}"))
    if len(skipped) > 5:
        notes.print(f"skipped {len(skipped) - 5:,} more; a result written with --json lists them all")


def print_json(value: object) -> None:
    """Print plain data as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_json(path: Path, value: object) -> None:
    """Write plain data to a file as JSON, atomically."""
    write_atomically(path, (json.dumps(value, indent=2, allow_nan=False) + "\n").encode())


def check_outputs(*paths: Path | None, inputs: Iterable[Path] = ()) -> None:
    """Raise OutputError if a file could not be written, is named twice, or is an input; called before any work."""
    wanted = [path for path in paths if path is not None]
    for path in wanted:
        require_writable(path)
    require_distinct(wanted, inputs)
