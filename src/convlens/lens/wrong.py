"""Images that no training gets right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..data.labels import check_labels
from ..errors import DataError
from ..typing import IntArray, Labels
from .result import Result, Table


@dataclass(frozen=True, eq=False)
class AlwaysWrong(Result):
    """The images that every seed gets wrong.

    Attributes
    ----------
    images, seeds
        Number of all images, and of seeds.
    index
        (M,) positions of the images among all, from 0.
    labels
        (M,) their classes.
    taken_for
        (M, seeds) what each seed took them for.
    """

    images: int
    seeds: int
    index: IntArray
    labels: Labels
    taken_for: Labels

    @property
    def usual(self) -> Labels:
        """(M,) the class they are most often taken for; the lowest of several."""
        return np.array([np.bincount(row).argmax() for row in self.taken_for], np.int64)

    def table(self) -> Table:
        rows = [
            (place, label, usual, f"{np.mean(row == usual):.0%}")
            for place, label, usual, row in zip(
                self.index.tolist(), self.labels.tolist(), self.usual.tolist(), self.taken_for, strict=True
            )
        ]
        title = f"wrong in each of {self.seeds} seeds: {len(self.index):,} of {self.images:,} images"
        return title, ("image", "class", "usually taken for", "by"), rows


def always_wrong(predictions: Sequence[npt.ArrayLike], labels: npt.ArrayLike) -> AlwaysWrong:
    """Return the images, of any split, that every seed misclassifies: the part of the error that is not chance.

    Parameters
    ----------
    predictions
        The predicted classes, (N,), of each seed.
    labels
        (N,) true classes.

    Raises
    ------
    DataError
        If there is no seed, or a number of predictions is not that of the labels.

    Examples
    --------
    >>> always_wrong([[0, 1, 2], [0, 2, 2]], [0, 0, 2]).index
    array([1])
    """
    true = check_labels(labels, name="labels")
    by_seed = [check_labels(one, name="predictions") for one in predictions]
    if not by_seed or any(len(one) != len(true) for one in by_seed):
        raise DataError(f"expected the predictions of one seed or more, {len(true):,} each, as many as labels")
    found = np.stack(by_seed)  # (seeds, N)
    index = np.flatnonzero((found != true).all(axis=0))
    return AlwaysWrong(len(true), len(found), index, true[index], found[:, index].T.copy())
