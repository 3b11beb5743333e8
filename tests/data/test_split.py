"""Splits: nothing lost, nothing twice, every class on both sides, the same for the same seed."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convlens.data import Dataset
from convlens.data.split import stratified_order, stratified_split
from convlens.errors import ConfigurationError, DataError

class_sizes = st.lists(st.integers(2, 40), min_size=2, max_size=8)
seeds = st.integers(0, 2**63 - 1)
PUBLISHED_VALIDATION_IMAGES = 1436442669


def labelled(sizes: list[int]) -> np.ndarray:
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))


@given(sizes=class_sizes, fraction=st.floats(0.05, 0.5), seed=seeds)
@settings(max_examples=60, deadline=None)
def test_split_properties(sizes: list[int], fraction: float, seed: int) -> None:
    labels = labelled(sizes)
    assume(round(fraction * len(labels)) >= len(sizes))
    remainder, part = stratified_split(labels, fraction, seed)
    assert np.sort(np.concatenate([remainder, part])).tolist() == list(range(len(labels)))
    assert len(part) == round(fraction * len(labels))
    counts = np.bincount(labels[part], minlength=len(sizes))
    assert counts.min() >= 1
    assert np.bincount(labels[remainder], minlength=len(sizes)).min() >= 1
    assert np.abs(counts - fraction * np.array(sizes)).max() <= 1 + len(sizes) / 2
    again = stratified_split(labels, fraction, seed)
    np.testing.assert_array_equal(part, again[1])


def test_a_part_has_at_least_one_image_of_each_class() -> None:
    remainder, part = stratified_split([0, 1, 2] * 2 + [0] * 3, 0.05, 0)
    assert (len(remainder), len(part)) == (6, 3)
    assert sorted(np.array([0, 1, 2] * 2 + [0] * 3)[part].tolist()) == [0, 1, 2]


@given(sizes=class_sizes, seed=seeds)
@settings(max_examples=60, deadline=None)
def test_every_beginning_of_the_order_is_stratified(sizes: list[int], seed: int) -> None:
    labels = labelled(sizes)
    order = stratified_order(labels, seed, "subset")
    assert sorted(labels[order[: len(sizes)]]) == list(range(len(sizes)))
    half = np.bincount(labels[order[: len(order) // 2]], minlength=len(sizes))
    assert np.abs(half - np.array(sizes) / 2).max() <= 1 + len(sizes) / 2


def test_seeds_and_names_draw_differently() -> None:
    labels = labelled([50, 50])
    parts = [
        stratified_split(labels, 0.2, 0)[1],
        stratified_split(labels, 0.2, 1)[1],
        stratified_split(labels, 0.2, 0, "test")[1],
        np.sort(stratified_order(labels, 0, "subset")[:20]),
    ]
    assert len({part.tobytes() for part in parts}) == len(parts)


def test_equal_classes_are_divided_exactly() -> None:
    labels = labelled([100] * 5)
    assert np.bincount(labels[stratified_split(labels, 0.1, 3)[1]]).tolist() == [10] * 5


def test_mnist_is_split_exactly(loaded_digits: Dataset) -> None:
    assert len(loaded_digits.train) == 54_000
    assert len(loaded_digits.validation) == 6_000
    kept = np.bincount(loaded_digits.train.labels)
    held = np.bincount(loaded_digits.validation.labels)
    assert np.abs(held - 0.1 * (kept + held)).max() <= 1


def test_the_split_of_mnist_is_the_published_one(loaded_digits: Dataset) -> None:
    """Every stored result rests on it: a change (of NumPy's generators, say) makes them incomparable."""
    assert zlib.crc32(loaded_digits.validation.images.data) == PUBLISHED_VALIDATION_IMAGES


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_fraction_out_of_range(fraction: float) -> None:
    with pytest.raises(ConfigurationError, match="a validation fraction must be between 0 and 1"):
        stratified_split([0, 1], fraction, 0)


def test_seed_out_of_range() -> None:
    with pytest.raises(ConfigurationError, match="seed"):
        stratified_split([0, 1] * 10, 0.2, -1)


@pytest.mark.parametrize(
    ("labels", "fraction", "said"),
    [
        ([0, 0, 2, 2], 0.5, "class 1 has no image"),
        ([0, 0, 0, 0], 0.5, "nothing to learn"),
        ([0] * 30 + [1], 0.2, r"class 1 has too few images \(1\) to split"),
    ],
)
def test_what_cannot_be_split(labels: list[int], fraction: float, said: str) -> None:
    with pytest.raises(DataError, match=said):
        stratified_split(labels, fraction, 0)
