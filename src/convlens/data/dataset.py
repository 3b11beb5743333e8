"""A data set: three sets of examples, and a record of how they were split and where they came from."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError
from ..markup import html_table
from ..preprocessing import Intake, Preprocessing
from ..randomness import stream
from ..typing import IntArray
from .examples import Examples
from .labels import check_classes, check_labels, composed
from .split import stratified_order


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Training, validation and test examples, and where they came from.

    Attributes
    ----------
    name
        ``"mnist"``, or the name of a folder.
    train, validation, test
        The three sets. Choices are made on validation; the test set is read once, at the end.
    class_names
        Names of the K classes, in the order of the class numbers.
    input_shape
        (H, W, C) of every image.
    split
        How the examples were split, as JSON data: ``stratified``, ``seed``, ``fractions`` of validation and test
        (None: the source has a test set of its own), ``counts``, and ``subsets``, one entry per call of `subset`.
    provenance
        ``source``, ``licence`` and ``sha256`` by file, as JSON data.
    preprocessing
        Applied to an image before the first layer.
    sha256
        Of images, labels, shapes and class names as the source had them, before split and subset: 64 hexadecimal
        digits. Names, paths and seeds are left out, so the same content has the same identity wherever it comes from.
    intake
        How a picture from elsewhere becomes an image like these, as found out from the training images; a model trained
        on the set takes it over. `with_intake` overrules it.
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
    sha256: str
    intake: Intake = dataclasses.field(default_factory=Intake)

    def __post_init__(self) -> None:
        """Check labels and shapes once, here: an engine reads memory at the place that a label says.

        Raises
        ------
        DataError
            If a label is not in 0..K-1, or images have another shape than `input_shape`.
        """
        for part in (self.train, self.validation, self.test):
            check_labels(part.labels, len(self.class_names), f"{self.name}: {part.name} labels")
            if part.image_shape != tuple(self.input_shape):
                raise DataError(
                    f"{self.name}: {part.name} images have shape {part.image_shape}, not {self.input_shape}; "
                    "all three sets need the same"
                )

    @classmethod
    def from_arrays(
        cls,
        train_images: npt.ArrayLike,
        train_labels: npt.ArrayLike,
        test_images: npt.ArrayLike | None = None,
        test_labels: npt.ArrayLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        name: str = "arrays",
        validation_fraction: float = 0.1,
        seed: int = 0,
    ) -> Dataset:
        """Make a data set from arrays in memory, which are copied.

        Parameters
        ----------
        train_images
            (N, H, W) or (N, H, W, C), channels last; or square grey or colour images flattened to rows, (N, D).
            Integers 0 to 255 are pixels: a model's preprocessing scales them, by default to 0..1; integers of another
            range (0 to 1, 0 to 16) are refused. **Floats are the network's input as they are**, kept as float32: scale
            them yourself, 0 to 1 for instance, and give a model trained on them floats of the same scale to predict.
        train_labels
            (N,): class numbers from 0 without gaps, or class names; or one-hot rows (N, K).
        test_images, test_labels
            The test set, in the same form; by default a stratified tenth of the training images is split off.
        class_names
            One per class, in the order of the class numbers. By default the names in `train_labels`, sorted, or
            the numbers.
        name
            Name of the data set, in tables and messages.
        validation_fraction
            Share of the training images used for validation, stratified.
        seed
            Of the split; separate from any training seed.

        Raises
        ------
        DataError
            If images or labels have a wrong type, shape, range or number; the message names the first wrong value.
        ConfigurationError
            If fraction, seed or name is not allowed, or test images came without labels.

        Examples
        --------
        >>> draw = np.random.default_rng(0)
        >>> images, labels = draw.random((60, 8, 8)), np.arange(60) % 3
        >>> Dataset.from_arrays(images, labels, class_names=["ant", "bee", "cat"])
        <Dataset 'arrays': 49 train, 5 validation, 6 test; images of 8 x 8 x 1, 3 classes>
        """
        from .arrays import from_arrays  # imported here, because it imports Dataset

        return from_arrays(
            train_images,
            train_labels,
            test_images,
            test_labels,
            class_names=class_names,
            name=name,
            validation_fraction=validation_fraction,
            seed=seed,
        )

    def subset(self, n_train: int, seed: int = 0) -> Dataset:
        """Return the same data set with fewer training images; validation and test are the same objects.

        Subsets are stratified and nested: with the same seed, a smaller subset is contained in a larger one.

        Parameters
        ----------
        n_train
            Number of training images, from the number of classes K to all of them.
        seed
            Of the selection.

        Raises
        ------
        ConfigurationError
            If `n_train` is out of that range.
        """
        classes, available = len(self.class_names), len(self.train)
        if isinstance(n_train, bool) or not isinstance(n_train, int | np.integer):
            raise ConfigurationError(
                f"{self.name}: the size of a training subset is a whole number, such as 1000, not {n_train!r}"
            )
        if not classes <= n_train <= available:
            raise ConfigurationError(
                f"{self.name}: a training subset has {classes} images (one per class) to {available:,} "
                f"(all), not {n_train:,}"
            )
        n_train = int(n_train)  # the split is JSON data, which has no NumPy integers
        order = stratified_order(self.train.labels, seed, "subset")
        step = {"training_images": n_train, "of": available, "stratified": True, "seed": seed}
        split = {
            **self.split,
            "counts": {**self.split["counts"], "train": n_train},
            "subsets": [*self.split["subsets"], step],
        }
        return dataclasses.replace(self, train=self.train.take(np.sort(order[:n_train])), split=split)

    def permuted(self, seed: int) -> Dataset:
        """Return the same data set with the pixels of every image shuffled, all images by one and the same permutation.

        A dense network sees the same problem, since it does not know which pixels are neighbours; a convolution does
        not. `permutation` gives the order.

        Parameters
        ----------
        seed
            Of the permutation.
        """
        order = permutation(self.input_shape, seed)
        parts = {name: getattr(self, name).rearranged(order) for name in ("train", "validation", "test")}
        return dataclasses.replace(self, split={**self.split, "pixels shuffled with seed": seed}, **parts)

    def with_classes(self, class_names: Sequence[str]) -> Dataset:
        """Return the same data set with its labels renumbered to the order of these class names.

        Classes are matched by name, never by number. A name without images here is allowed: a test set need not have
        every class that a model knows.

        Parameters
        ----------
        class_names
            A model's classes, in the order of its outputs.

        Raises
        ------
        DataError
            If a class of the data set is none of these; the message has both lists.
        """
        wanted = tuple(class_names)
        if wanted == self.class_names:
            return self
        check_classes(self.class_names, wanted, self.name)
        places = {composed(name): number for number, name in enumerate(wanted)}
        numbers = np.array([places[composed(name)] for name in self.class_names], np.int64)
        parts = {name: getattr(self, name).relabelled(numbers) for name in ("train", "validation", "test")}
        return dataclasses.replace(self, class_names=wanted, **parts)

    def whole(self) -> Examples:
        """Return all images as one set: training, validation and test, in this order. Counts as a read of each."""
        parts = (self.train, self.validation, self.test)
        return Examples(
            "all", np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts])
        )

    def with_intake(self, **settings: Any) -> Dataset:
        """Return the same data set with other settings of `intake`: ``with_intake(prepare="as-is")``.

        Raises
        ------
        ConfigurationError
            If a setting is unknown (the message names the nearest right one), or a value is wrong.
        """
        return dataclasses.replace(self, intake=Intake.from_dict({**self.intake.to_dict(), **settings}))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how the files were read, a sentence each: values scaled, images resized, ..."""
        return tuple(self.provenance.get("notes", ()))

    def describe(self) -> dict[str, Any]:
        """Describe the data set as JSON data, for a result; no image is read."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "dtype": str(self.train.dtype),
            "input_shape": list(self.input_shape),
            "class_names": list(self.class_names),
            "split": copy.deepcopy(self.split),  # so that a result does not change with this object
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


def permutation(image_shape: Sequence[int], seed: int) -> IntArray:
    """Return the order of H * W pixels that `Dataset.permuted` gives images (H, W, C): of each new pixel, the old."""
    height, width = image_shape[:2]
    return stream(seed, "permute").permutation(height * width)
