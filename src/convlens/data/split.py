"""Stratified, seeded splits: every part has each class in the same share as the whole.

All rest on one ordering of the images, `stratified_order`, of which *every* beginning is stratified. A split
takes a beginning for one part and leaves the remainder; a subset takes a beginning; so a smaller subset lies
in a larger one.
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
    r"""Order the images at random so that every beginning has the classes in their true shares.

    Each class is shuffled by itself. Its j-th image of :math:`n_k` (from 0) then stands at :math:`(j + 1/2) /
    n_k`, its first at 0, and all are sorted by where they stand, classes in turn at a tie. That is
    Sainte-Laguë's rule for dealing out seats with one seat guaranteed; unlike rounding each share, it never
    drops an image when a larger part is taken.

    Parameters
    ----------
    labels
        (N,) whole numbers 0..K-1.
    seed
        0 to 2**63 - 1.
    purpose, name
        The address of the draw; see `convlens.randomness.stream`.

    Returns
    -------
    Indexes
        (N,) a permutation of 0..N-1, whose first K are of K different classes.

    Raises
    ------
    DataError
        If a class has no image or there is one class only.
    ConfigurationError
        If the seed is out of range.
    """
    counts = class_counts(labels)
    by_class = np.split(np.argsort(check_labels(labels), kind="stable"), np.cumsum(counts)[:-1])
    shuffled, places = [], []
    for number, members in enumerate(by_class):
        # A stream of its own for each class, so that one class more disturbs none of the others.
        shuffled.append(stream(seed, purpose, f"{name}:{number}").permutation(members))
        places.append((np.arange(len(members)) + 0.5) / len(members))
        places[-1][0] = 0.0
    return np.concatenate(shuffled)[np.argsort(np.concatenate(places), kind="stable")]


def stratified_split(
    labels: npt.ArrayLike, fraction: float, seed: int, name: str = "validation"
) -> tuple[Indexes, Indexes]:
    """Divide images into a remainder and a part, each with the classes in their true shares.

    Parameters
    ----------
    labels
        (N,) whole numbers 0..K-1.
    fraction
        The part's share of the N images, between 0 and 1; the part has exactly ``round(fraction * N)``.
    seed
        0 to 2**63 - 1.
    name
        What the part is for; parts of different names are drawn independently.

    Returns
    -------
    remainder, part
        Indexes, each ascending; together all of 0..N-1.

    Raises
    ------
    ConfigurationError
        If the fraction is not between 0 and 1, or the seed is out of range.
    DataError
        If a class would be missing on either side, or is missing already.
    """
    if not 0.0 < fraction < 1.0:
        raise ConfigurationError(f"a {name} fraction lies between 0 and 1 (0.1 is a tenth), not {fraction}")
    counts = class_counts(labels)
    total, classes = int(counts.sum()), len(counts)
    wanted = round(fraction * total)
    if wanted < classes:
        raise DataError(
            f"a {name} part of {fraction:g} of {total:,} images is {wanted}, fewer than "
            f"the {classes} classes; "
            f"give more images, or a fraction of {classes / total:.2g} or more"
        )
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
