from __future__ import annotations

import numpy as np
import pytest

from convlens.data.labels import check_labels, class_counts
from convlens.errors import DataError


@pytest.mark.parametrize(("labels", "wrong"), [([0, 3], "number 1 is 3"), ([-1, 0], "number 0 is -1")])
def test_labels_out_of_range(labels: list[int], wrong: str) -> None:
    with pytest.raises(DataError, match=f"labels: {wrong}, expected 0 to 2"):
        check_labels(labels, 3)


@pytest.mark.parametrize("labels", [[0.5, 1.0], [[0, 1]], ["a"], 3])
def test_no_labels_at_all(labels: object) -> None:
    with pytest.raises(DataError, match=r"integers of shape \(N,\)"):
        check_labels(labels, 3)  # type: ignore[arg-type]


def test_counts() -> None:
    assert class_counts([1, 0, 1]).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array([], dtype=np.int64), "no labels"),
        ([0, 0, 0], "every image is of class 0, so there is nothing to learn"),
        ([0, 2, 2], "class 1 has no image though the largest label is 2"),
        ([1, 2], "class 0 has no image"),
        ([0, 10**15], "class 1 has no image"),  # and no array of 10**15 counts
        ([0, 1, -1], "number 2 is -1, expected 0 or more"),
    ],
)
def test_classes_that_cannot_be_learned(labels: object, said: str) -> None:
    with pytest.raises(DataError, match=f"mine: {said}"):
        class_counts(labels, "mine")  # type: ignore[arg-type]
