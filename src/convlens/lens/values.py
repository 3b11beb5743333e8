"""What a network computes on the way: the values of its nodes, and its filters.

A value is named after the node that computes it (``"conv1"``, ``"relu1"``; ``model.summary()`` lists them), and the
prepared images are ``"input"``. Dropout does nothing here, and batch normalisation uses its running statistics, as in
prediction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .. import engine
from ..errors import ConfigurationError, nearest
from ..memory import require
from ..nn import Model
from ..nn.scale import refusal_of_pixels, require_scaled, takes_pixels
from ..program import INPUT, Node, Program
from ..typing import Array, FloatArray, Shape


def find(program: Program, name: object) -> Node:
    """Return the node of that name; ConfigurationError names the nearest."""
    for node in program.nodes:
        if node.name == name:
            return node
    raise ConfigurationError(f"the model has no node {name!r}{nearest(str(name), [one.name for one in program.nodes])}")


def up_to(program: Program, name: str) -> Program:
    """Return the Program that computes the value `name`, as a vector, and uses the same flat parameters."""
    node = find(program, name)
    size = math.prod(node.output_shape)
    vector = Node(f"{name}:vector", "reshape", (name,), (node.output_shape,), (size,))
    return replace(program, nodes=(*program.nodes[: program.nodes.index(node) + 1], vector))


def shape_of(program: Program, name: str) -> Shape:
    """Return the image shape of a value, the input's included."""
    return program.input_shape if name == INPUT else find(program, name).output_shape


def activations(model: Model, images: npt.ArrayLike, nodes: Iterable[str] | None = None) -> dict[str, FloatArray]:
    """Return the values of nodes by name, in the order of the Program.

    Each is computed by the model's own engine, which runs the network up to that node, so nothing but what is asked for
    is kept, and the bits are the same for any number of threads and on every processor that the compiled engine runs
    on.

    Parameters
    ----------
    model
        Any model.
    images
        As for `Model.logits`: pixels are prepared, floats are the network's input.
    nodes
        Names of the nodes; all of them if None. ``"input"`` gives the prepared images.

    Returns
    -------
    dict
        (N, H, W, C) or (N, D) by name.

    Raises
    ------
    ConfigurationError
        If a node is unknown (the message names the nearest), or the values do not fit into memory.
    DataError, ShapeError
        If the images are not as for `Model.logits`.

    Examples
    --------
    >>> from convlens import lens, models
    >>> found = lens.activations(models.build("cnn"), np.zeros((2, 28, 28, 1), np.uint8), ["pool1", "pool2"])
    >>> {name: value.shape for name, value in found.items()}
    {'pool1': (2, 14, 14, 16), 'pool2': (2, 7, 7, 32)}
    """
    batch, wanted = checked(model, images), in_order(model.program, nodes)
    numbers = sum(math.prod(shape_of(model.program, name)) for name in wanted)
    require(
        model.flat.itemsize * len(batch) * numbers,
        f"values of {len(wanted)} nodes for {len(batch):,} images",
        "ask for fewer nodes, or give fewer images",
    )
    return {name: value(model, batch, name) for name in wanted}


def in_order(program: Program, nodes: Iterable[str] | None = None) -> list[str]:
    """Return names of values in the order of the Program; those of all nodes if None."""
    if nodes is None:
        return [node.name for node in program.nodes]
    if isinstance(nodes, str):
        raise ConfigurationError(f"nodes are a list of names, such as [{nodes!r}], not one name")
    wanted = set(nodes)
    for name in wanted - {INPUT}:
        find(program, name)
    return [name for name in (INPUT, *(node.name for node in program.nodes)) if name in wanted]


def checked(model: Model, images: npt.ArrayLike) -> Array:
    """Return images as a batch, uint8 or floats (N, H, W, C), that the model can take.

    Raises
    ------
    DataError, ShapeError, ConfigurationError
        If they are not as for `Model.logits`, or pixels and the model was trained on floats.
    """
    batch = model.preprocessing.as_batch(images)
    require_scaled(batch, model.training, model.preprocessing)
    if batch.dtype == np.uint8 and takes_pixels(model.training, model.preprocessing) is False:
        raise ConfigurationError(refusal_of_pixels(model.training))
    return batch


def prepared(model: Model, batch: Array) -> FloatArray:
    """Return a batch as the network reads it, (N, H, W, C), of the type of its parameters."""
    x: FloatArray = model.preprocessing(batch) if batch.dtype == np.uint8 else batch  # floats are the input as they are
    return x.astype(model.flat.dtype, copy=False)


def value(model: Model, batch: Array, name: str) -> FloatArray:
    """Return the value of one node for a checked batch, (N, *shape)."""
    if name == INPUT:
        return prepared(model, batch)
    with _running(model, up_to(model.program, name)) as running:
        if batch.dtype == np.uint8:
            found = running.logits(batch, model.preprocessing.fill)
        else:
            found = running.logits(batch.astype(model.flat.dtype, copy=False))
    shaped: FloatArray = found.reshape(len(batch), *find(model.program, name).output_shape)
    return shaped


@contextmanager
def _running(model: Model, program: Program) -> Iterator[engine.Engine]:
    """Run a part of the model's Program with an engine like the model's."""
    own = model.engine
    running = engine.start(program, model.flat, own.name, own.threads, model.flat_buffers)
    try:
        yield running
    finally:
        running.close()


def filters(model: Model) -> dict[str, Array]:
    """Return the kernels of every convolution by node name, one kernel after the other: (C_out, KH, KW, C_in).

    Those of a locally connected layer, which has one for every output pixel, are (H_out, W_out, C_out, KH, KW, C_in).
    They are copies: writing into them does not change the model.

    Examples
    --------
    >>> from convlens import lens, models
    >>> {name: one.shape for name, one in lens.filters(models.build("cnn")).items()}
    {'conv1': (16, 3, 3, 1), 'conv2': (32, 3, 3, 16)}
    """
    return {
        node.name: np.ascontiguousarray(np.moveaxis(model.parameters[f"{node.name}.w"], -1, -4))
        for node in model.program.nodes
        if node.op in ("conv2d", "local2d")
    }
