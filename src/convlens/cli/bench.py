"""``convlens bench``: speed, memory and time to an accuracy, compared with other libraries."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from ..names import shown
from .options import JsonFlag, ThreadsOption, duration, notes, out, print_json


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="One cell: a minute, and once 1.6 GB and minutes to install its peers.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="A cell or a pattern such as 'cnn-5x5-*'; may be repeated."),
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Number of times each peer is timed.")] = 6,
    threads: ThreadsOption = None,
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe for the time to 99.0 %.")] = "speedrun",
    environment: Annotated[
        Path | None,
        typer.Option("--environment", metavar="FOLDER", help="Folder of the peers' Python; by default in the cache."),
    ] = None,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the result.")] = Path("out/bench"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep earlier results in the folder; measure the rest.")
    ] = False,
    remove_environment: Annotated[
        bool, typer.Option("--remove-environment", help="Remove the peers' Python, and measure nothing.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Time the same work by convlens, PyTorch, JAX, ONNX Runtime, OpenVINO, scikit-learn and a textbook implementation.

    Installs the peers into a separate environment, about 1.6 GB; reports what cannot be installed or run, with the
    reason. Takes at most 15 minutes on two cores; an interrupted run is continued by the same command.

    Example: [bold]convlens bench --quick[/bold]
    """
    from ..bench.cells import MAIN
    from ..bench.environment import default_folder, remove
    from ..bench.run import BenchSettings
    from ..engine import available_threads
    from ..train import recipe as named_recipe

    if quick and only:
        raise ConfigurationError("choose --quick or --only, not both")
    place = (default_folder() if environment is None else environment).absolute()
    if remove_environment:
        out.print(f"removed {place}: {remove(place) / 1e6:,.0f} MB")
        return
    chosen = named_recipe(recipe)
    names = (MAIN,) if quick else tuple(only or ())
    here = available_threads() if threads is None else threads
    run(BenchSettings(names, rounds, 0.2, here, chosen, place, folder, resume), json=json)


def run(settings: object, *, json: bool) -> None:
    """Measure, report, and write the result."""
    from ..bench import run as measuring
    from ..bench.tables import markdown, terminal
    from ..figures import png
    from ..figures.speed import LOOK, draw_speed
    from ..files import write_atomically

    assert isinstance(settings, measuring.BenchSettings)
    begun = time.perf_counter()
    result = measuring.run(settings, notes.print)
    write_atomically(settings.folder / "speed.md", markdown(result).encode())
    figure = draw_speed(result, LOOK)
    if figure is not None:
        write_atomically(settings.folder / "speed.png", png(figure))
    if json:
        print_json(result)
        return
    for part in terminal(result):
        out.print(part)
    out.print(shown(f"{duration(time.perf_counter() - begun)}; result: {settings.folder / measuring.FILE}"))
