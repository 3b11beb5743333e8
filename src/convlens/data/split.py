"""Stratified, seeded splits: every part has the class proportions of the whole.

All use one ordering of the images, `stratified_order`, *every* prefix of which is stratified. A split takes a prefix as
one part and leaves the remainder; a subset is a prefix, so a smaller subset is contained in a larger one.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError
from ..randomness import stream
from .labels import check_labels, class_counts

Indexes: TypeAlias = npt.NDArray[np.intp]


def stratified_order(labels: npt.ArrayLike, seed: int, purpose: Literal["split", "subset"], name: str = "") -> Indexes:
    r"""Order the images at random so that every prefix has the class proportions of the whole.

    Each class is shuffled by itself. Image j of its :math:`n_k` (from 0) is then placed at :math:`(j + 1/2) / n_k`, the
    first at 0, and all images are sorted by their place; ties go to the lower class. This is the Sainte-Laguë method
    of allocating seats, with one seat guaranteed; unlike rounding each share, it never drops an image when a larger
    part is taken.

    Parameters
    ----------
    labels
        (N,) integers 0..K-1.
    seed
        0 to 2**63 - 1.
    purpose, name
        The address of the draw; see `convlens.randomness.stream`.

    Returns
    -------
    Indexes
        (N,) a permutation of 0..N-1; the first K images are of K different classes.

    Raises
    ------
    DataError
        If a class has no image, or there is only one class.
    ConfigurationError
        If the seed is out of range.
    """
    counts = class_counts(labels)
    by_class = np.split(np.argsort(check_labels(labels), kind="stable"), np.cumsum(counts)[:-1])
    shuffled, places = [], []
    for number, members in enumerate(by_class):
        # Each class has its own stream, so that adding a class leaves the others unchanged.
        shuffled.append(stream(seed, purpose, f"{name}:{number}").permutation(members))
        places.append((np.arange(len(members)) + 0.5) / len(members))
        places[-1][0] = 0.0
    return np.concatenate(shuffled)[np.argsort(np.concatenate(places), kind="stable")]


def stratified_split(
    labels: npt.ArrayLike, fraction: float, seed: int, name: str = "validation"
) -> tuple[Indexes, Indexes]:
    """Split images into a remainder and a part, each with the class proportions of the whole.

    Parameters
    ----------
    labels
        (N,) integers 0..K-1.
    fraction
        The part's share of the N images, between 0 and 1; the part has ``round(fraction * N)`` images, and at least one
        of each class.
    seed
        0 to 2**63 - 1.
    name
        Name of the part; parts of different names are drawn independently.

    Returns
    -------
    remainder, part
        Indexes, each sorted; together all of 0..N-1.

    Raises
    ------
    ConfigurationError
        If the fraction is not between 0 and 1, or the seed is out of range.
    DataError
        If a class is missing, or would be missing from the remainder.
    """
    if isinstance(fraction, bool) or not isinstance(fraction, int | float | np.number) or not 0.0 < fraction < 1.0:
        raise ConfigurationError(f"a {name} fraction must be between 0 and 1 (0.1 is a tenth), not {fraction!r}")
    counts = class_counts(labels)
    total, classes = int(counts.sum()), len(counts)
    wanted = max(round(fraction * total), classes)
    order = stratified_order(labels, seed, "split", name)
    part, remainder = order[:wanted], order[wanted:]
    left = np.bincount(check_labels(labels)[remainder], minlength=classes)
    if not left.all():
        short = int(np.argmin(left))
        raise DataError(
            f"class {short} has too few images ({counts[short]}) to split: a {name} part of {fraction:g} "
            "would take them all; "
            "add images of it, or ask for a smaller fraction"
        )
    return np.sort(remainder), np.sort(part)
