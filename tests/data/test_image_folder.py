"""Folders of images: what is read, what is rejected, and what is skipped on request."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convlens.data
from convlens.errors import ConfigurationError, DataError

CLASSES = ("cat", "dog", "owl")


def picture(seed: int, mode: str = "L", size: tuple[int, int] = (6, 5)) -> Image.Image:
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def fill(folder: Path, each: int = 10, mode: str = "L", classes: tuple[str, ...] = CLASSES) -> Path:
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for position in range(each):
            picture(100 * number + position, mode).save(folder / name / f"{position}.png")
    return folder


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    return fill(tmp_path / "animals")


def pixels_by_class(dataset: convlens.data.Dataset) -> dict[str, set[bytes]]:
    found: dict[str, set[bytes]] = {name: set() for name in dataset.class_names}
    for part in (dataset.train, dataset.validation, dataset.test):
        for image, label in zip(part.images, part.labels, strict=True):
            found[dataset.class_names[label]].add(image.tobytes())
    return found


def load(folder: Path, *, skip_broken: bool = False) -> convlens.data.Dataset:
    return convlens.data.load(folder, validation_fraction=0.25, skip_broken=skip_broken)


def test_a_class_is_a_sub_folder(animals: Path) -> None:
    dataset = load(animals)
    assert dataset.class_names == CLASSES
    assert dataset.input_shape == (5, 6, 1)
    assert dataset.name == "animals"
    assert "skipped" not in dataset.provenance
    expected = {name: {np.asarray(picture(100 * n + i)).tobytes() for i in range(10)} for n, name in enumerate(CLASSES)}
    assert {name: len(found) for name, found in pixels_by_class(dataset).items()} == dict.fromkeys(CLASSES, 10)
    assert pixels_by_class(dataset) == expected


def test_train_and_test_above_the_classes(tmp_path: Path) -> None:
    fill(tmp_path / "sets" / "train")
    fill(tmp_path / "sets" / "test", each=2, classes=("cat", "owl"))
    dataset = load(tmp_path / "sets")
    assert dataset.split["counts"] == {"train": 22, "validation": 8, "test": 4}
    assert dataset.test.labels.tolist() == [0, 0, 2, 2]
    (tmp_path / "sets" / "test" / "emu").mkdir()
    with pytest.raises(DataError, match=r"test/emu: there is no training class of that name; known: cat, dog, owl"):
        load(tmp_path / "sets")


def test_most_images_decide_between_grey_and_colour(tmp_path: Path) -> None:
    grey = fill(tmp_path / "grey")
    picture(1, "RGB").save(grey / "cat" / "0.png")
    found = load(grey)
    assert found.input_shape == (5, 6, 1)
    assert found.notes == ("1 of 30 images show colours and were made grey, as the others are: cat/0.png",)
    assert np.asarray(picture(1, "RGB").convert("L")).tobytes() in pixels_by_class(found)["cat"]
    colour = fill(tmp_path / "colour", mode="RGB")
    picture(1).save(colour / "cat" / "0.png")
    found = load(colour)
    assert found.input_shape == (5, 6, 3)
    assert found.notes == ("1 of 30 images are grey; all were read in colour, as most are",)
    saved_in_colour = fill(tmp_path / "saved")
    for path in saved_in_colour.glob("*/*.png"):
        Image.open(path).convert("RGB").save(path)
    picture(1, "RGB").save(saved_in_colour / "cat" / "0.png")
    found = load(saved_in_colour)
    assert found.notes == ("1 of 30 images show colours and were made grey, as the others are: cat/0.png",)
    assert pixels_by_class(found) == pixels_by_class(load(grey))


def test_numbers_as_names_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    folder = fill(tmp_path / "n", each=12, classes=tuple(map(str, range(12))))
    assert convlens.data.load(folder, validation_fraction=0.4).class_names == tuple(map(str, range(12)))


def test_hidden_files_are_passed_over_and_links_followed(animals: Path, tmp_path: Path) -> None:
    for hidden in (".DS_Store", "._1.png", "Thumbs.db"):
        (animals / "cat" / hidden).write_bytes(b"\0rubbish")
    (animals / ".git").mkdir()
    picture(999).save(tmp_path / "elsewhere.png")
    (animals / "dog" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    assert len(pixels_by_class(load(animals))["dog"]) == 11
    (animals / "dog" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match=r"dog/lost\.png: cannot be read \(No such file"):
        load(animals)


def test_an_image_is_turned_upright(tmp_path: Path) -> None:
    folder = fill(tmp_path / "a")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture(5, size=(5, 6))
    lying.save(folder / "cat" / "turned.png", exif=exif)
    expected = np.asarray(lying.transpose(Image.Transpose.ROTATE_270)).tobytes()
    assert expected in pixels_by_class(load(folder))["cat"]


def huge() -> bytes:
    """A PNG that claims 30,000 x 30,000 pixels."""
    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = (30_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


def truncated() -> bytes:
    buffer = io.BytesIO()
    picture(0, size=(6, 5)).save(buffer, "PNG")
    return buffer.getvalue()[:-30]


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda path: path.write_bytes(truncated()), "is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "text": (lambda path: path.write_text("no image"), "is not an image but text"),
    "huge": (lambda path: path.write_bytes(huge()), "is refused as a decompression bomb"),
    "large": (lambda path: Image.new("1", (9000, 9000)).save(path), "more than the 67,108,864 pixels"),
    "pipe": (os.mkfifo, "is a pipe"),
    "loop": (lambda path: path.symlink_to(path), "cannot be read (Too many levels of symbolic links)"),
    "folder": (lambda path: path.mkdir(), "is a folder within a class"),
    "odd size": (lambda path: picture(0, size=(5, 5)).save(path), "is 5 x 5 pixels, and most images are 6 x 5"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_named_and_can_be_skipped(animals: Path, kind: str) -> None:
    write, problem = BROKEN[kind]
    write(animals / "dog" / "bad.png")
    with pytest.raises(DataError) as caught:
        load(animals)
    message = str(caught.value)
    assert message.startswith(str(animals / "dog" / "bad.png"))
    assert problem in message
    assert "--skip-broken" in message
    assert "\n" not in message
    skipping = load(animals, skip_broken=True)
    (skipped,) = skipping.provenance["skipped"]
    assert skipped.startswith("dog/bad.png: ")
    assert problem in skipped
    assert len(pixels_by_class(skipping)["dog"]) == 10
    bad = [file for file in convlens.data.verify(animals) if not file.ok]
    assert [file.name for file in bad] == ["dog/bad.png"]
    assert problem in bad[0].problem


def test_one_broken_file_among_a_thousand(tmp_path: Path) -> None:
    folder = fill(tmp_path / "many", each=500, classes=("a", "b"))
    (folder / "b" / "377.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"b/377\.png: is not an image"):
        load(folder)
    assert load(folder, skip_broken=True).provenance["skipped"] == ["b/377.png: is not an image but text"]


def test_classes_that_are_none(animals: Path) -> None:
    (animals / "emu").mkdir()
    with pytest.raises(DataError, match="the class 'emu' has no image"):
        load(animals)
    (animals / "emu" / "1.png").write_bytes(b"")
    with pytest.raises(DataError, match="the class 'emu' has no image"):
        load(animals, skip_broken=True)
    picture(0, size=(1, 1)).save(animals / "emu" / "1.png")
    with pytest.raises(DataError, match="no image of the class 'emu' is left"):
        load(animals, skip_broken=True)


def test_one_class_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has only cat; expected two classes"):
        load(fill(tmp_path / "one", classes=("cat",)))


def test_a_file_beside_the_classes_is_not_read_and_that_is_said(animals: Path) -> None:
    (animals / "readme.txt").write_text("hello")
    (animals / "labels.csv").write_text("label,pixel0\n" + "0,7\n1,9\n" * 20)
    found = load(animals)
    assert found.class_names == CLASSES
    assert found.notes == ("not read: labels.csv, readme.txt (not in the folder of a class)",)


def test_skipping_is_for_folders_of_images() -> None:
    with pytest.raises(ConfigurationError, match="mnist: only a folder of images can be loaded without"):
        convlens.data.load("mnist", skip_broken=True)


def test_verify_counts_every_class(animals: Path) -> None:
    files = convlens.data.verify(animals)
    assert [(file.name, file.items, file.ok) for file in files] == [(name, 10, True) for name in CLASSES]
    assert len({file.sha256 for file in files}) == 3
