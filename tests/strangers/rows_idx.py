"""IDX files as they come from torchvision, EMNIST and Kaggle, and paths that are no data set."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.data import Dataset
from tests.idx_files import write_idx
from tests.strangers.table import Command, Data, Row

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 9, 8), dtype=np.uint8)
LABELS = (np.arange(60) % 3).astype(np.uint8)
COUNTS = (54, 6, 30)

Make = Callable[[Path], Path]


def write(folder: Path, prefix: str = "", suffix: str = "-idx{}-ubyte", *, labels: np.ndarray = LABELS) -> Path:
    """Write a training set of 60 images and a test set of 30."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 60), ("t10k" if not prefix else "test", 30)):
        write_idx(folder / f"{prefix}{part}-images{suffix.format(3)}", IMAGES[:count])
        write_idx(folder / f"{prefix}{part}-labels{suffix.format(1)}", labels[:count])
    return folder


def side_by_side(folder: Path) -> Path:
    write(folder / "MNIST" / "raw")
    write(folder / "MNIST" / "raw", suffix="-idx{}-ubyte.gz")
    return folder


def raw_of_torchvision(folder: Path) -> Path:
    return side_by_side(folder) / "MNIST" / "raw"


def different_side_by_side(folder: Path) -> Path:
    write(folder, suffix="-idx{}-ubyte.gz")
    return write(folder, labels=LABELS[::-1])


def two_sets(folder: Path) -> Path:
    write(folder / "MNIST" / "raw")
    write(folder / "FashionMNIST" / "raw")
    return folder


def kaggle(folder: Path) -> Path:
    """Each file unpacked into a folder of its own name."""
    for name in [path.name for path in write(folder / "files").iterdir()]:
        (folder / name).mkdir()
        shutil.move(folder / "files" / name, folder / name / name)
    (folder / "files").rmdir()
    return folder


def emnist(*names: str, below: str = "", ask: str = "") -> Make:
    def make(folder: Path) -> Path:
        for name in names:
            labels = LABELS + np.uint8(1) if name == "letters" else LABELS
            write(folder / below, f"emnist-{name}-", "-idx{}-ubyte.gz", labels=labels)
            (folder / below / f"emnist-{name}-mapping.txt").write_text("1 65 97\n2 66 98\n3 67 99\n")
        return folder / ask if ask else folder

    return make


def upright(found: Dataset) -> None:
    expected = {image.T.tobytes() for image in IMAGES}
    images = np.concatenate([found.train.images, found.validation.images])
    assert {image[..., 0].tobytes() for image in images} == expected


def qmnist(folder: Path) -> Path:
    """Labels as records of eight numbers: the class, and who wrote the digit."""
    write(folder, "qmnist-")
    for part, count in (("train", 60), ("test", 30)):
        (folder / f"qmnist-{part}-labels-idx1-ubyte").unlink()
        records = np.full((count, 8), 70_000, ">i4")
        records[:, 0] = LABELS[:count]
        header = struct.pack(">BBBBII", 0, 0, 0x0C, 2, count, 8)
        (folder / f"qmnist-{part}-labels-idx2-int").write_bytes(header + records.tobytes())
    return folder


def called_mnist(found: Dataset) -> None:
    assert found.name == "MNIST"


def letters(folder: Path) -> Path:
    """26 letters, numbered from 1, as EMNIST has them."""
    labels = (np.arange(260) % 26 + 1).astype(np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (260, 8, 8), dtype=np.uint8)
    for part in ("train", "test"):
        write_idx(folder / f"emnist-letters-{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"emnist-letters-{part}-labels-idx1-ubyte.gz", labels)
    return folder


def file(name: str, content: bytes = b"x") -> Make:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def inside(name: str) -> Make:
    return lambda folder: file(name)(folder).parent


def picture(folder: Path) -> Path:
    Image.new("L", (8, 8)).save(folder / "seven.png")
    return folder / "seven.png"


ROWS: list[Row] = [
    Data("torchvision's raw, gzip and plain side by side", raw_of_torchvision, "012", (9, 8, 1), COUNTS),
    Data("torchvision's root", side_by_side, "012", (9, 8, 1), COUNTS, check=called_mnist),
    Data("torchvision's folder of the set", lambda folder: side_by_side(folder) / "MNIST", "012", counts=COUNTS),
    Data("torchvision's root with two sets", two_sets, refused=True,
         says=("2 data sets", "/MNIST/raw", "FashionMNIST/raw")),
    Data("packed and unpacked differ", different_side_by_side, refused=True, says=("differ", "move one away")),
    Data("Kaggle: each file in a folder of its own", kaggle, "012", (9, 8, 1), COUNTS),
    Data("Kaggle: a dot in the names", lambda folder: write(folder, suffix=".idx{}-ubyte"), "012", counts=COUNTS),
    Data("names in capitals", lambda folder: _renamed(write(folder), str.upper), "012", counts=COUNTS),
    Data("EMNIST digits", emnist("digits"), "012", (8, 9, 1), COUNTS, says=("transposed",), check=upright),
    Data("EMNIST letters", letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", counts=(234, 26, 260),
         says=("transposed", "labels 1 to 26 were numbered from 0")),
    Data("EMNIST letters in gzip/", emnist("letters", below="gzip"), "123", counts=COUNTS, says=("labels 1 to 3",)),
    Data("EMNIST with several sets", emnist("digits", "letters"), refused=True,
         says=("2 data sets", "/emnist-digits", "/emnist-letters")),
    Data("one of several sets of EMNIST", emnist("digits", "letters", ask="emnist-digits"), "012", counts=COUNTS),
    Data("one of several sets in raw", emnist("digits", "mnist", below="raw", ask="raw/emnist-mnist"), "012"),
    Data("labels from 1", lambda folder: write(folder, labels=LABELS + np.uint8(1)), "123", counts=COUNTS,
         says=("numbered from 0",)),
    Data("QMNIST", qmnist, "012", counts=COUNTS),
    Data("QMNIST's labels cut off", lambda folder: cut(qmnist(folder)), refused=True, says=("is truncated",)),
    Data("a note beside the files", lambda folder: inside("train-images.txt")(write(folder)), "012", counts=COUNTS),
    Data("one IDX file", lambda folder: write(folder) / "train-images-idx3-ubyte", refused=True,
         says=("is an IDX file; give the folder",)),
    Data("a zip archive", file("data.zip"), refused=True, says=("is an archive; unpack it",)),
    Data("a tar archive", file("data.tar.gz"), refused=True, says=("is an archive; unpack it",)),
    Data("a folder that holds an archive", inside("archive.zip"), refused=True, says=("unpack archive.zip first",)),
    Data("a folder that holds an npz file", inside("set.npz"), refused=True, says=("give the file", "set.npz")),
    Data("a MATLAB file", file("svhn.mat"), refused=True, says=("is a MATLAB file", "np.savez")),
    Data("a pickle", file("data.pkl"), refused=True, says=("Python objects, which are never read",)),
    Data("a spreadsheet", file("data.xlsx"), refused=True, says=("is a spreadsheet; save it as CSV",)),
    Data("a model", file("cnn.safetensors"), refused=True, says=("is a model; give the data",)),
    Data("one picture", picture, refused=True, says=("is one picture", "convlens predict --model MODEL seven.png")),
    Data("a device", lambda folder: Path("/dev/null"), refused=True, says=("but a pipe or a device",)),
    Data("an empty folder", lambda folder: folder, refused=True, says=("is empty",)),
    Data("a path with a null character", lambda folder: Path("a\0b"), refused=True, says=("no file or folder",)),
    Command("no name at all", lambda folder: None, "train cnn --data ''", code=2, says=("by its name or its path",)),
    Command("a picture as data", picture, "train cnn --data seven.png", code=2, says=("seven.png: is one picture",)),
]  # fmt: skip


def cut(folder: Path) -> Path:
    path = folder / "qmnist-train-labels-idx2-int"
    path.write_bytes(path.read_bytes()[:-4])
    return folder


def _renamed(folder: Path, change: Callable[[str], str]) -> Path:
    for path in list(folder.iterdir()):
        path.rename(folder / change(path.name))
    return folder
