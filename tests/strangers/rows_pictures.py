"""The images of a folder: depths, colours and sizes; a picture is read for a model as its training images were."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from convlens.data import Dataset, load
from convlens.pictures import read_image
from convlens.preprocessing import Intake
from tests.strangers.image_folders import Make, Write, fill, pfm, png, tiff, values
from tests.strangers.table import Call, Command, Data, Row

BYTES = {values(100 * number + position).tobytes() for number in range(2) for position in range(10)}


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


def deeper_than_the_model(folder: Path) -> None:
    """Evaluate a model of eight bits on twelve, and one of twelve on twelve and on sixteen."""
    shallow = load(fill(folder / "shallow"))
    twelve = fill(folder / "twelve", change=scaled(4095))
    assert load(twelve, like=shallow).train.images.max() == 255
    deep = load(twelve)
    assert load(fill(folder / "dim", change=scaled(1000)), like=deep).train.images.max() == 62
    load(fill(folder / "sixteen", change=scaled(65535)), like=deep)


def lying_photographs(folder: Path) -> Path:
    """Photographs taken upright, stored lying on their side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in photographs(folder).glob("*/*.jpg"):
        Image.open(path).resize((40, 30)).save(path, exif=exif, quality=95)
    return folder


def few_images(folder: Path) -> None:
    """Evaluate on two images of each class, on one class, and on a test part alone."""
    model = load(fill(folder / "training"))
    few = load(fill(folder / "few", each=2), like=model)
    assert (len(few.train), len(few.validation), len(few.test)) == (0, 0, 4)
    assert few.test.labels.tolist() == [0, 0, 1, 1]
    assert few.notes == ("all 4 images are the test set: they are too few to split, or of one class",)
    one = load(fill(folder / "one", classes=("dog",)), like=model)
    assert (one.class_names, len(one.test)) == (("dog",), 10)
    fill(folder / "part" / "Test", each=3)
    part = load(folder / "part", like=model)
    assert (len(part.test), part.notes) == (6, ())
    assert len(load(folder / "training", like=model).test) == 2


def colours_for_a_grey_model(folder: Path) -> None:
    found = load(colours(40)(folder / "colours"), like=load(fill(folder / "grey")))
    assert found.input_shape == (5, 6, 1)
    assert "40 of 40 images show colours and were made grey, as the model takes them" in found.notes[0]


def pages(folder: Path) -> Path:
    """Stacks of images in one file."""
    for path in fill(folder, write=tiff).glob("cat/*.tif"):
        first = Image.open(path).copy()
        first.save(path, save_all=True, append_images=[first, first])
    return folder


PIXELS: list[Row] = [
    Data("TIFF", depth(lambda picture: picture, tiff), shape=(5, 6, 1), check=are_the_bytes),
    Data("TIFF of several pages", pages, says=("10 of 20 images have several frames or pages", "cat/0.tif")),
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
    Data("photographs that lie on their side", lying_photographs, shape=(40, 30, 3), check=same_when_loaded_and_read),
    Data("photographs on their side, resized", lying_photographs, shape=(9, 9, 3), options={"resize": 9},
         check=same_when_loaded_and_read),
    Call("few images to evaluate on", few_images, gives=lambda found: None),
    Call("colours for a grey model", colours_for_a_grey_model, gives=lambda found: None),
    Data("20 images of 4000 x 4000", huge, refused=True, says=("4,000 x 4,000 pixels", "1,048,576", "--resize")),
    Data("20 images of 4000 x 4000, resized", huge, shape=(8, 8, 1), options={"resize": 8}),
    Data("2,200 images of 1024 x 1024", too_many, refused=True,
         says=("would take 2.1 GiB", "limit of 2 GiB", "--resize")),
    Call("a model's size", photo_for_a_model, says=("resize is 17 x 17, and the model takes 16 x 16",)),
    Call("a model's white", deeper_than_the_model, says=("up to 65,535, and 4,095 is white in the model's training",)),
    Call("no size", lambda folder: load(photographs(folder), resize=0), says=("1 to 1,048,576 pixels",)),
    Call("half a size", lambda folder: load(photographs(folder), resize=1.5), says=("a whole number of pixels",)),
    Call("MNIST resized", lambda folder: load("mnist", resize=32), says=("only the images of a folder are resized",)),
    Call("a photograph of 48 megapixels", photograph, gives=lambda found: None),
    Command("--resize", photographs, "train cnn --data . --resize 16 --epochs 1",
         says=("20 of 20 images were resized",)),
    Command("--resize with words", photographs, "train cnn --data . --resize small", code=2,
         says=("--resize takes a number",)),
]  # fmt: skip

ROWS = [*PIXELS, *SIZES]
