"""Check and count labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..typing import Array, IntArray, Labels


def check_labels(labels: npt.ArrayLike, classes: int | None = None, name: str = "labels") -> Labels:
    """Return labels as int64, or raise DataError.

    Parameters
    ----------
    labels
        (N,) integers.
    classes
        Number of classes K; None: only require that no label is negative.
    name
        Their name in messages, for instance a file's.

    Returns
    -------
    Labels
        (N,) int64.

    Raises
    ------
    DataError
        If they are not a one-dimensional array of integers, or one is not in 0..K-1; the message names the first
        wrong one.
    """
    given: Array = np.asarray(labels)
    if given.ndim != 1 or not np.issubdtype(given.dtype, np.integer):
        raise DataError(f"{name}: expected integers of shape (N,), not {given.dtype} of shape {given.shape}")
    wrong = given < 0 if classes is None else (given < 0) | (given >= classes)
    if wrong.any():
        where = int(np.argmax(wrong))
        bound = "0 or more" if classes is None else f"0 to {classes - 1}"
        raise DataError(f"{name}: number {where} is {given[where]}, expected {bound}; number the classes from 0")
    return given.astype(np.int64, copy=False)


def class_counts(labels: npt.ArrayLike, name: str = "labels") -> IntArray:
    """Count the images of each class; the largest label gives the number of classes.

    Parameters
    ----------
    labels
        (N,) integers 0..K-1.
    name
        Their name in messages.

    Returns
    -------
    IntArray
        (K,), every count at least 1.

    Raises
    ------
    DataError
        If there are no labels, a class between 0 and the largest has no image, or there is only one class.
    """
    checked = check_labels(labels, name=name)
    if not len(checked):
        raise DataError(f"{name}: no labels; expected at least one image of each of two classes")
    largest = int(checked.max())
    # np.unique, not np.bincount: the largest label may be huge.
    present, counts = np.unique(checked, return_counts=True)
    if len(present) <= largest:
        gaps = present != np.arange(len(present))
        # the first gap; one exists, since fewer than largest + 1 are present
        missing = int(np.argmax(gaps))
        raise DataError(
            f"{name}: class {missing} has no image though the largest label is {largest}; "
            f"expected every class from 0 to {largest}: add images of it, or renumber "
            "the classes without gaps"
        )
    if largest == 0:
        raise DataError(
            f"{name}: every image is of class 0, so there is nothing to learn; expected two classes or more"
        )
    return counts


def check_classes(given: Sequence[str], known: Sequence[str], name: str) -> None:
    """Check that every class of a data set is one of the classes that a model knows.

    Parameters
    ----------
    given
        The data set's class names.
    known
        The model's.
    name
        The data set's name in the message.

    Raises
    ------
    DataError
        If a class is unknown; the message has both lists and says what to do.
    """
    there = set(map(composed, known))
    unknown = [one for one in given if composed(one) not in there]
    if not unknown:
        return
    if all(one.isdecimal() for one in given):
        advice = "its classes have numbers for names: give them the model's, as labels or as class_names"
    else:
        advice = "name them as the model does, or leave them out"
    raise DataError(
        f"{name}: its classes are {listed(given)}, and the model's are {listed(known)}; "
        f"{listed(unknown)} {'is none' if len(unknown) == 1 else 'are none'} of the model's; {advice}"
    )


def composed(name: str) -> str:
    """Return a name as it is compared: file systems differ in whether they write ö as one character or as two."""
    return unicodedata.normalize("NFC", name)


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Return names for a message, separated by commas: the first few, and the number of others."""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
