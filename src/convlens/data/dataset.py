"""What a data set is: three sets of examples, and all that is needed to say afterwards which they were."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError
from ..markup import html_table
from ..preprocessing import Preprocessing
from ..typing import Array, Labels, Shape, UInt8
from .gathering import gather
from .labels import check_labels
from .split import Indexes, stratified_order


class Examples:
    """Images with their labels. The pixels are gathered when first asked for, and every asking is counted.

    Parameters
    ----------
    name
        Which examples these are, such as ``"test"``.
    images
        (N, H, W, C) uint8; a memory-mapped array will do.
    labels
        (N,) class numbers.

    Raises
    ------
    DataError
        If images or labels are of another type or shape, or of different number.
    """

    def __init__(self, name: str, images: UInt8, labels: npt.ArrayLike) -> None:
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(f"{name}: images must be uint8 of shape (N, H, W, C), not {images.dtype} of {images.shape}")
        checked = check_labels(labels, name=f"{name} labels")
        if len(images) != len(checked):
            raise DataError(
                f"{name}: {len(images):,} images but {len(checked):,} labels; expected as many of one as of the other"
            )
        self.name = name
        self._images = _read_only(images)
        self._labels: Labels = _read_only(checked)
        self._rows: Indexes | None = None  # which of `_images` these are; None: all of them, in order
        self._reads = 0
        self._taken_from: Examples | None = None

    @property
    def images(self) -> UInt8:
        """(N, H, W, C) uint8, 0-255, read-only. Raises `reads` by one."""
        examples: Examples | None = self
        while examples is not None:
            examples._reads += 1
            examples = examples._taken_from
        if self._rows is not None:
            self._images, self._rows = _read_only(gather(self._images, self._rows)), None
        return self._images

    @property
    def labels(self) -> Labels:
        """(N,) class numbers 0..K-1, int64, read-only. Not counted."""
        return self._labels

    @property
    def reads(self) -> int:
        """How often the images, or those of examples taken from here, were handed out.

        A run compares the count before and after to prove that it read the test set once.
        """
        return self._reads

    @property
    def image_shape(self) -> Shape:
        """(H, W, C), without reading an image."""
        return self._images.shape[1:]

    def __len__(self) -> int:
        return len(self._labels)

    def __repr__(self) -> str:
        return f"<Examples {self.name!r}: {len(self):,} images of {' x '.join(map(str, self.image_shape))}>"

    def take(self, indexes: npt.ArrayLike, name: str | None = None) -> Examples:
        """Choose some of these examples; no pixel is copied before they are read, which counts here too.

        Parameters
        ----------
        indexes
            Whole numbers 0..N-1, in the order wanted.
        name
            What to call them; by default as these.

        Raises
        ------
        ConfigurationError
            If an index is out of range, or not a whole number.
        """
        rows: Array = np.asarray(indexes)
        if rows.ndim != 1 or (rows.size and not np.issubdtype(rows.dtype, np.integer)):
            raise ConfigurationError(
                f"{self.name}: take wants one row of whole numbers, not {rows.dtype} of {rows.shape}"
            )
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise ConfigurationError(
                f"{self.name}: indexes go from 0 to {len(self) - 1:,}, not from {rows.min()} to {rows.max()}"
            )
        chosen = rows.astype(np.intp)
        taken = Examples.__new__(Examples)  # already checked; the constructor would look at every label again
        taken.name = self.name if name is None else name
        taken._images = self._images
        taken._rows = chosen if self._rows is None else self._rows[chosen]
        taken._labels = _read_only(self._labels[chosen])
        taken._reads = 0
        taken._taken_from = self
        return taken


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Examples to learn from, to choose with, and to be judged by; and where they came from.

    Attributes
    ----------
    name
        ``"mnist"``, or the name of a folder.
    train, validation, test
        Validation chooses; the test set is read once, at the end.
    class_names
        What the K class numbers mean.
    input_shape
        (H, W, C) of every image.
    split
        Which examples are where, as JSON data: ``stratified``, ``seed``, ``fractions`` of validation and test
        (None: the source has a test set of its own), ``counts``, and ``subsets``, one entry for each `subset`
        taken.
    provenance
        ``source``, ``licence`` and ``sha256`` by file, as JSON data.
    preprocessing
        What is done to an image before the first layer.
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples
    class_names: tuple[str, ...]
    input_shape: tuple[int, int, int]
    split: dict[str, Any]
    provenance: dict[str, Any]
    preprocessing: Preprocessing

    def subset(self, n_train: int, seed: int = 0) -> Dataset:
        """Return the same data set with fewer training images; validation and test are the very same objects.

        The images are stratified, and nested: with the same seed, a smaller subset lies in a larger one.

        Parameters
        ----------
        n_train
            How many training images, from the number of classes to all there are.
        seed
            Which of them.

        Raises
        ------
        ConfigurationError
            If there are not so many, or fewer than one a class are asked for.
        """
        classes, available = len(self.class_names), len(self.train)
        if not classes <= n_train <= available:
            raise ConfigurationError(
                f"{self.name}: a training subset has {classes} images (one a class) to {available:,} "
                f"(all), not {n_train:,}"
            )
        order = stratified_order(self.train.labels, seed, "subset")
        step = {"training_images": n_train, "of": available, "stratified": True, "seed": seed}
        split = {
            **self.split,
            "counts": {**self.split["counts"], "train": n_train},
            "subsets": [*self.split["subsets"], step],
        }
        return dataclasses.replace(self, train=self.train.take(np.sort(order[:n_train])), split=split)

    def describe(self) -> dict[str, Any]:
        """Return all that identifies these data, as JSON data for a result; no image is read."""
        return {
            "name": self.name,
            "input_shape": list(self.input_shape),
            "class_names": list(self.class_names),
            "split": copy.deepcopy(self.split),  # a result must not change when somebody edits this one
            "provenance": copy.deepcopy(self.provenance),
            "preprocessing": self.preprocessing.to_dict(),
        }

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(part):,} {part.name}" for part in (self.train, self.validation, self.test))
        shape = " x ".join(map(str, self.input_shape))
        return f"<Dataset {self.name!r}: {counts}; images of {shape}, {len(self.class_names)} classes>"

    def _repr_html_(self) -> str:
        shape = "x".join(map(str, self.input_shape))
        parts = [(split, len(getattr(self, split))) for split in ("train", "validation", "test")]
        title = f"{self.name}: images of {shape}, {len(self.class_names)} classes"
        return html_table(title, ("split", "images"), parts)


def _read_only(array: Array) -> Array:
    """View an array so that nobody can write to it by accident."""
    view = array.view(np.ndarray)  # also strips np.memmap, whose every slice would pay for being one
    view.setflags(write=False)
    return view
