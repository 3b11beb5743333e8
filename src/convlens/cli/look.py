"""``convlens look``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigurationError
from ..names import shown
from .intake import PrepareOption
from .options import JsonFlag, notes, out, percent, print_json, whole_numbers


def look(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model saved by `convlens train --out`.")],
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file.")],
    folder: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Write the page, its figures and the numbers there.")
    ],
    target: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Attribute this class; by default the most probable one."),
    ] = None,
    shift: Annotated[
        str, typer.Option("--shift", metavar="DOWN,RIGHT", help="Pixels by which equivariance is measured.")
    ] = "0,3",
    as_digits: PrepareOption = None,
    json: JsonFlag = False,
) -> None:
    """Look at an image inside a network.

    Writes a page with the values of every layer, the filters, one unit's arithmetic, attributions each beside its
    check with re-drawn weights, and what becomes of it all when the image moves; and every number as JSON.

    Example: [bold]convlens look cnn.safetensors seven.png --out look[/bold]
    """
    from ..report.look import NUMBERS, PAGE, write_look

    expected = "two whole numbers of pixels such as 0,3"
    steps = whole_numbers("--shift", shift, ",", expected)
    if len(steps) != 2:
        raise ConfigurationError(f"--shift takes {expected}, not {shift!r}")
    found = write_look(
        model,
        image,
        folder,
        target=target,
        shift=(steps[0], steps[1]),
        prepare=as_digits,
        progress=lambda line: notes.print(line, markup=False),
    )
    if json:
        print_json(found)
    else:
        prediction = found["prediction"]
        out.print(shown(f"{image}: {prediction['class']} ({percent(prediction['probability'])})"))
        out.print(shown(f"written to {folder}: {PAGE}, {NUMBERS}, figures"))
