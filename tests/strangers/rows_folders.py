"""Folders of images as people have them: layouts, and what lies among the images."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.strangers.image_folders import Make, fill, png, values
from tests.strangers.table import Data, Row


def parts(*names: str) -> Make:
    """Write a folder for each part: 10 images of each class in the first, 3 in others."""

    def make(folder: Path) -> Path:
        for number, name in enumerate(names):
            fill(folder / name, each=3 if number else 10)
        return folder

    return make


def beside(*names: str, content: bytes = b"x") -> Make:
    """Write classes, and files beside their images; a name that ends in / is a folder of copies."""

    def make(folder: Path) -> Path:
        fill(folder)
        for name in names:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if name.endswith("/"):
                path.mkdir()
                png(path / "copy", values(1))
            else:
                path.write_bytes(content)
        return folder

    return make


def special(name: str) -> Make:
    """Put a pipe, a socket, a link to itself or a link to the folder above among a class's images."""

    def make(folder: Path) -> Path:
        path = fill(folder) / "cat" / f"{name}.png"
        if name == "pipe":
            os.mkfifo(path)
        elif name == "socket":
            here = Path.cwd()
            os.chdir(path.parent)  # a socket's path is at most about 100 characters
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(path.name)
            os.chdir(here)
        else:
            path.symlink_to(path if name == "loop" else folder, target_is_directory=name == "above")
        return folder

    return make


def kaggle(folder: Path) -> Path:
    (folder / "images").mkdir()
    for number in range(4):
        png(folder / "images" / str(number), values(number))
    (folder / "train.csv").write_text("id,label\n0,cat\n1,dog\n2,cat\n3,dog\n")
    return folder


def unsorted_parts(folder: Path) -> Path:
    for part in ("Train", "Test"):
        (folder / part).mkdir()
        for number in range(4):
            png(folder / part / str(number), values(number))
    return folder


def class_called_train(folder: Path) -> Path:
    return fill(folder, classes=("bus", "car", "train"))


def classes_and_parts(folder: Path) -> Path:
    return fill(parts("train", "test")(folder), classes=("annotations",), each=1)


def parts_in_classes(folder: Path) -> Path:
    for name in ("cat", "dog"):
        fill(folder / name, classes=("train", "test"))
    return folder


def one_level_too_many(folder: Path) -> Path:
    fill(folder / "PetImages")
    return folder


def accents(folder: Path) -> Path:
    """Names as macOS and as others encode them."""
    fill(folder / "train", classes=("g\u00fcrkchen", "tomate"))
    fill(folder / "test", classes=("gu\u0308rkchen", "tomate"), each=3)
    return folder


def pixels_beside(folder: Path) -> Path:
    """A table of pixels, and a folder without images."""
    (folder / "notes").mkdir()
    (folder / "data.csv").write_text("label,pixel0\n" + "0,0\n1,255\n" * 20)
    return folder


def one_each(folder: Path) -> Path:
    for name in ("train", "val", "test"):
        fill(folder / name, each=1)
    return folder


def with_empty(folder: Path) -> Path:
    (fill(folder) / "emu").mkdir()
    return folder


def not_utf8(folder: Path) -> Path:
    (fill(folder) / os.fsdecode(b"caf\xe9")).mkdir()
    return folder


LAYOUTS: list[Row] = [
    Data("Train and Test", parts("Train", "Test"), ("cat", "dog"), (5, 6, 1), (18, 2, 6)),
    Data("train, val and test", parts("train", "val", "test"), ("cat", "dog"), counts=(20, 6, 6)),
    Data("TRAINING, Testing and VALIDATION", parts("TRAINING", "Testing", "VALIDATION"), counts=(20, 6, 6)),
    Data("train and valid", parts("train", "valid"), counts=(18, 6, 2)),
    Data("train and dev", parts("train", "dev"), counts=(18, 6, 2)),
    Data("train alone", parts("train"), counts=(16, 2, 2)),
    Data("test alone", parts("test"), refused=True, says=("no train/", "nothing to train on", "or give")),
    Data("val and test alone", parts("val", "test"), refused=True, says=("holds test/ and val/ and no train/",)),
    Data("val and validation", parts("train", "val", "validation"), refused=True, says=("which mean the same",)),
    Data("parts without classes", unsorted_parts, refused=True,
         says=("Train: holds 4 images, but no folder for each",)),
    Data("a class called train", class_called_train, ("bus", "car", "train"), counts=(24, 3, 3),
         says=("train/ was taken for a class",)),
    Data("training_set and test_set", parts("training_set", "test_set"), ("cat", "dog"), counts=(18, 2, 6)),
    Data("seg_train and seg_test", parts("seg_train", "seg_test"), ("cat", "dog"), counts=(18, 2, 6)),
    Data("train and test1 without classes", lambda folder: fill(folder, ("train", "test1")), refused=True,
         says=("train: holds 10 images, but no folder for each class",)),
    Data("classes named like parts", lambda folder: fill(folder, ("test tube", "train driver")), counts=(16, 2, 2)),
    Data("images and masks", lambda folder: fill(folder, ("images", "masks")), refused=True,
         says=("holds images/ and masks/, which are no classes",)),
    Data("classes called images and icons", lambda folder: fill(folder, ("images", "icons")), ("icons", "images")),
    Data("parts beside another folder", classes_and_parts, refused=True, says=("beside them annotations/", "move")),
    Data("parts within classes", parts_in_classes, refused=True, says=("within a class", "test/cat")),
    Data("one level too many", one_level_too_many, refused=True, says=("nothing but the folder PetImages; give",)),
    Data("images and a table of labels", kaggle, refused=True,
         says=("no folder for each class", "train.csv is not read")),
    Data("images without classes", lambda folder: kaggle(folder) / "images", refused=True, says=("holds 4 images",)),
    Data("a table beside class folders", beside("labels.csv"), ("cat", "dog"), says=("not read: labels.csv",)),
    Data("a table of pixels and an empty folder", pixels_beside, ("0", "1")),
    Data("accents encoded in two ways", accents, ("g\u00fcrkchen", "tomate"), counts=(18, 2, 6)),
]  # fmt: skip

AMONG: list[Row] = [
    Data("folders of systems", beside("@eaDir/", "lost+found/", "$RECYCLE.BIN/", "__MACOSX/", ".ipynb_checkpoints/"),
         ("cat", "dog"), says=("not read:", "@eaDir", "lost+found", "$RECYCLE.BIN", "__MACOSX", ".ipynb_checkpoints")),
    Data("folders of systems within a class", beside("cat/@eaDir/", "dog/.ipynb_checkpoints/"), counts=(16, 2, 2),
         says=("cat/@eaDir", "dog/.ipynb_checkpoints")),
    Data("files of systems", beside("Thumbs.db", "cat/Thumbs.db", "dog/.DS_Store", "cat/desktop.ini"),
         counts=(16, 2, 2)),
    Data("a text in a class", beside("cat/README.txt", content=b"what this is"), refused=True,
         says=("README.txt: is not an image but text", "--skip-broken")),
    Data("a text in a class, skipped", beside("cat/README.txt"), counts=(16, 2, 2), options={"skip_broken": True}),
    Data("an empty file", beside("cat/x.png", content=b""), refused=True, says=("x.png: is empty",)),
    Data("HEIC", beside("cat/x.heic", content=b"\0\0\0\x18ftypheic\0\0\0\0"), refused=True, says=("is a HEIC image",)),
    Data("AVIF", beside("cat/x.avif", content=b"\0\0\0\x1cftypavif\0\0\0\0"), refused=True, says=("is an AVIF image",)),
    Data("a page in place of a picture", beside("cat/x.jpg", content=b"<!DOCTYPE html><html>"), refused=True,
         says=("a web page",)),
    Data("a camera's raw file", beside("cat/x.CR2"), refused=True, says=("a camera's raw file (CR2)",)),
    Data("a name that is not UTF-8", not_utf8, refused=True, says=("caf\\udce9' is not UTF-8; rename it",)),
    Data("a pipe", special("pipe"), refused=True, says=("pipe.png: cannot be read (it is a pipe",)),
    Data("a socket", special("socket"), refused=True, says=("it is a pipe, a socket or a device",)),
    Data("a pipe, skipped", special("pipe"), counts=(16, 2, 2), options={"skip_broken": True}),
    Data("a link to itself", special("loop"), refused=True, says=("loop.png: cannot be read (Too many levels",)),
    Data("a link to the folder above", special("above"), refused=True, says=("is a folder within a class",)),
]  # fmt: skip

COUNTS: list[Row] = [
    Data("5 images of a class", lambda folder: fill(folder, each=5), counts=(6, 2, 2)),
    Data("3 images of a class", lambda folder: fill(folder, each=3), counts=(2, 2, 2)),
    Data("2 images of a class", lambda folder: fill(folder, each=2), refused=True,
         says=("3 images of each class are needed, one each for training, validation and test", "cat has 2")),
    Data("2 images of one class", lambda folder: fill(fill(folder), ("owl",), each=2), refused=True,
         says=("owl has 2",)),
    Data("1 image of a class, with parts", one_each, counts=(2, 2, 2)),
    Data("a class without images", with_empty, refused=True, says=("the class 'emu' has no image",)),
]  # fmt: skip

ROWS = [*LAYOUTS, *AMONG, *COUNTS]
