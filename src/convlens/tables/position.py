"""Images in which only the place of a blob matters: what a network that averages over places cannot see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..randomness import checked_seed, stream
from .table import Table, require_range

BACKGROUND, BLOB = 8, 8  # grey values 0 to 7 everywhere, and 8 more within the blob


@dataclass(frozen=True)
class Position:
    """A blob of 3 x 3 pixels on a noisy ground; the class is the quadrant in which its centre lies.

    Every class has the same blobs, the same brightness and the same noise.

    Parameters
    ----------
    count
        Number of images.
    size
        Height and width, in pixels; even.
    margin
        Fewest pixels between the blob and the edge.
    seed
        Of all draws.
    """

    count: int = 600
    size: int = 14
    margin: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        require_range("count", self.count, 8, 100_000)
        require_range("half the size", self.size / 2 if self.size % 2 else self.size // 2, 3, 32)
        require_range("margin", self.margin, 0, self.size // 2 - 3)
        checked_seed(self.seed)

    @property
    def sha256(self) -> str:
        return self._made.sha256

    def table(self) -> Table:
        return self._made

    @cached_property
    def _made(self) -> Table:
        draw, half = stream(self.seed, "generate", "position"), self.size // 2
        images = draw.integers(0, BACKGROUND, (self.count, self.size, self.size)).astype(np.float64)
        labels = np.arange(self.count, dtype=np.int64) % 4
        near = draw.integers(self.margin + 1, half, (self.count, 2))  # of the edge: row and column of the centre
        far = np.stack([labels // 2, labels % 2], axis=1) == 1
        centres = np.where(far, self.size - 1 - near, near)
        for image, (row, column) in zip(images, centres, strict=True):
            image[row - 1 : row + 2, column - 1 : column + 2] += BLOB
        return Table(images[..., np.newaxis], labels, ("upper left", "upper right", "lower left", "lower right"))
