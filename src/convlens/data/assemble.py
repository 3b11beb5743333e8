"""The last step of every source: make a Dataset of the examples it has read, split them and identify the content."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from ..errors import DataError
from ..pictures.likeness import like_mnist
from ..preprocessing import Intake, Prepare, Preprocessing
from ..typing import Array
from .dataset import Dataset, Examples
from .identity import identity
from .labels import check_labels, class_counts
from .split import stratified_split

TEST_FRACTION = 0.1  # split off where a source has no test set of its own
_LOOKED_AT = 300  # training images, spread evenly over the classes, that decide how pictures are prepared


def assemble(
    name: str,
    given: Examples,
    test: Examples | None,
    *,
    validation_fraction: float,
    seed: int,
    provenance: dict[str, Any],
    class_names: Sequence[str] | None = None,
    intake: Intake | None = None,
) -> Dataset:
    """Make a Dataset of what a source has read.

    Parameters
    ----------
    name
        The data set's name.
    given
        All examples meant for training; the validation set is split off here.
    test
        The source's own test set, or None to split off a stratified tenth of `given` first.
    validation_fraction
        Share of `given`, after that tenth is removed, used for validation.
    seed
        Of the split.
    provenance
        ``source``, ``licence`` and ``sha256`` by file.
    class_names
        By default the class numbers.
    intake
        How the source has read its pictures; whether others are to be prepared like digits is found out here.

    Raises
    ------
    DataError
        If the labels skip a class, there is not one name per class, the test set differs from the training set in
        image size or classes, or a class has too few images to split.
    ConfigurationError
        If fraction or seed is out of range.
    """
    classes = len(class_counts(given.labels, f"{name}: training labels"))
    if test is None:
        rest, tenth = stratified_split(given.labels, TEST_FRACTION, seed, "test")
        remaining, tested = given.take(rest), given.take(tenth, "test")
    else:
        _check_alike(name, given, test, classes)
        remaining, tested = given, test
    remainder, part = stratified_split(remaining.labels, validation_fraction, seed)
    trained = remaining.take(remainder, "train")
    shape = cast("tuple[int, int, int]", given.image_shape)
    names, span = _names(name, class_names, classes), _span(given)
    return Dataset(
        name=name,
        train=trained,
        validation=remaining.take(part, "validation"),
        test=tested,
        class_names=names,
        input_shape=shape,
        split={
            "stratified": True,
            "seed": seed,
            "fractions": {
                "validation": validation_fraction,
                "test": None if test is not None else TEST_FRACTION,
            },
            "counts": {"train": len(remainder), "validation": len(part), "test": len(tested)},
            "subsets": [],
        },
        provenance=provenance if span is None else {**provenance, "range": list(span)},
        preprocessing=Preprocessing(shape),
        sha256=identity(given.sums, None if test is None else test.sums, names),
        intake=_intake(intake or Intake(), trained, span),
    )


def _intake(intake: Intake, train: Examples, span: tuple[float, float] | None) -> Intake:
    """Find out from some training images whether pictures must be made like MNIST's digits first.

    Floats are pixels divided by 255 if all are 0 to 1; of others no picture's scale is known.
    """
    images: Iterator[Array] = train.sample(_LOOKED_AT)
    if span is not None:
        scaled = span[0] >= 0 and 0.5 < span[1] <= 1
        images = (np.rint(255 * image).astype(np.uint8) for image in images if scaled)
    prepare: Prepare = "digits" if like_mnist(images) else "as-is"
    return dataclasses.replace(intake, prepare=prepare)


def _span(given: Examples) -> tuple[float, float] | None:
    """Return the least and the largest value of floats, which say by nothing else how they were scaled."""
    return None if given.dtype == np.uint8 else (float(given.images.min()), float(given.images.max()))


def _names(name: str, given: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    """Return one name for each class."""
    names = tuple(map(str, range(classes)) if given is None else given)
    if len(names) != classes or len(set(names)) != classes:
        raise DataError(
            f"{name}: {len(names)} class names ({len(set(names))} different) for the {classes} classes that have "
            "images; expected one name for each"
        )
    return names


def _check_alike(name: str, given: Examples, test: Examples, classes: int) -> None:
    """Raise unless the test set has the training set's image size and only its classes."""
    if test.image_shape != given.image_shape:
        raise DataError(
            f"{name}: training images are {given.image_shape}, test images {test.image_shape}; "
            "expected one size: resize one of them"
        )
    if not len(test):
        raise DataError(f"{name}: the test set has no images; add some, or remove its files to have a tenth split off")
    check_labels(test.labels, classes, f"{name}: test labels")
