"""The images that make a unit most active: what it looks for, shown by examples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, ShapeError
from ..nn import Model
from ..typing import FloatArray, IntArray
from .result import Result, Table
from .unit import seen_by
from .values import checked, find, value

_BLOCK_NUMBERS = 2**24  # values that are computed together


@dataclass(frozen=True, eq=False)
class MostActive(Result):
    """The images that make the units of a node most active; of a map, every channel is a unit.

    Attributes
    ----------
    node
        Its name.
    images
        Number of images among which they were sought.
    index
        (units, M) places of the images among all, the strongest first; of equals, the first image.
    values
        (units, M) the largest value of the unit in that image.
    places
        (units, M, 2) where in its map that is, (row, column): the first of equals. 0 for a flat value.
    sees
        (units, M, 4) the rectangle of the image that is seen there: top, left, bottom, right; see `UnitArithmetic`.
    """

    node: str
    images: int
    index: IntArray
    values: FloatArray
    places: IntArray
    sees: IntArray

    def table(self) -> Table:
        rows = [
            (place, ", ".join(map(str, index[:5])), f"{values[0]:.4g}")
            for place, (index, values) in enumerate(zip(self.index.tolist(), self.values.tolist(), strict=True))
        ]
        return f"images that make {self.node} most active", ("unit", "images", "largest value"), rows


def most_active(model: Model, images: npt.ArrayLike, node: str, count: int = 9) -> MostActive:
    """Return, for every unit of a node, the images in which its largest value is largest.

    For channel k of a map v it orders the images n by the maximum over (i, j) of v[n, i, j, k], and tells where in the
    image that maximum looks. Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV
    2014, figure 2 (the patches, without the projection).

    Parameters
    ----------
    model
        Any model.
    images
        (N, H, W, C), as for `Model.logits`.
    node
        Name of a node.
    count
        Number of images for each unit, M; all of them if there are fewer.

    Raises
    ------
    ConfigurationError
        If the node is unknown, or `count` is not a whole number above 0.
    ShapeError
        If there are no images.

    Examples
    --------
    >>> from convlens import lens, models
    >>> draw = np.random.default_rng(0)
    >>> found = lens.most_active(models.build("cnn"), draw.integers(0, 255, (20, 28, 28, 1), np.uint8), "relu1", 3)
    >>> found.index.shape, found.sees[0, 0, 2] - found.sees[0, 0, 0]
    ((16, 3), np.int64(3))
    """
    batch, shape = checked(model, images), find(model.program, node).output_shape
    if not len(batch):
        raise ShapeError("the most active images are sought among at least one")
    if type(count) is not int or count < 1:
        raise ConfigurationError(f"the number of images for each unit is a whole number above 0, not {count!r}")
    size = max(1, _BLOCK_NUMBERS // int(np.prod(shape)))
    parts = [_strongest(value(model, batch[start : start + size], node)) for start in range(0, len(batch), size)]
    values, cells = (np.concatenate(one) for one in zip(*parts, strict=True))  # (N, units) each
    index = np.argsort(-values, axis=0, kind="stable")[:count].T  # (units, M)
    units = np.arange(len(index))[:, None]
    rows, columns = np.divmod(cells[index, units], shape[1] if len(shape) == 3 else 1)
    sees = [
        [seen_by(model.program, node, (i, j, 0)) for i, j in zip(*one, strict=True)]
        for one in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    corners = np.array([[(f.top, f.left, f.bottom, f.right) for f in one] for one in sees], np.int64)
    return MostActive(node, len(batch), index, values[index, units], np.stack([rows, columns], axis=2), corners)


def _strongest(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the largest value of every channel, (N, units), and in which of its H * W cells it is."""
    flat = values.reshape(len(values), -1, values.shape[-1])  # (N, H * W, units)
    cells: IntArray = flat.argmax(axis=1)
    return np.take_along_axis(flat, cells[:, None], axis=1)[:, 0], cells
