"""``convlens predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonFlag, out, percent, print_json


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files of the size the model takes.")],
    model: Annotated[Path, typer.Option("--model", help="A model that `convlens train --out` has saved.")],
    json: JsonFlag = False,
) -> None:
    """Classify images.

    Example: [bold]convlens predict --model cnn.safetensors seven.png[/bold]
    """
    import numpy as np

    from .. import data
    from ..nn import load

    network = load(model)
    pixels = np.stack([data.read_image(path, network.input_shape) for path in images])
    probabilities = network.predict_proba(pixels)
    rows = [
        {
            "image": str(path),
            "class": network.class_names[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(network.class_names, map(float, row), strict=True)),
        }
        for path, row in zip(images, probabilities, strict=True)
    ]
    if json:
        print_json(rows)
        return
    for row in rows:
        out.print(f"{row['image']}: {row['class']} ({percent(float(str(row['probability'])))})")
