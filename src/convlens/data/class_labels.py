"""Turn the labels of tables and arrays, numbers, names or one-hot rows, into class numbers 0..K-1 and class names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import DataError, nearest
from ..typing import Array, Labels
from .labels import check_labels, listed
from .pixels import refuse

_MOST_CLASSES = 1000  # named by their numbers; more distinct numbers are no classes


class ClassLabels(NamedTuple):
    """Labels as class numbers."""

    parts: list[Labels]  # as they were given, the training labels first
    class_names: list[str] | None  # None: the class numbers
    notes: list[str]  # what was done, a sentence each


def class_labels(
    parts: Sequence[tuple[Array, str]],
    class_names: Sequence[str] | None = None,
    *,
    renumber: bool = True,
    evaluating: bool = False,
) -> ClassLabels:
    """Turn labels into class numbers; all parts have the classes of the first.

    Parameters
    ----------
    parts
        (N,) numbers or texts, or (N, K) one-hot rows, and their name in messages; the training labels first.
    class_names
        In the order of the class numbers, if known.
    renumber
        Whether whole numbers other than 0..K-1 are taken as the names of classes: 1 to 10, or 3 and 8 alone. That suits
        files, whose numbers nobody sees again; the user of an array compares predictions with it.
    evaluating
        Whether the images may all be of a few of a model's classes, even of one: then every number is a name.

    Raises
    ------
    DataError
        If labels are of another type or shape, are no classes, or those of a later part are none of the first's.
    """
    notes: list[str] = []
    plain = [_one_column(values, name, notes) for values, name in parts]
    names = [name for _, name in parts]
    if plain[0].dtype.kind == "U":
        known = _sorted(plain[0]) if class_names is None else class_names
        return _by_text(plain, names, {one: one for one in known}, notes, drop=renumber)
    numbers = [_numbers(one, name, class_names) for one, name in zip(plain, names, strict=True)]
    meaning = _meaning(numbers[0], class_names, notes, evaluating=evaluating) if renumber else {}
    if meaning:
        return _by_text([one.astype(np.str_) for one in numbers], names, meaning, notes, drop=True)
    checked = [check_labels(one, name=name) for one, name in zip(numbers, names, strict=True)]
    return ClassLabels(checked, None if class_names is None else list(class_names), notes)


def _by_text(
    parts: Sequence[Array], names: Sequence[str], meaning: dict[str, str], notes: list[str], *, drop: bool
) -> ClassLabels:
    """Number labels in the order of what they mean; with `drop`, classes without a training image are left out."""
    present = set(np.unique(parts[0]).tolist())
    absent = [label for label in meaning if label not in present]
    if drop and absent and len(meaning) > len(absent):
        notes.append(f"classes without an image are left out: {listed([meaning[label] for label in absent])}")
        meaning = {label: meaning[label] for label in meaning if label in present}
    places = [_places(one, list(meaning), name) for one, name in zip(parts, names, strict=True)]
    return ClassLabels(places, list(meaning.values()), notes)


def _meaning(
    numbers: Array, class_names: Sequence[str] | None, notes: list[str], *, evaluating: bool
) -> dict[str, str]:
    """Return the class name that each number stands for, where they are not 0..K-1; empty if they mean nothing."""
    present, counts = np.unique(numbers, return_counts=True)
    classes = len(present)
    counting = bool((present == np.arange(classes)).all()) and class_names is None
    if counting or not (1 if evaluating else 2) <= classes <= _MOST_CLASSES:
        return {}
    known = [str(number) for number in present]
    if class_names is None:
        if present[0] < 0 and present.tolist() != [-1, 1]:
            return {}
        if counts.min() < 2 and not evaluating:
            return {}  # a number that occurs once is more probably a mistake
        if classes > 1:
            notes.append(f"labels are {listed(known)}: {classes} classes, named by these numbers")
        return dict(zip(known, known, strict=True))
    if classes == len(class_names) and bool((present == np.arange(1, classes + 1)).all()):
        notes.append(f"labels are {known[0]} to {known[-1]}: the first class is {class_names[0]}")
        return dict(zip(known, class_names, strict=True))
    if classes < len(class_names) and present[0] >= 0 and present[-1] < len(class_names):
        return {str(number): name for number, name in enumerate(class_names)}
    return {}


def _one_column(values: Array, name: str, notes: list[str]) -> Array:
    """Return labels (N,) of numbers or texts; one-hot rows are noted."""
    if values.dtype.kind == "O":
        values = _of_objects(values, name)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and values.dtype.kind in "buif":
        marks = bool(((values == 0) | (values == 1)).all())
        if not (marks and bool((values.sum(axis=1) == 1).all())):
            raise DataError(
                f"{name}: is of shape {values.shape}, and its rows are not one-hot (a single 1 each); "
                + ("images of several classes at once, or of none, cannot be classified" if marks
                   else "give one class number per image, such as labels.argmax(axis=1)")
            )  # fmt: skip
        notes.append(f"{name} are one-hot rows: the place of the 1 is the class number")
        places: Array = values.argmax(axis=1)
        return places
    if values.dtype.kind == "U" and (blank := np.char.strip(values) == "").any():
        raise DataError(f"{name}: number {int(np.argmax(blank)):,} is blank; give every image a label, or leave it out")
    if values.ndim != 1 or values.dtype.kind not in "buifU":
        raise DataError(
            f"{name}: is {values.dtype} of shape {values.shape}; expected one row of class numbers or names"
        )
    return values


def _of_objects(values: Array, name: str) -> Array:
    """Return a list of Python objects as texts or as numbers; both in one list are an error."""
    given = values.ravel().tolist()
    kinds = {type(one).__name__ for one in given}
    if all(isinstance(one, str) for one in given):
        return values.astype(np.str_)
    if all(isinstance(one, int | float | np.number) for one in given):
        return np.array(given).reshape(values.shape)
    raise DataError(f"{name}: holds {' and '.join(sorted(kinds))} objects; expected all class numbers, or all names")


def _numbers(values: Array, name: str, class_names: Sequence[str] | None) -> Array:
    """Return whole numbers."""
    if values.dtype.kind == "U":  # names, where the first part has numbers
        known = class_names or [str(number) for number in range(_MOST_CLASSES)]
        return _places(values, known, name)
    if values.dtype.kind == "f":
        refuse(~np.isfinite(values), values, name, "a class number")
        refuse((values != np.floor(values)) | (np.abs(values) > 2**31), values, name, "a whole class number")
    return values.astype(np.int64)


def _sorted(labels: Array) -> list[str]:
    """Return the distinct names: in numerical order if all are numbers, else alphabetically."""
    found = [str(label) for label in np.unique(labels)]
    return sorted(found, key=int) if all(name.isascii() and name.isdecimal() for name in found) else found


def _places(labels: Array, known: Sequence[str], name: str) -> Labels:
    """Return the place of every label among the known names."""
    present, numbers = np.unique(labels, return_inverse=True)
    place = {one: number for number, one in enumerate(known)}
    for label in map(str, present):
        if label not in place:
            raise DataError(f"{name}: {label!r} is none of the classes{nearest(label, known)}")
    return np.array([place[str(label)] for label in present], np.int64)[numbers]
