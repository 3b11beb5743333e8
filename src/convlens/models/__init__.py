"""Named architectures: configuration in, layers out. To add one, add a row to `ARCHITECTURES`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigurationError, nearest
from ..nn import Layer, Model, load
from ..nn.model import lower
from ..plain import choose, require
from ..typing import Shape
from . import toml
from .architectures import CNN, Architecture, DenseNet
from .matching import Matched, Measure, dense_of, match, measure

__all__ = [
    "ARCHITECTURES",
    "CNN",
    "Architecture",
    "DenseNet",
    "Matched",
    "Measure",
    "architecture",
    "build",
    "dense_of",
    "match",
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
        lambda _options, shape, classes: _dense("parameters", shape, classes),
    ),
    "baseline-flops": (
        DenseNet,
        "dense, as many FLOPs as the CNN",
        lambda _options, shape, classes: _dense("flops", shape, classes),
    ),
    "local": (
        CNN,
        "the CNN without weight sharing: every position has kernels of its own",
        lambda options, _shape, _classes: CNN(**{"shared": False, **options}),
    ),
    "cnn": (CNN, CNN.about, lambda options, _shape, _classes: CNN(**options)),
}
_WITHOUT_OPTIONS = ("baseline-wide", "baseline-flops")


def _dense(what: Measure, shape: Shape, classes: int) -> DenseNet:
    """Return the dense net as large as the CNN in a measure; its second layer is half as wide as its first."""
    return match(lambda n: DenseNet((n, max(1, n // 2))), CNN(), what, input_shape=shape, classes=classes)[0]


def names() -> dict[str, str]:
    """Return the named architectures and what each is."""
    return {name: about for name, (_, about, _) in ARCHITECTURES.items()}


def architecture(name: str, input_shape: Shape, classes: int, **options: Any) -> Architecture:
    """Return a named architecture with its options; the name may be in any case of letters.

    Raises
    ------
    ConfigurationError
        If the name or an option is unknown; the message names the nearest right one.
    """
    name = choose(name, ARCHITECTURES, "model", " (or name a TOML file that describes one, or a saved model)")
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
    """Build a model by name, or read a saved one.

    Parameters
    ----------
    name
        A key of `ARCHITECTURES`, in any case of letters; the path of a TOML file (see `convlens.models.toml`); or the
        path of a saved model, which is returned with its weights, to be trained further.
    input_shape, classes, class_names
        Those of the data set.
    seed
        Of the initial weights; a saved model keeps its own.
    options
        Of the architecture, such as ``kernel_size=5`` for ``"cnn"``.

    Raises
    ------
    ConfigurationError
        If a name or an option is unknown or out of range.
    ShapeError
        If the layers do not fit the images.
    ArtifactError
        If a saved model is damaged, or not convlens's.

    Examples
    --------
    >>> from convlens import models
    >>> models.build("cnn", kernel_size=5).program.parameter_count
    215370
    """
    require(name, (str, os.PathLike), "model", "'cnn', or the path of a TOML file or of a saved model")
    require(input_shape, (tuple, list, np.ndarray), "input_shape", "(28, 28, 1)")
    shape, path = tuple(input_shape), Path(name)
    is_file = str(name).casefold() not in ARCHITECTURES and path.suffix and path.is_file()
    if is_file or path.suffix.lower() in (".toml", ".safetensors"):
        if options:
            raise ConfigurationError(f"{name} describes the whole model; leave out {', '.join(sorted(options))}")
        if path.suffix.lower() != ".toml":
            return _saved(path, shape)
        layers = _described(path, shape)
    else:
        layers = architecture(str(name), shape, classes, **options).layers(classes)
    outputs = lower(layers, shape).output_shape[0]
    if outputs != classes:
        raise ConfigurationError(f"{name} ends in {outputs} outputs, and the data has {classes} classes")
    return Model(layers, shape, seed, class_names=class_names)


def _described(path: Path, shape: Shape) -> tuple[Layer, ...]:
    """Return the layers of a TOML file, for images of this shape."""
    description = toml.read(path)
    if description.input_shape is not None and description.input_shape != shape:
        raise ConfigurationError(f"{path} is for images of shape {description.input_shape}, and the data has {shape}")
    return description.layers


def _saved(path: Path, shape: Shape) -> Model:
    """Return a saved model, for images of this shape; training it checks the classes."""
    model = load(path)
    if model.input_shape != shape:
        raise ConfigurationError(f"{path} is for images of shape {model.input_shape}, and the data has {shape}")
    return model
