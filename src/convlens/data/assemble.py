"""The last step of every source: make a Dataset of the examples it has read, split them and identify the content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ..errors import DataError
from ..preprocessing import Preprocessing
from .dataset import Dataset, Examples
from .identity import identity
from .labels import check_labels, class_counts
from .split import stratified_split

TEST_FRACTION = 0.1  # split off where a source has no test set of its own


def assemble(
    name: str,
    given: Examples,
    test: Examples | None,
    *,
    validation_fraction: float,
    seed: int,
    provenance: dict[str, Any],
    class_names: Sequence[str] | None = None,
    validation: Examples | None = None,
) -> Dataset:
    """Make a Dataset of what a source has read.

    Parameters
    ----------
    name
        The data set's name.
    given
        All examples meant for training; without `validation`, the validation set is split off here.
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
    validation
        The source's own validation set; `validation_fraction` is then not used.

    Raises
    ------
    DataError
        If the labels skip a class, there is not one name per class, the test or validation set differs from the
        training set in image size or classes, or a class has too few images to split.
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
    if validation is None:
        remainder, part = stratified_split(remaining.labels, validation_fraction, seed)
        trained, chosen = remaining.take(remainder, "train"), remaining.take(part, "validation")
    else:
        _check_alike(name, given, validation, classes)
        trained, chosen = remaining, validation
    shape = cast("tuple[int, int, int]", given.image_shape)
    names = _names(name, class_names, classes)
    return Dataset(
        name=name,
        train=trained,
        validation=chosen,
        test=tested,
        class_names=names,
        input_shape=shape,
        split={
            "stratified": True,
            "seed": seed,
            "fractions": {
                "validation": validation_fraction if validation is None else None,
                "test": None if test is not None else TEST_FRACTION,
            },
            "counts": {"train": len(trained), "validation": len(chosen), "test": len(tested)},
            "subsets": [],
        },
        provenance=provenance,
        preprocessing=Preprocessing(shape),
        sha256=identity(
            given.sums, None if test is None else test.sums, names, None if validation is None else validation.sums
        ),
    )


def _names(name: str, given: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    """Return one name for each class."""
    names = tuple(map(str, range(classes)) if given is None else given)
    if len(names) != classes or len(set(names)) != classes:
        raise DataError(
            f"{name}: {len(names)} class names ({len(set(names))} different) for the {classes} classes that have "
            "images; expected one name for each"
        )
    return names


def _check_alike(name: str, given: Examples, part: Examples, classes: int) -> None:
    """Raise unless a test or validation set has the training set's image size and only its classes."""
    if part.image_shape != given.image_shape:
        raise DataError(
            f"{name}: training images are {given.image_shape}, {part.name} images {part.image_shape}; "
            "expected one size: resize one of them"
        )
    if not len(part):
        raise DataError(
            f"{name}: the {part.name} set has no images; add some, or leave it out to have a tenth split off"
        )
    check_labels(part.labels, classes, f"{name}: {part.name} labels")
