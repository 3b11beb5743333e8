"""The identity of data: what changes it, and what does not."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convlens.data
from convlens.data import Dataset, Examples, identity
from convlens.data.sources import mnist


def _pictures(folder: Path, change: int = 0) -> Path:
    for number in range(24):
        place = folder / ("cat", "dog")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.full((5, 4), number, np.uint8)
        pixels[2, 3] += change * (number == 7)
        Image.fromarray(pixels).save(place / f"{number:02}.png")
    return folder


def test_one_changed_pixel_is_other_data_and_a_new_place_is_not(tmp_path: Path) -> None:
    first = convlens.data.load(_pictures(tmp_path / "first"))
    assert len(bytes.fromhex(first.sha256)) == 32
    assert first.describe()["sha256"] == first.sha256
    shutil.copytree(tmp_path / "first", tmp_path / "elsewhere")
    moved = convlens.data.load(tmp_path / "elsewhere", seed=3, validation_fraction=0.2)
    assert moved.name != first.name
    assert moved.sha256 == first.sha256 == first.subset(4).sha256
    assert convlens.data.load(_pictures(tmp_path / "first", change=1)).sha256 != first.sha256


def test_class_names_are_part_of_it(tmp_path: Path) -> None:
    first = convlens.data.load(_pictures(tmp_path / "pictures")).sha256
    (tmp_path / "pictures" / "dog").rename(tmp_path / "pictures" / "fox")
    assert convlens.data.load(tmp_path / "pictures").sha256 != first


def test_the_same_pixels_are_the_same_from_any_kind_of_file(tmp_path: Path, write_folder: Callable[..., Path]) -> None:
    mine = convlens.data.load(write_folder(test="t10k"))
    arrays = {}
    for part, shown in (("train", "train"), ("test", "t10k")):
        for kind, dimensions in (("images", 3), ("labels", 1)):
            path = next((tmp_path / "mine").glob(f"{shown}-{kind}*"))
            content = convlens.data.idx.read_content(path, dimensions)
            arrays["xy"[kind == "labels"] + f"_{part}"] = convlens.data.idx.parse(content, dimensions, path)
    np.savez(tmp_path / "same.npz", **arrays)
    assert convlens.data.load(tmp_path / "same.npz").sha256 == mine.sha256
    arrays["y_test"] = np.flip(arrays["y_test"])
    np.savez(tmp_path / "labels.npz", **arrays)
    assert convlens.data.load(tmp_path / "labels.npz").sha256 != mine.sha256


def test_that_of_mnist_comes_from_the_pinned_sums(loaded_digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convlens.data.examples.content_sums", lambda *_: pytest.fail("pixels were summed"))
    before = loaded_digits.test.reads
    loaded = convlens.data.load("mnist", seed=1)
    assert loaded.sha256 == loaded_digits.sha256
    assert loaded.sha256 == "67a706288f1e2b65c80f09015e8f1524eaefb0dd61bb429291429316af9f128d"
    assert (loaded.test.reads, loaded_digits.test.reads) == (0, before)


def test_the_pinned_sums_are_those_of_the_arrays() -> None:
    _, test = mnist.FILES.examples(mnist.ARCHIVE, "")
    assert identity.content_sums(test.images, test.labels) == test.sums


def test_summing_is_not_reading_and_sees_what_was_taken() -> None:
    images = np.arange(6 * 12, dtype=np.uint8).reshape(6, 2, 2, 3)
    few = Examples("few", images, [0, 1, 0, 1, 0, 300])
    taken = few.take([5, 0])
    assert taken.sums == identity.content_sums(images[[5, 0]], np.array([300, 0]))
    assert few.sums.labels == hashlib.sha256(
        bytes.fromhex("00000c01 00000006") + np.array([0, 1, 0, 1, 0, 300], ">i4").tobytes()
    ).hexdigest()  # fmt: skip
    assert few.reads == taken.reads == 0
