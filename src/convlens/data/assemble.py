"""The last step of every source: make a Dataset of the examples it has read, split them and identify the content."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from ..errors import DataError
from ..pictures.likeness import box_of
from ..preprocessing import Intake, Preprocessing
from ..typing import Array
from .dataset import Dataset
from .examples import Examples
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
    validation: Examples | None = None,
    intake: Intake | None = None,
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
    intake
        How the source has read its pictures; whether others are to be prepared like digits is found out here.

    Raises
    ------
    DataError
        If the labels skip a class, there is not one name per class, the test or validation set differs from the
        training set in image size or classes, or a class has too few images to split.
    ConfigurationError
        If fraction or seed is out of range.
    """
    counts = class_counts(given.labels, f"{name}: training labels")
    names = _names(name, class_names, len(counts))
    _check_enough(
        name, dict(zip(names, counts.tolist(), strict=True)), validation=validation is None, test=test is None
    )
    for part in (test, validation):
        if part is not None:
            _check_alike(name, given, part, len(counts))
    remaining, tested = given, test
    if tested is None:
        rest, tenth = stratified_split(given.labels, TEST_FRACTION, seed, "test")
        remaining, tested = given.take(rest), given.take(tenth, "test")
    trained, chosen = remaining, validation
    if chosen is None:
        remainder, part_of_it = stratified_split(remaining.labels, validation_fraction, seed)
        trained, chosen = remaining.take(remainder, "train"), remaining.take(part_of_it, "validation")
        provenance = _noting_size(provenance, chosen, validation_fraction, len(remaining))
    span = _span(given)
    return _dataset(
        name,
        (trained, chosen, tested),
        names,
        seed=seed,
        fractions={
            "validation": validation_fraction if validation is None else None,
            "test": TEST_FRACTION if test is None else None,
        },
        provenance=provenance if span is None else {**provenance, "range": list(span)},
        sha256=identity(
            given.sums, None if test is None else test.sums, names, None if validation is None else validation.sums
        ),
        intake=_intake(intake or Intake(), trained, span),
    )


def _dataset(
    name: str,
    parts: tuple[Examples, Examples, Examples],
    class_names: Sequence[str],
    *,
    seed: int,
    fractions: dict[str, float | None],
    provenance: dict[str, Any],
    sha256: str,
    intake: Intake,
) -> Dataset:
    """Make a Dataset of its training, validation and test examples."""
    train, validation, test = parts
    shape = cast("tuple[int, int, int]", test.image_shape)
    return Dataset(
        name=name,
        train=train,
        validation=validation,
        test=test,
        class_names=tuple(class_names),
        input_shape=shape,
        split={
            "stratified": True,
            "seed": seed,
            "fractions": fractions,
            "counts": {"train": len(train), "validation": len(validation), "test": len(test)},
            "subsets": [],
        },
        provenance=provenance,
        preprocessing=Preprocessing(shape),
        sha256=sha256,
        intake=intake,
    )


def _noting_size(provenance: dict[str, Any], chosen: Examples, fraction: float, images: int) -> dict[str, Any]:
    """Return the provenance, with a note if a validation set with every class is larger than was asked for."""
    if len(chosen) <= round(fraction * images):
        return provenance
    note = f"the validation set has {len(chosen)} images, one of each class, more than {fraction:g} of all"
    return {**provenance, "notes": [*provenance.get("notes", ()), note]}


def _intake(intake: Intake, train: Examples, span: tuple[float, float] | None) -> Intake:
    """Find out from some training images whether pictures must be made like MNIST's digits first.

    Floats are pixels divided by 255 if all are 0 to 1; of others no picture's scale is known.
    """
    images: Iterator[Array] = train.sample(_LOOKED_AT)
    if span is not None:
        scaled = span[0] >= 0 and 0.5 < span[1] <= 1
        images = (np.rint(255 * image).astype(np.uint8) for image in images if scaled)
    box = box_of(images)
    if box is None:
        return dataclasses.replace(intake, prepare="as-is")
    return dataclasses.replace(intake, prepare="digits", box=box)


def _span(given: Examples) -> tuple[float, float] | None:
    """Return the least and the largest value of floats, which say by nothing else how they were scaled."""
    return None if given.dtype == np.uint8 else (float(given.images.min()), float(given.images.max()))


def assemble_test(
    name: str, test: Examples, *, provenance: dict[str, Any], class_names: Sequence[str], intake: Intake
) -> Dataset:
    """Make a Dataset that is a test set and nothing else, to evaluate a model on; its other parts are empty.

    Parameters
    ----------
    name, provenance, class_names, intake
        As for `assemble`.
    test
        All examples.
    """
    nothing = test.take(np.arange(0))
    return _dataset(
        name,
        (nothing.take([], "train"), nothing.take([], "validation"), test.take(np.arange(len(test)), "test")),
        class_names,
        seed=0,
        fractions={"validation": None, "test": None},
        provenance=provenance,
        sha256=identity(nothing.sums, test.sums, class_names),
        intake=intake,
    )


def _names(name: str, given: Sequence[str] | None, classes: int) -> tuple[str, ...]:
    """Return one name for each class."""
    names = tuple(map(str, range(classes)) if given is None else given)
    if not all(one.strip() for one in names):
        raise DataError(f"{name}: class {[bool(one.strip()) for one in names].index(False)} has a blank name; name it")
    if len(names) != classes or len(set(names)) != classes:
        raise DataError(
            f"{name}: {len(names)} class names ({len(set(names))} different) for the {classes} classes that have "
            "images; expected one name for each"
        )
    return names


def _check_enough(name: str, counts: dict[str, int], *, validation: bool, test: bool) -> None:
    """Raise unless every class has an image for training and for each part that is split off."""
    parts = ["training", *(["validation"] if validation else []), *(["test"] if test else [])]
    short = [f"{one} has {count}" for one, count in counts.items() if count < len(parts)]
    if short:
        more = f" and {len(short) - 3:,} more classes have too few" if len(short) > 3 else ""
        needed = f"{', '.join(parts[:-1])} and {parts[-1]}"
        raise DataError(
            f"{name}: {len(parts)} images of each class are needed, one each for {needed}; "
            f"{', '.join(short[:3])}{more}; add images, or give {' and '.join(parts[1:])} images of their own"
        )


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
