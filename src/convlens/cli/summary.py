"""``convlens summary``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..names import shown
from .options import (
    FiltersOption,
    JsonFlag,
    KernelOption,
    PaddingOption,
    PoolingOption,
    architecture_options,
    notes,
    out,
    print_json,
    refuse_options,
)

if TYPE_CHECKING:
    from ..program import Program

SHAPE, CLASSES = (28, 28, 1), 10  # MNIST's, where nothing else is named


def summary(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name, a TOML file, or a saved model.")],
    kernel_size: KernelOption = None,
    filters: FiltersOption = None,
    padding: PaddingOption = None,
    pooling: PoolingOption = None,
    json: JsonFlag = False,
) -> None:
    """Show shapes, parameters, FLOPs, receptive field and stride of every layer.

    Nothing is trained, and no weights are made, so a model of any size can be looked at.

    Example: [bold]convlens summary cnn --kernel-size 5[/bold]
    """
    from ..nn.summary import summarize

    found = summarize(_program(model, architecture_options(kernel_size, filters, padding, pooling)))
    if json:
        print_json(asdict(found))
    else:
        out.print(found.text_table())


def _program(model: str, options: dict[str, Any]) -> Program:
    """Return the Program of a saved model, of a TOML file's, or of a named one with its options."""
    from .. import models, nn
    from ..nn.model import lower

    refuse_options(model, options)
    name, path = model.lower(), Path(model)
    if name not in models.ARCHITECTURES and (path.is_file() or path.suffix == ".safetensors"):
        if path.suffix.lower() == ".toml":
            description = models.toml.read(path)
            if description.input_shape is None:
                shape = "x".join(map(str, SHAPE))
                notes.print(shown(f"{model} names no input_shape: shown for images of {shape}"))
            return lower(description.layers, description.input_shape or SHAPE)
        return nn.load(model).program
    if path.suffix.lower() == ".toml":
        models.toml.read(path)  # says why it cannot be read
    return lower(models.architecture(name, SHAPE, CLASSES, **options).layers(CLASSES), SHAPE)
