"""Folders of images as people have them: layouts, formats, sizes, depths, and what lies among them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.data import Dataset, load
from convlens.pictures import read_image
from convlens.preprocessing import Intake
from tests.strangers.table import Call, Command, Data, Row

Make = Callable[[Path], Path]
Write = Callable[[Path, np.ndarray], object]


def png(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path.with_suffix(".png"))


def tiff(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path.with_suffix(".tif"))


def pfm(path: Path, values: np.ndarray) -> None:
    """Write a portable float map, whose rows go upwards."""
    header = f"Pf\n{values.shape[1]} {values.shape[0]}\n-1.0\n".encode()
    path.with_suffix(".pfm").write_bytes(header + values[::-1].astype("<f4").tobytes())


def values(number: int, size: tuple[int, int] = (6, 5)) -> np.ndarray:
    """Return a picture of bytes from 0 to 255."""
    found = np.random.default_rng(number).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    found[0, :2] = 0, 255
    return found


def fill(
    folder: Path,
    classes: tuple[str, ...] = ("cat", "dog"),
    each: int = 10,
    write: Write = png,
    change: Callable[[np.ndarray], np.ndarray] = lambda picture: picture,
) -> Path:
    """Write a folder for each class."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for position in range(each):
            write(folder / name / str(position), change(values(100 * number + position)))
    return folder


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


def depth(change: Callable[[np.ndarray], np.ndarray], write: Write = png) -> Make:
    return lambda folder: fill(folder, write=write, change=change)


def scaled(most: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda picture: np.rint(picture * (most / 255)).astype(np.uint16)


def colours(count: int, of: int = 40) -> Make:
    """Write `of` images, `count` of which show colours."""

    def make(folder: Path) -> Path:
        fill(folder, each=of // 2)
        for path in sorted(folder.glob("*/*.png"))[:count]:
            Image.fromarray(np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)).save(path)
        return folder

    return make


def coloured_of_another_size(folder: Path) -> Path:
    fill(folder)
    for number in range(5):
        Image.new("RGB", (9, 9), (number, 200, 0)).save(folder / "cat" / f"odd{number}.png")
    return folder


def grey_saved_in_colour(folder: Path) -> Path:
    return fill(folder, change=lambda picture: np.repeat(picture[..., np.newaxis], 3, axis=2))


def photographs(folder: Path) -> Path:
    """Photographs of many sizes, a red square in the middle of some and a blue one in the others."""
    for name, colour in (("red", (220, 20, 20)), ("blue", (20, 20, 220))):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            photo = np.zeros((60 + 3 * number, 80 + number, 3), np.uint8)
            photo[20:40, 30:50] = colour
            Image.fromarray(photo).save(folder / name / f"{number}.jpg", quality=95)
    return folder


def mixed_depths(folder: Path) -> Path:
    fill(folder, each=5, change=scaled(65535))
    fill(folder / "more", each=5, write=tiff, change=lambda picture: picture.astype(np.float32) / 255)
    for path in (folder / "more").glob("*/*.tif"):
        path.rename(folder / path.parent.name / path.name)
    for name in ("cat", "dog"):
        (folder / "more" / name).rmdir()
    (folder / "more").rmdir()
    return folder


def dimmer_test(folder: Path) -> Path:
    fill(folder / "train", change=scaled(65535))
    fill(folder / "test", change=scaled(4095))
    return folder


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
    (folder / "data.csv").write_text("label,pixel0\n" + "0,7\n1,9\n" * 20)
    return folder


def huge(folder: Path) -> Path:
    """20 images that would take a gigabyte; their files are small."""
    for name in ("cat", "dog"):
        (folder / name).mkdir()
        for number in range(10):
            Image.new("1", (4000, 4000)).save(folder / name / f"{number}.png")
    return folder


def too_many(folder: Path) -> Path:
    for name in ("cat", "dog"):
        (folder / name).mkdir()
        Image.new("1", (1024, 1024)).save(folder / name / "0.png")
        for number in range(1, 1100):
            os.link(folder / name / "0.png", folder / name / f"{number}.png")
    return folder


def same_when_loaded_and_read(found: Dataset) -> None:
    """Check that a model's pictures are read as the training images were."""
    folder = Path(found.provenance["source"].removeprefix("image files in "))
    loaded = {image.tobytes() for part in (found.train, found.validation, found.test) for image in part.images}
    read = {read_image(path, found.input_shape, intake=found.intake).tobytes() for path in folder.glob("*/*")}
    assert read == loaded
    again = load(folder, like=found)
    assert (again.input_shape, again.intake) == (found.input_shape, found.intake)
    assert {image.tobytes() for part in (again.train, again.validation, again.test) for image in part.images} == loaded


BYTES = {values(100 * number + position).tobytes() for number in range(2) for position in range(10)}


def are_the_bytes(found: Dataset) -> None:
    assert {image.tobytes() for part in (found.train, found.validation, found.test) for image in part.images} == BYTES
    same_when_loaded_and_read(found)


def photo_for_a_model(folder: Path) -> None:
    found = load(photographs(folder / "set"), resize=16)
    assert found.input_shape == (16, 16, 3)
    same_when_loaded_and_read(found)
    other = load(photographs(folder / "other"), like=found)
    assert other.input_shape == (16, 16, 3)
    load(fill(folder / "grey"), like=found, resize=(16, 16))
    load(photographs(folder / "third"), resize=17, like=found)


def photograph(folder: Path) -> None:
    Image.new("L", (8000, 6000), 9).save(folder / "photo.jpg")
    assert np.unique(read_image(folder / "photo.jpg", (8, 8, 1), intake=Intake(resize=True))).tolist() == [9]


def one_each(folder: Path) -> Path:
    for name in ("train", "val", "test"):
        fill(folder / name, each=1)
    return folder


def with_empty(folder: Path) -> Path:
    (fill(folder) / "emu").mkdir()
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
    Data("a class called train", class_called_train, ("bus", "car", "train"), counts=(24, 3, 3)),
    Data("parts beside another folder", classes_and_parts, refused=True, says=("beside them annotations/", "move")),
    Data("parts within classes", parts_in_classes, refused=True, says=("within a class", "test/cat")),
    Data("one level too many", one_level_too_many, refused=True, says=("nothing but the folder PetImages; give",)),
    Data("images and a table of labels", kaggle, refused=True,
         says=("no folder for each class", "train.csv lists them")),
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
    Data("a pipe", special("pipe"), refused=True, says=("pipe.png: cannot be read (it is a pipe",)),
    Data("a socket", special("socket"), refused=True, says=("it is a pipe, a socket or a device",)),
    Data("a pipe, skipped", special("pipe"), counts=(16, 2, 2), options={"skip_broken": True}),
    Data("a link to itself", special("loop"), refused=True, says=("loop.png: cannot be read (Too many levels",)),
    Data("a link to the folder above", special("above"), refused=True, says=("is a folder within a class",)),
]  # fmt: skip

PIXELS: list[Row] = [
    Data("TIFF", depth(lambda picture: picture, tiff), shape=(5, 6, 1), check=are_the_bytes),
    Data("16 bits in full", depth(scaled(65535)), check=are_the_bytes, says=("65,535 was taken for white",)),
    Data("16 bits that hold 12", depth(scaled(4095)), check=are_the_bytes, says=("4,095 was taken for white",)),
    Data("16 bits that hold 10", depth(scaled(1023), tiff), check=are_the_bytes, says=("1,023",)),
    Data("16 bits that hold 8", depth(scaled(255)), check=are_the_bytes, says=("20 of 20", "255 was taken for white")),
    Data("16 bits that hold 5", depth(scaled(31)), refused=True, says=("up to 31, and no way to tell", "convert")),
    Data("16 bits that hold 4", depth(scaled(15)), says=("15 was taken for white",)),
    Data("8 bits that hold 1", depth(lambda picture: picture // 128), says=("all but black", "is 1 of 255")),
    Data("16 bits that hold 1", depth(scaled(1)), pixels={0, 255}, says=("1 was taken for white",)),
    Data("32 bits that hold 16", depth(lambda picture: picture.astype(np.int32) * 257, tiff), check=are_the_bytes),
    Data("32 bits", depth(lambda picture: picture.astype(np.int32) << 20, tiff), refused=True, says=("sixteen bits",)),
    Data("negative numbers", depth(lambda picture: -picture.astype(np.int32), tiff), refused=True, says=("negative",)),
    Data("PFM from 0 to 1", depth(lambda picture: picture / 255, pfm), check=are_the_bytes, says=("1 was taken",)),
    Data("floats from 0 to 255", depth(lambda picture: picture.astype(np.float32), tiff), check=are_the_bytes),
    Data("floats from 0 to 50", depth(lambda picture: picture.astype(np.float32) / 5.1, tiff), refused=True,
         says=("no way to tell",)),
    Data("NaN", depth(lambda picture: picture * np.float32("nan"), tiff), refused=True, says=("non-finite",)),
    Data("floats and 16 bits", mixed_depths, refused=True,
         says=("whole numbers for which 65,535", "floats for which 1 ")),
    Data("a test part of fewer bits", dimmer_test, refused=True, says=("images of test have values up to 4,095",)),
    Data("1 bit", depth(lambda picture: picture > 127), pixels={0, 255}, shape=(5, 6, 1)),
    Data("grey saved in colour", grey_saved_in_colour, shape=(5, 6, 1), check=are_the_bytes),
    Data("one image in colour", colours(1), shape=(5, 6, 1),
         says=("1 of 40 images show colours and were made grey", "cat/0.png")),
    Data("all but one in colour", colours(39), shape=(5, 6, 3), says=("1 of 40 images are grey",)),
    Data("skipped files in colour", coloured_of_another_size, shape=(5, 6, 1), options={"skip_broken": True}),
]  # fmt: skip

SIZES: list[Row] = [
    Data("photographs of many sizes", photographs, refused=True, says=("are of 10 sizes", "--resize")),
    Data("photographs resized", photographs, ("blue", "red"), (24, 32, 3),
         says=("20 of 20 images were resized to 32 x 24",),
         options={"resize": (24, 32)}, check=same_when_loaded_and_read),
    Data("20 images of 4000 x 4000", huge, refused=True, says=("4,000 x 4,000 pixels", "1,048,576", "--resize")),
    Data("20 images of 4000 x 4000, resized", huge, shape=(8, 8, 1), options={"resize": 8}),
    Data("2,200 images of 1024 x 1024", too_many, refused=True,
         says=("would take 2.1 GiB", "limit of 2 GiB", "--resize")),
    Call("a model's size", photo_for_a_model, says=("resize is 17 x 17, and the model takes 16 x 16",)),
    Call("no size", lambda folder: load(photographs(folder), resize=0), says=("1 to 1,048,576 pixels",)),
    Call("half a size", lambda folder: load(photographs(folder), resize=1.5), says=("a whole number of pixels",)),
    Call("MNIST resized", lambda folder: load("mnist", resize=32), says=("only the images of a folder are resized",)),
    Call("a photograph of 48 megapixels", photograph, gives=lambda found: None),
    Command("--resize", photographs, "train cnn --data . --resize 16 --epochs 1",
         says=("20 of 20 images were resized",)),
    Command("--resize with words", photographs, "train cnn --data . --resize small", code=2,
         says=("--resize takes a number",)),
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

ROWS = [*LAYOUTS, *AMONG, *PIXELS, *SIZES, *COUNTS]
