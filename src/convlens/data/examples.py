"""Examples: images with their labels, gathered when they are first read, and every read counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError
from ..typing import Array, Float32, Labels, Shape, UInt8
from .gathering import gather
from .identity import ContentSums, content_sums
from .labels import check_labels
from .split import Indexes


class Examples:
    """Images with their labels. The pixels are gathered at the first access, and every access is counted.

    Parameters
    ----------
    name
        Which examples these are, for instance ``"test"``.
    images
        (N, H, W, C): pixels as uint8, which a model's preprocessing scales, or float32, which is the network's input
        as it is. May be memory-mapped.
    labels
        (N,) class numbers.
    sums
        SHA-256 of images and labels, if already known.

    Raises
    ------
    DataError
        If images or labels are of another type or shape, or differ in number.
    """

    def __init__(
        self, name: str, images: UInt8 | Float32, labels: npt.ArrayLike, sums: ContentSums | None = None
    ) -> None:
        if images.dtype not in (np.uint8, np.float32) or images.ndim != 4:
            raise DataError(
                f"{name}: images must be uint8 or float32 of shape (N, H, W, C), not {images.dtype} of {images.shape}"
            )
        checked = check_labels(labels, name=f"{name} labels")
        if len(images) != len(checked):
            raise DataError(f"{name}: {len(images):,} images but {len(checked):,} labels; expected one label per image")
        self.name = name
        self._images: Array = _read_only(images)
        self._labels: Labels = _read_only(checked)
        self._rows: Indexes | None = None  # indexes into `_images`; None: all of them, in order
        self._pixels: Indexes | None = None  # indexes into an image's H * W pixels; None: as they are
        self._reads = 0
        self._sums = sums
        self._taken_from: Examples | None = None

    @property
    def images(self) -> Array:
        """(N, H, W, C), read-only: uint8, 0-255, or float32. Raises `reads` by one."""
        examples: Examples | None = self
        while examples is not None:
            examples._reads += 1
            examples = examples._taken_from
        if self._rows is not None or self._pixels is not None:
            self._images, self._rows, self._pixels = _read_only(self._gathered()), None, None
        return self._images

    @property
    def labels(self) -> Labels:
        """(N,) class numbers 0..K-1, int64, read-only. Not counted."""
        return self._labels

    @property
    def reads(self) -> int:
        """Number of times that `images`, here or of examples taken from here, was accessed.

        A run compares the count before and after to prove that it read the test set once.
        """
        return self._reads

    @property
    def image_shape(self) -> Shape:
        """(H, W, C), without reading an image."""
        return self._images.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The images' type, uint8 or float32, without reading one."""
        return self._images.dtype

    @property
    def sums(self) -> ContentSums:
        """The SHA-256 of images and labels, computed once. Not counted in `reads`."""
        if self._sums is None:
            self._sums = content_sums(self._gathered(), self._labels)
        return self._sums

    def __len__(self) -> int:
        return len(self._labels)

    def __repr__(self) -> str:
        return f"<Examples {self.name!r}: {len(self):,} images of {' x '.join(map(str, self.image_shape))}>"

    def sample(self, count: int) -> Iterator[Array]:
        """Yield `count` images, or all if there are fewer, spread evenly over the classes. Not counted in `reads`."""
        by_class = np.argsort(self._labels, kind="stable")
        for place in np.linspace(0, len(self) - 1, min(count, len(self))).astype(np.intp):
            row = by_class[place]
            yield self._arranged(self._images[row if self._rows is None else self._rows[row]][np.newaxis])[0]

    def take(self, indexes: npt.ArrayLike, name: str | None = None) -> Examples:
        """Select examples by index. Pixels are copied when first read; that read is counted here too.

        Parameters
        ----------
        indexes
            (M,) integers 0..N-1, in the order wanted.
        name
            Name of the selection; by default the same as here.

        Raises
        ------
        ConfigurationError
            If an index is out of range, or not an integer.
        """
        rows: Array = np.asarray(indexes)
        if rows.ndim != 1 or (rows.size and not np.issubdtype(rows.dtype, np.integer)):
            raise ConfigurationError(
                f"{self.name}: take expects a one-dimensional array of integers, not {rows.dtype} of shape {rows.shape}"
            )
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise ConfigurationError(
                f"{self.name}: indexes must be in 0 to {len(self) - 1:,}, not {rows.min()} to {rows.max()}"
            )
        chosen = rows.astype(np.intp)
        taken = self._again(self._labels[chosen], chosen if self._rows is None else self._rows[chosen])
        taken.name = self.name if name is None else name
        return taken

    def relabelled(self, numbers: Labels) -> Examples:
        """Return the same images with ``numbers[label]`` in place of each label; a read there is counted here too."""
        return self._again(numbers[self._labels], self._rows)

    def rearranged(self, pixels: Indexes) -> Examples:
        """Return the same examples with the pixels of every image in another order; a read there is counted here too.

        Parameters
        ----------
        pixels
            (H * W,): for every pixel of the new image, row by row, the one of the old that it shows. Channels stay
            together.

        Raises
        ------
        ConfigurationError
            If it is not an order of H * W pixels.
        """
        height, width = self.image_shape[:2]
        order = np.asarray(pixels)
        if order.shape != (height * width,) or not np.array_equal(np.sort(order), np.arange(height * width)):
            raise ConfigurationError(f"{self.name}: an order of {height * width:,} pixels names each of them once")
        other = self._again(self._labels, self._rows)
        other._pixels = order if self._pixels is None else self._pixels[order]
        return other

    def _gathered(self) -> Array:
        return self._arranged(self._images if self._rows is None else gather(self._images, self._rows))

    def _arranged(self, images: Array) -> Array:
        if self._pixels is None:
            return images
        count, height, width, channels = images.shape
        return images.reshape(count, height * width, channels)[:, self._pixels].reshape(images.shape)

    def _again(self, labels: Labels, rows: Indexes | None) -> Examples:
        other = Examples.__new__(Examples)  # already checked; the constructor would check every label again
        other.name = self.name
        other._images = self._images
        other._rows = rows
        other._pixels = self._pixels
        other._labels = _read_only(labels)
        other._reads = 0
        other._sums = None
        other._taken_from = self
        return other


def _read_only(array: Array) -> Array:
    """Return a read-only view of an array."""
    view = array.view(np.ndarray)  # also drops np.memmap, which makes every slice slower
    view.setflags(write=False)
    return view
