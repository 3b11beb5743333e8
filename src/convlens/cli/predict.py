"""``convlens predict``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..names import shown
from .options import JsonFlag, out, print_json

if TYPE_CHECKING:
    from ..predictor import Prediction


def predict(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files.")],
    model: Annotated[Path, typer.Option("--model", help="A model saved by `convlens train --out`.")],
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Use images as they are; they must have the model's size.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Classify images.

    A model of the ten digits takes any picture of a digit: it is first made like MNIST's, and every step is listed.

    Example: [bold]convlens predict --model cnn.safetensors seven.png[/bold]
    """
    from ..predictor import Predictor

    predictions = Predictor(model, prepare=False if as_is else None).predict(images)
    if json:
        print_json([{"image": str(path), **one.to_dict()} for path, one in zip(images, predictions, strict=True)])
        return
    for path, prediction in zip(images, predictions, strict=True):
        _show(path, prediction)


def _show(path: Path, prediction: Prediction) -> None:
    """Print one prediction, what was done to the image, and every reason for doubt."""
    out.print(shown(f"{path}: {prediction}"))
    if prediction.account.changed:
        out.print(f"  {prediction.account}")
    if prediction.unsure:
        out.print(shown(f"  unsure: {'; '.join(prediction.doubts)}"))
