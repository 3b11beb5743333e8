"""``convlens summary``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .options import (
    FiltersOption,
    JsonFlag,
    KernelOption,
    PaddingOption,
    PoolingOption,
    architecture_options,
    out,
    print_json,
)


def summary(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name, a TOML file, or a saved model.")],
    kernel_size: KernelOption = None,
    filters: FiltersOption = None,
    padding: PaddingOption = None,
    pooling: PoolingOption = None,
    json: JsonFlag = False,
) -> None:
    """Show shapes, parameters, FLOPs, receptive field and stride of every layer.

    Example: [bold]convlens summary cnn --kernel-size 5[/bold]
    """
    from .. import models, nn
    from ..errors import ConfigurationError

    options = architecture_options(kernel_size, filters, padding, pooling)
    if Path(model).suffix == ".safetensors":
        if options:
            raise ConfigurationError(f"{model} is a saved model; leave out {', '.join(sorted(options))}")
        network = nn.load(model)
    elif model.endswith(".toml"):
        description = models.toml.read(Path(model))
        network = nn.Model(description.layers, description.input_shape or (28, 28, 1))
    else:
        network = models.build(model, **options)
    found = network.summary()
    if json:
        print_json(asdict(found))
    else:
        out.print(str(found), markup=False)
