"""Arrays from untrusted files: read only if they are what they claim to be."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convlens.data
from convlens.errors import DataError

LABELS = np.arange(30) % 3


def smooth(count: int = 30) -> np.ndarray:
    """Colour images 8 x 8 of gradients: neighbours are alike, colours are not."""
    draw = np.random.default_rng(0)
    start, step = draw.integers(0, 100, (count, 1, 1, 3)), draw.integers(1, 9, (count, 1, 1, 3))
    return (start + step * (np.arange(8)[:, None, None] + np.arange(8)[:, None])).astype(np.uint8)


def pixels(count: int = 30, shape: tuple[int, ...] = (4, 5), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def save(folder: Path, **arrays: Any) -> Path:
    np.savez_compressed(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


def load(path: Path) -> convlens.data.Dataset:
    return convlens.data.load(path, validation_fraction=0.25)


def every_image(dataset: convlens.data.Dataset) -> set[bytes]:
    parts = (dataset.train, dataset.validation, dataset.test)
    return {image.tobytes() for part in parts for image in part.images}


def test_the_names_of_keras(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=pixels(), y_train=LABELS, x_test=pixels(6, seed=1), y_test=LABELS[:6])
    dataset = load(path)
    assert (dataset.name, dataset.input_shape) == ("mine", (4, 5, 1))
    assert dataset.split["counts"] == {"train": 22, "validation": 8, "test": 6}
    np.testing.assert_array_equal(dataset.test.images[..., 0], pixels(6, seed=1))
    assert [(file.items, file.ok) for file in convlens.data.verify(path)] == [(36, True)]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (16,)])
def test_short_names_and_shapes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    names = np.array(["ant", "bee", "cow"])
    dataset = load(save(tmp_path, images=pixels(shape=shape), labels=LABELS[:, None], class_names=names))
    expected = {(4, 5): (4, 5, 1), (16,): (4, 4, 1)}.get(shape, shape)
    assert dataset.input_shape == expected
    assert dataset.class_names == ("ant", "bee", "cow")
    assert all(type(name) is str for name in dataset.class_names)
    assert every_image(dataset) == {image.tobytes() for image in pixels(shape=shape)}


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.float32, ">f8"])
def test_whole_numbers_of_any_type_are_pixels(tmp_path: Path, dtype: Any) -> None:
    dataset = load(save(tmp_path, images=np.asfortranarray(pixels().astype(dtype)), labels=LABELS.astype(float)))
    assert every_image(dataset) == {image.tobytes() for image in pixels()}
    assert not dataset.notes


def test_floats_from_0_to_1_are_scaled_and_that_is_noted(tmp_path: Path) -> None:
    dataset = load(save(tmp_path, images=(pixels() / 255).astype(np.float32), labels=LABELS))
    assert every_image(dataset) == {image.tobytes() for image in pixels()}
    assert dataset.notes == ("pixels are floats from 0 to 1: stretched to 0 to 255 and rounded",)
    assert dataset.provenance["pixel_range"] == [0, 1]
    black_and_white = pixels() > 128
    dataset = load(save(tmp_path, images=black_and_white, labels=LABELS))
    assert every_image(dataset) == {(image * np.uint8(255)).tobytes() for image in black_and_white}


def with_value(value: float, dtype: Any = np.float64) -> np.ndarray:
    images = pixels().astype(dtype)
    images[7, 2, 3] = value
    return images


GOOD = pixels()
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "not a number": ({"images": with_value(np.nan)}, "number 7 has nan at (2, 3, 0); expected a finite number"),
    "infinite": ({"images": with_value(np.inf)}, "number 7 has inf at (2, 3, 0)"),
    "negative": ({"images": with_value(-1)}, "number 7 has -1.0 at (2, 3, 0); expected 0 to 255"),
    "too bright": ({"images": with_value(256, np.int32)}, "number 7 has 256 at (2, 3, 0); expected 0 to 255"),
    "objects": ({"images": np.array([[1], None] * 15, dtype=object)}, "holds Python objects, which are never read"),
    "texts": ({"images": np.array([["a"] * 9] * 30)}, "holds <U1; expected numbers"),
    "complex": ({"images": GOOD * 1j}, "expected numbers"),
    "records": ({"images": np.zeros(30, [("a", "u1")])}, "expected numbers"),
    "one dimension": ({"images": np.zeros(30)}, "expected images (N, H, W)"),
    "two channels": ({"images": pixels(shape=(4, 5, 2))}, "channels last"),
    "not square": ({"images": pixels(shape=(17,))}, "17 values per image are neither"),
    "no images": ({"images": pixels(0), "labels": LABELS[:0]}, "(0, 4, 5)"),
    "scalar": ({"labels": np.array(3)}, "is () of int64"),
    "fewer labels": ({"labels": LABELS[:-1]}, "holds 30 images, labels 29 labels"),
    "labels not whole": ({"labels": LABELS + 0.5}, "number 0 has 0.5; expected a whole class number"),
    "labels negative": ({"labels": LABELS - 1}, "number 0 is -1, expected 0 or more"),
    "labels not one-hot": ({"labels": np.eye(3)[LABELS] * 0.5}, "labels.argmax(axis=1)"),
    "one label of another class": ({"labels": np.where(np.arange(30) == 4, 7, LABELS)}, "class 3 has no image"),
    "one class": ({"labels": LABELS * 0}, "nothing to learn"),
    "no labels of the test": ({"test_images": GOOD}, "has the images test_images, but no labels for them"),
    "other test size": ({"test_images": pixels(3, (5, 5)), "test_labels": LABELS[:3]}, "expected one size"),
    "test class": ({"test_images": GOOD, "test_labels": LABELS + 1}, "expected 0 to 2"),
    "test not scaled": (
        {"images": GOOD / 255, "test_images": GOOD * 1.0, "test_labels": LABELS},
        "its pixels go from 0 to 255, those of",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_one_clear_line(tmp_path: Path, case: str) -> None:
    arrays, message = BAD[case]
    path = save(tmp_path, **({"images": GOOD, "labels": LABELS} | arrays))
    with pytest.raises(DataError) as caught:
        load(path)
    assert message in str(caught.value)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds a, b; expected an \.npz file with x_train"):
        load(save(tmp_path, a=GOOD, b=LABELS))


@pytest.mark.parametrize("name", ["images", "planes"])
def test_rows_of_colours_are_read_as_they_are_smooth(tmp_path: Path, name: str) -> None:
    """Planes one after the other, as CIFAR has them, and pixels one after the other."""
    images = smooth()
    rows = (images if name == "images" else np.moveaxis(images, -1, 1)).reshape(30, -1)
    dataset = load(save(tmp_path, images=rows, labels=LABELS))
    assert every_image(dataset) == {image.tobytes() for image in images}


def test_a_validation_set_of_its_own(tmp_path: Path) -> None:
    parts = {f"x_{name}": pixels(n, seed=n) for name, n in (("train", 30), ("val", 12), ("test", 6))}
    path = save(tmp_path, **parts, y_train=LABELS, y_val=LABELS[:12], y_test=LABELS[:6])
    dataset = load(path)
    np.testing.assert_array_equal(dataset.validation.images[..., 0], parts["x_val"])
    np.testing.assert_array_equal(dataset.train.images[..., 0], parts["x_train"])
    assert dataset.split["counts"] == {"train": 30, "validation": 12, "test": 6}
    assert dataset.split["fractions"] == {"validation": None, "test": None}
    other = save(
        tmp_path, **parts | {"x_val": pixels(12, seed=9)}, y_train=LABELS, y_val=LABELS[:12], y_test=LABELS[:6]
    )
    assert load(other).sha256 != dataset.sha256
    assert [file.items for file in convlens.data.verify(path)] == [48]


def test_a_member_that_is_no_array(tmp_path: Path) -> None:
    path = save(tmp_path, labels=LABELS)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("images", b"")
    with pytest.raises(DataError, match="has the labels labels, but no images"):
        load(path)


def with_header(shape: tuple[int, ...], content: bytes, dtype: str = "|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue() + content


def archive(folder: Path, images: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    labels = io.BytesIO()
    np.save(labels, LABELS)
    with zipfile.ZipFile(folder / "mine.npz", "w", compression) as file:
        file.writestr("images.npy", images)
        file.writestr("labels.npy", labels.getvalue())
    return folder / "mine.npz"


def test_a_header_that_claims_more_than_the_file_holds(tmp_path: Path) -> None:
    path = archive(tmp_path, with_header((30, 10**6, 10**6), bytes(600)))
    with pytest.raises(DataError, match=r"claims \(30, 1000000, 1000000\) of uint8, .* but the file holds 600"):
        load(path)
    path = archive(tmp_path, with_header((-30, -20), bytes(600)))
    with pytest.raises(DataError, match="its header claims"):
        load(path)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.data.sources import npz_file

    monkeypatch.setattr(npz_file, "LARGEST_CONTENT", 10**6)
    path = archive(tmp_path, with_header((24, 1000, 1000), bytes(24 * 10**6)))
    assert path.stat().st_size < 10**5
    with pytest.raises(DataError, match="24,000,000 bytes; expected 1 to 1,000,000"):
        load(path)


def test_files_that_are_damaged(tmp_path: Path) -> None:
    path = save(tmp_path, images=GOOD, labels=LABELS)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[200] ^= 0xFF
    for content in (whole[:-30], bytes(flipped), b"", b"no zip"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is damaged, or not an"):
            load(path)
        assert not convlens.data.verify(path)[0].ok
    with pytest.raises(DataError, match="is damaged"):
        load(archive(tmp_path, b"no array at all"))
    with pytest.raises(DataError, match=r"np\.savez does not use"):
        load(archive(tmp_path, with_header((30, 20), bytes(600)), zipfile.ZIP_LZMA))
