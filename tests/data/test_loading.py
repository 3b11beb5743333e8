"""What `convlens.data` offers: names, folders, lists and full checks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.idx_files import read_images, read_labels, write_idx

import convlens.data
from convlens.data import Dataset, cache
from convlens.data.sources import mnist
from convlens.errors import ConfigurationError, DataError

WriteFolder = Callable[..., Path]


def test_mnist(loaded_digits: Dataset) -> None:
    before = loaded_digits.test.reads
    assert loaded_digits.test.images.shape == (10_000, 28, 28, 1)
    assert loaded_digits.test.reads == before + 1
    assert loaded_digits.train.images.shape == (54_000, 28, 28, 1)
    assert loaded_digits.input_shape == loaded_digits.preprocessing.input_shape == (28, 28, 1)
    assert loaded_digits.class_names == tuple("0123456789")
    assert loaded_digits.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert "CC BY-SA 3.0" in loaded_digits.provenance["licence"]


def test_the_parts_of_mnist_are_its_60_000_images(loaded_digits: Dataset) -> None:
    whole = read_images(mnist.ARCHIVE / "train-images-idx3-ubyte.gz")
    labels = read_labels(mnist.ARCHIVE / "train-labels-idx1-ubyte.gz")
    marked = {image.tobytes() + bytes([label]) for image, label in zip(whole, labels, strict=True)}
    parts = [
        {image.tobytes() + bytes([label]) for image, label in zip(part.images, part.labels, strict=True)}
        for part in (loaded_digits.train, loaded_digits.validation)
    ]
    assert len(marked) == 60_000  # no image of MNIST is there twice
    assert parts[0] | parts[1] == marked
    assert not parts[0] & parts[1]


def test_a_load_by_another_seed_or_fraction(loaded_digits: Dataset) -> None:
    other = convlens.data.load("mnist", validation_fraction=0.5, seed=1)
    assert other.split["counts"] == {"train": 30_000, "validation": 30_000, "test": 10_000}
    assert other.split["seed"] == 1
    assert convlens.data.load("mnist", seed=1).validation.labels.tobytes() != loaded_digits.validation.labels.tobytes()


def test_mnist_without_a_cache(monkeypatch: pytest.MonkeyPatch, loaded_digits: Dataset) -> None:
    monkeypatch.setattr(cache, "cache_folder", lambda: None)
    np.testing.assert_array_equal(convlens.data.load("mnist").test.images, loaded_digits.test.images)


def test_importing_stays_quick() -> None:
    program = "import sys, convlens.data; print([m for m in ('PIL', 'platformdirs', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["mnst", "no/such/folder"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no data set is called '{name}', and no file or folder .*mnist"):
        convlens.data.load(name)
    with pytest.raises(ConfigurationError, match=name):
        convlens.data.verify(name)


def test_a_file_or_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "cat.odd").write_bytes(b"")
    with pytest.raises(DataError, match=r"cat\.odd: is a file of an unknown kind; expected a folder of IDX"):
        convlens.data.load(tmp_path / "cat.odd")
    with pytest.raises(DataError, match=r"holds no data that convlens can read; expected a folder of IDX files named"):
        convlens.data.load(tmp_path)


def test_names_and_listing() -> None:
    assert convlens.data.names() == ("fashion-mnist", "mnist")
    fashion, line = convlens.data.listing()
    assert fashion.name == "fashion-mnist"
    assert (line.train_images, line.test_images, line.classes, line.ready) == (60_000, 10_000, 10, True)


def test_verify_mnist(loaded_digits: Dataset) -> None:
    files = convlens.data.verify("mnist")
    assert all(file.ok and file.sha256 == file.expected and not file.problem for file in files)
    assert [file.items for file in files if file.place == "archive"] == [60_000, 60_000, 10_000, 10_000]
    assert [file.items for file in files if file.place == "cache"] == [60_000, 10_000]


@pytest.fixture
def copied_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a copy in the archive's place, to be damaged."""
    copied = tmp_path / "archive"
    shutil.copytree(mnist.ARCHIVE, copied)
    monkeypatch.setattr(mnist, "ARCHIVE", copied)
    return copied


def test_an_archive_with_another_content(copied_archive: Path) -> None:
    path = copied_archive / "t10k-labels-idx1-ubyte.gz"
    write_idx(path, np.zeros(10_000, dtype=np.uint8))
    with pytest.raises(DataError, match=r"t10k-labels.*not the file that was published .*install"):
        convlens.data.load("mnist")
    (wrong,) = [file for file in convlens.data.verify("mnist") if not file.ok]
    assert wrong.name == path.name
    assert wrong.sha256 != wrong.expected
    assert "install convlens again" in wrong.problem


def test_an_archive_with_a_missing_and_a_truncated_file(copied_archive: Path) -> None:
    (copied_archive / "t10k-labels-idx1-ubyte.gz").unlink()
    path = copied_archive / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:1000])
    problems = [file.problem for file in convlens.data.verify("mnist") if not file.ok]
    assert len(problems) == 2
    assert "damaged gzip data" in problems[0]
    assert "cannot be read" in problems[1]
    assert not convlens.data.listing()[1].ready


def test_a_damaged_copy_is_reported_and_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path))
    damaged = tmp_path / "t10k-images-idx3-ubyte-0fa7898d509279e4"
    damaged.write_bytes(b"damaged")
    (wrong,) = [file for file in convlens.data.verify("mnist") if not file.ok]
    assert (wrong.place, wrong.items) == ("cache", 0)
    assert not damaged.exists()


@pytest.mark.parametrize("suffix", ["-idx-ubyte.gz", ""])
@pytest.mark.parametrize("test", ["t10k", "test"])
def test_a_folder_of_ones_own(write_folder: WriteFolder, test: str, suffix: str) -> None:
    folder = write_folder(test=test, suffix=suffix)
    mine = convlens.data.load(folder, validation_fraction=0.25)
    assert mine.name == "mine"
    assert mine.input_shape == mine.preprocessing.input_shape == (5, 4, 1)
    assert mine.class_names == ("0", "1", "2")
    assert mine.split["counts"] == {"train": 30, "validation": 10, "test": 9}
    assert mine.split["fractions"] == {"validation": 0.25, "test": None}
    assert sorted(mine.provenance["sha256"]) == sorted(path.name for path in folder.iterdir())
    np.testing.assert_array_equal(mine.test.images, read_images(folder / f"{test}-images{suffix}"))
    files = convlens.data.verify(str(folder))
    assert [(file.items, file.ok, file.expected) for file in files] == [
        (40, True, None),
        (40, True, None),
        (9, True, None),
        (9, True, None),
    ]


def test_a_folder_without_a_test_set_has_a_tenth_split_off(write_folder: WriteFolder) -> None:
    folder = write_folder()
    mine = convlens.data.load(folder, validation_fraction=0.25)
    assert mine.split["counts"] == {"train": 27, "validation": 9, "test": 4}
    assert mine.split["fractions"] == {"validation": 0.25, "test": 0.1}
    parts = [mine.train.images, mine.validation.images, mine.test.images]
    assert {image.tobytes() for part in parts for image in part} == {
        image.tobytes() for image in read_images(folder / "train-images-idx-ubyte.gz")
    }
    assert (mine.train.name, mine.validation.name, mine.test.name) == ("train", "validation", "test")


def write(folder: Path, name: str, array: object) -> None:
    write_idx(folder / f"{name}-idx-ubyte.gz", np.asarray(array, dtype=np.uint8))


FOLDER_DAMAGE = {
    "counts differ": (
        lambda folder: write(folder, "train-labels", np.arange(39) % 3),
        "train-images-idx-ubyte.gz holds 40 images, train-labels-idx-ubyte.gz 39 labels",
    ),
    "empty class": (
        lambda folder: write(folder, "train-labels", np.arange(40) % 3 * 2),
        "class 1 has no image",
    ),
    "one class": (lambda folder: write(folder, "train-labels", np.zeros(40)), "nothing to learn"),
    "test class": (
        lambda folder: write(folder, "t10k-labels", np.arange(9)),
        "number 3 is 3, expected 0 to 2",
    ),
    "test size": (
        lambda folder: write(folder, "t10k-images", np.zeros((9, 4, 5))),
        "training images are (5, 4, 1)",
    ),
    "swapped": (
        lambda folder: shutil.copy(folder / "train-labels-idx-ubyte.gz", folder / "train-images-idx-ubyte.gz"),
        "were image and label files swapped?",
    ),
    "no labels": (
        lambda folder: (folder / "train-labels-idx-ubyte.gz").unlink(),
        "has train-images-idx-ubyte.gz, no train-labels*",
    ),
    "no test images": (
        lambda folder: (folder / "t10k-images-idx-ubyte.gz").unlink(),
        "has t10k-labels-idx-ubyte.gz, no t10k-images*",
    ),
    "test only": (
        lambda folder: [path.unlink() for path in folder.glob("train*")],
        "has no train-images* and train-labels*",
    ),
    "twice": (
        lambda folder: write(folder, "test-images", np.zeros((9, 5, 4))),
        "has t10k-images-idx-ubyte.gz and test-images-idx-ubyte.gz; expected one of them",
    ),
}


@pytest.mark.parametrize("case", FOLDER_DAMAGE)
def test_folders_refused(write_folder: WriteFolder, case: str) -> None:
    damage, said = FOLDER_DAMAGE[case]
    folder = write_folder(test="t10k")
    damage(folder)
    with pytest.raises(DataError) as caught:
        convlens.data.load(folder, validation_fraction=0.25)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_small_fraction_keeps_one_image_of_each_class(write_folder: WriteFolder) -> None:
    found = convlens.data.load(write_folder(), validation_fraction=0.02)
    assert sorted(found.validation.labels.tolist()) == [0, 1, 2]
    assert found.notes == ("the validation set has 3 images, one of each class, more than 0.02 of all",)


def test_verifying_a_damaged_folder_reports(write_folder: WriteFolder) -> None:
    folder = write_folder()
    (folder / "train-labels-idx-ubyte.gz").write_bytes(b"rubbish")
    good, bad = convlens.data.verify(folder)
    assert good.ok
    assert not bad.ok
    assert "is not gzip data" in bad.problem


def test_names_in_any_alphabet(tmp_path: Path) -> None:
    folder = tmp_path / "Bilder №1 – größe"
    for name in ("кот", "犬"):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(np.full((4, 4), 20 * number, np.uint8)).save(folder / name / f"ü{number}.png")
    pictures = convlens.data.load(folder)
    assert pictures.name == "Bilder №1 – größe"
    assert pictures.class_names == ("кот", "犬")
    arrays = folder / "größe.npz"
    np.savez(arrays, images=pictures.train.images, labels=pictures.train.labels, class_names=pictures.class_names)
    assert convlens.data.load(arrays).class_names == ("кот", "犬")
    rows = folder / "größe.csv"
    rows.write_text("label,pixel0\n" + "0,170\n1,190\n" * 20)
    assert len(convlens.data.load(rows).class_names) == 2
