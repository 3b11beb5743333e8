"""The control for shuffled pixels: a dense network does not care, if its weights are shuffled alike."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError
from ..nn import Model
from ..program import INPUT, Node, Program
from .result import Result, Table
from .values import checked


@dataclass(frozen=True)
class PermutedDense(Result):
    """How far the outputs of a dense network change when pixels and first-layer weights are shuffled alike.

    Attributes
    ----------
    images
        Number of images.
    difference
        The largest difference between two logits, as a share of the largest logit: rounding, about 1e-6, since the
        same products are summed in another order.
    same_predictions
        Whether every image is given the same class.
    unmatched
        The same difference if only the pixels are shuffled: what the control rules out.
    """

    images: int
    difference: float
    same_predictions: bool
    unmatched: float

    def table(self) -> Table:
        rows = [
            ("pixels and weights", f"{self.difference:.1e}"),
            ("pixels alone", f"{self.unmatched:.1e}"),
            ("same predictions", "yes" if self.same_predictions else "no"),
        ]
        return f"shuffled alike ({self.images:,} images): change of the logits", ("shuffled", "largest / largest"), rows


def permuted_dense(model: Model, permutation: npt.ArrayLike, images: npt.ArrayLike) -> PermutedDense:
    """Shuffle pixels, and the rows of the first dense layer's weights with them, and compare the logits.

    With y = x W + b, and p a permutation of the inputs, sum over i of x[p[i]] * W[p[i]] is the same sum: a dense
    network has no notion of where pixels are, so shuffled images are no harder for it. A convolution has.

    Parameters
    ----------
    model
        Whose first layer with weights is dense, and sees the pixels as they are.
    permutation
        (H * W,) the numbers 0..H*W-1 in another order: pixel i of a shuffled image, counted row by row, is pixel
        permutation[i] of the image; its channels stay together.
    images
        As for `Model.logits`, at least one.

    Raises
    ------
    ConfigurationError
        If the first layer with weights is not dense, or `permutation` is none of the pixels.

    Examples
    --------
    >>> from convlens import lens, models
    >>> images = np.random.default_rng(0).integers(0, 255, (5, 28, 28, 1), np.uint8)
    >>> lens.permuted_dense(models.build("baseline"), np.arange(784)[::-1], images).same_predictions
    True
    """
    batch, node = checked(model, images), _first_dense(model.program)
    height, width, channels = model.input_shape
    order = np.asarray(permutation)
    if order.shape != (height * width,) or not np.array_equal(np.sort(order), np.arange(height * width)):
        raise ConfigurationError(f"a permutation is the numbers 0 to {height * width - 1} in any order, one a pixel")
    if not len(batch):
        raise ConfigurationError("the control takes at least one image")
    moved = batch.reshape(len(batch), -1, channels)[:, order].reshape(batch.shape)
    matched = copy.deepcopy(model)
    rows = matched.parameters[f"{node.name}.w"].reshape(height * width, channels, -1)  # a view
    rows[...] = rows[order]
    try:
        before, after, unmatched = model.logits(batch), matched.logits(moved), model.logits(moved)
    finally:
        matched.engine.close()
    scale = float(np.abs(before).max()) or 1.0
    return PermutedDense(
        len(batch),
        float(np.abs(after - before).max()) / scale,
        bool((after.argmax(axis=1) == before.argmax(axis=1)).all()),
        float(np.abs(unmatched - before).max()) / scale,
    )


def _first_dense(program: Program) -> Node:
    """Return the dense node that reads the flattened input."""
    name = INPUT
    while True:
        readers = program.consumers(name)
        if len(readers) == 1 and readers[0].op == "dense":
            return readers[0]
        if len(readers) != 1 or readers[0].op != "reshape":
            raise ConfigurationError(
                "the control is for networks whose first layer with weights is dense, such as the baseline"
            )
        name = readers[0].name
