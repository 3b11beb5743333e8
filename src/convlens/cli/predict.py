"""``convlens predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import JsonFlag, out, percent, print_json

SURE = 0.9  # a lower probability is called unsure


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files.")],
    model: Annotated[Path, typer.Option("--model", help="A model that `convlens train --out` has saved.")],
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Take images as they are; they must be of the size the model takes.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Classify images.

    A model of the ten digits takes any picture of one: it is made like MNIST's digits first, and what was done is told.

    Example: [bold]convlens predict --model cnn.safetensors seven.png[/bold]
    """
    import numpy as np

    from .. import pictures
    from ..nn import load

    network = load(model)
    if as_is or not pictures.reads_digits(network.class_names, network.input_shape):
        read = [(pictures.read_image(path, network.input_shape), pictures.Account()) for path in images]
    else:
        read = [pictures.prepare_digit(path, network.input_shape) for path in images]
    probabilities = network.predict_proba(np.stack([pixels for pixels, _ in read]))
    rows = [
        {
            "image": str(path),
            "class": network.class_names[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(network.class_names, map(float, row), strict=True)),
            **account.to_dict(),
            "unsure": bool(row.max() < SURE or account.warnings),
        }
        for path, row, (_, account) in zip(images, probabilities, read, strict=True)
    ]
    if json:
        print_json(rows)
        return
    for row in rows:
        _show(row)


def _show(row: dict[str, Any]) -> None:
    """Print one prediction, what was done to the image, and every reason for doubt."""
    out.print(f"{row['image']}: {row['class']} ({percent(row['probability'])})", markup=False)
    if row["done"]:
        out.print(f"  {', '.join(row['done'])}", markup=False)
    reasons = list(row["warnings"])
    if row["probability"] < SURE:
        names = sorted(row["probabilities"], key=row["probabilities"].__getitem__, reverse=True)
        second = names[1]
        reasons.append(f"the model gives {second} {percent(row['probabilities'][second])}")
    if reasons:
        out.print(f"  unsure: {'; '.join(reasons)}", markup=False)
