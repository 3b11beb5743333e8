from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from convlens.data import Dataset, Examples
from convlens.errors import ConfigurationError, DataError


def small() -> Examples:
    pixels = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2, 1)
    return Examples("few", pixels, np.array([0, 1, 0, 1, 0, 1]))


def test_reads_are_counted_and_nothing_else_is() -> None:
    few = small()
    assert (len(few), few.image_shape, few.labels.tolist(), few.reads) == (
        6,
        (2, 2, 1),
        [0, 1, 0, 1, 0, 1],
        0,
    )
    repr(few)
    taken = few.take([4, 0])
    assert few.reads == taken.reads == 0
    _ = few.images
    assert (few.reads, taken.reads) == (1, 0)
    _ = taken.take([1]).images  # reading what was taken is reading
    assert (few.reads, taken.reads) == (2, 1)


def test_take() -> None:
    few = small()
    taken = few.take([4, 0, 5], "chosen")
    assert taken.name == "chosen"
    np.testing.assert_array_equal(taken.images, few.images[[4, 0, 5]])
    np.testing.assert_array_equal(taken.labels, few.labels[[4, 0, 5]])
    for examples in (
        few.take([4, 0, 5]).take([2, 0]),
        taken.take([2, 0]),
    ):  # before and after the pixels are gathered
        np.testing.assert_array_equal(examples.images, few.images[[5, 4]])
    assert len(few.take([])) == len(few.take([]).images) == 0


def test_nothing_can_be_written_to() -> None:
    few = small()
    for array in (few.images, few.labels, few.take([0]).images, few.take([0]).labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize("indexes", [[6], [-1], [0.5], [[0]]])
def test_take_refuses(indexes: list[int]) -> None:
    with pytest.raises(ConfigurationError, match=r"few: (indexes must be in 0 to 5|take expects a one)"):
        small().take(indexes)


def test_examples_refuse() -> None:
    pixels = np.zeros((3, 2, 2, 1), dtype=np.uint8)
    with pytest.raises(DataError, match=r"few: 3 images but 2 labels"):
        Examples("few", pixels, [0, 1])
    with pytest.raises(DataError, match=r"few: images must be uint8 or float32.* not float64"):
        Examples("few", pixels / 255, [0, 1, 2])
    with pytest.raises(DataError, match=r"few: images must be uint8 or float32 of shape \(N, H, W, C\)"):
        Examples("few", pixels[..., 0], [0, 1, 2])


def test_subset_is_nested_stratified_and_named(loaded_digits: Dataset) -> None:
    small_subset, larger = loaded_digits.subset(100, seed=5), loaded_digits.subset(1000, seed=5)
    rows = [set(map(bytes, subset.train.images)) for subset in (small_subset, larger)]
    assert rows[0] <= rows[1]
    assert np.bincount(small_subset.train.labels).tolist() == [10, 11, 10, 10, 10, 9, 10, 10, 10, 10]
    assert small_subset.test is loaded_digits.test
    assert small_subset.validation is loaded_digits.validation
    assert small_subset.split["counts"] == {"train": 100, "validation": 6000, "test": 10000}
    assert small_subset.split["subsets"] == [{"training_images": 100, "of": 54_000, "stratified": True, "seed": 5}]
    assert loaded_digits.split["subsets"] == []
    other = loaded_digits.subset(100, seed=6)
    assert rows[0] != set(map(bytes, other.train.images))


@pytest.mark.parametrize("count", [0, 9, 54_001])
def test_subset_refuses(loaded_digits: Dataset, count: int) -> None:
    with pytest.raises(ConfigurationError, match=r"mnist: a training subset has 10 .* to 54,000 \(all\), not"):
        loaded_digits.subset(count)


def test_describe_is_json_and_a_copy(loaded_digits: Dataset) -> None:
    described = loaded_digits.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["split"]["fractions"] == {"validation": 0.1, "test": None}
    assert len(described["provenance"]["sha256"]) == 4
    described["split"]["counts"]["train"] = 1
    assert loaded_digits.split["counts"]["train"] == 54_000
    assert repr(loaded_digits).startswith("<Dataset 'mnist': 54,000 train, 6,000 validation, 10,000 test;")


def test_a_set_made_by_hand_has_its_labels_and_shapes_checked() -> None:
    made = Dataset.from_arrays(np.zeros((60, 8, 8, 1), np.uint8), np.arange(60) % 3)
    for split in ("train", "validation", "test"):
        part = getattr(made, split)
        labels = part.labels.copy()
        labels[1] = 3
        wrong = Examples(split, part.images, labels)
        with pytest.raises(DataError, match=f"arrays: {split} labels: number 1 is 3, expected 0 to 2"):
            dataclasses.replace(made, **{split: wrong})
        other = Examples(split, part.images[:, 1:], part.labels)
        with pytest.raises(DataError, match=rf"{split} images have shape \(7, 8, 1\), not \(8, 8, 1\)"):
            dataclasses.replace(made, **{split: other})
