"""Named architectures: configuration in, layers out. To add one, add a row to `ARCHITECTURES`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, nearest
from ..nn import Model
from ..nn.model import lower
from ..typing import Shape
from . import toml
from .architectures import CNN, Architecture, DenseNet
from .matching import matched_cnn, matched_dense, measure

__all__ = [
    "ARCHITECTURES",
    "CNN",
    "Architecture",
    "DenseNet",
    "architecture",
    "build",
    "matched_cnn",
    "matched_dense",
    "measure",
    "names",
]

# makes an architecture from options, for an image shape and a number of classes
Maker = Callable[[Mapping[str, Any], Shape, int], Architecture]

ARCHITECTURES: dict[str, tuple[type[Architecture], str, Maker]] = {
    "baseline": (DenseNet, DenseNet.about, lambda options, _shape, _classes: DenseNet(**options)),
    "baseline-wide": (
        DenseNet,
        "dense, as many parameters as the CNN",
        lambda _options, shape, classes: matched_dense(CNN(), "parameters", shape, classes),
    ),
    "baseline-flops": (
        DenseNet,
        "dense, as many FLOPs as the CNN",
        lambda _options, shape, classes: matched_dense(CNN(), "flops", shape, classes),
    ),
    "cnn": (CNN, CNN.about, lambda options, _shape, _classes: CNN(**options)),
}
_WITHOUT_OPTIONS = ("baseline-wide", "baseline-flops")


def names() -> dict[str, str]:
    """Return the named architectures and what each is."""
    return {name: about for name, (_, about, _) in ARCHITECTURES.items()}


def architecture(name: str, input_shape: Shape, classes: int, **options: Any) -> Architecture:
    """Return a named architecture with its options.

    Raises
    ------
    ConfigurationError
        If the name or an option is unknown; the message names the nearest right one.
    """
    if name not in ARCHITECTURES:
        raise ConfigurationError(
            f"unknown model {name!r}{nearest(name, ARCHITECTURES)} (or name a TOML file that describes one)"
        )
    cls, _, make = ARCHITECTURES[name]
    known = () if name in _WITHOUT_OPTIONS else tuple(field.name for field in fields(cls))
    for option in options:
        if option not in known:
            hint = nearest(option, known) or "; it has none"
            raise ConfigurationError(f"model {name!r} has no option {option!r}{hint}")
    return make(options, input_shape, classes)


def build(
    name: str | os.PathLike[str],
    *,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    **options: Any,
) -> Model:
    """Build a model by name.

    Parameters
    ----------
    name
        A key of `ARCHITECTURES`, or the path of a TOML file (see `convlens.models.toml`).
    input_shape, classes, class_names
        Those of the data set.
    seed
        Of the initial weights.
    options
        Of the architecture, such as ``kernel_size=5`` for ``"cnn"``.

    Raises
    ------
    ConfigurationError
        If a name or an option is unknown or out of range.
    ShapeError
        If the layers do not fit the images.

    Examples
    --------
    >>> from convlens import models
    >>> models.build("cnn", kernel_size=5).program.parameter_count
    215370
    """
    shape = tuple(input_shape)
    if str(name).endswith(".toml"):
        if options:
            raise ConfigurationError(f"{name} describes the whole model; leave out {', '.join(sorted(options))}")
        description = toml.read(Path(name))
        if description.input_shape is not None and description.input_shape != shape:
            raise ConfigurationError(
                f"{name} is for images of shape {description.input_shape}, and the data has {shape}"
            )
        layers = description.layers
    else:
        layers = architecture(str(name), shape, classes, **options).layers(classes)
    outputs = lower(layers, shape).output_shape[0]
    if outputs != classes:
        raise ConfigurationError(f"{name} ends in {outputs} outputs, and the data has {classes} classes")
    return Model(layers, shape, seed, class_names=class_names)
