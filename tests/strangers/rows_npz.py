"""npz files as people save them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convlens.data import Dataset
from convlens.errors import ConfigurationError, DataError
from tests.strangers.table import Call, Command, Data, Row

LABELS = np.arange(60) % 3
IMAGES = np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8)
INK = (IMAGES > 150).astype(np.uint8)
SHADES = np.arange(64, dtype=np.uint8).reshape(8, 8)
COLOUR = np.stack([np.full((8, 8), 10) + SHADES, np.full((8, 8), 230) - 2 * SHADES, np.full((8, 8), 90)], axis=-1)
COLOURS = np.tile(COLOUR.astype(np.uint8), (60, 1, 1, 1))


def npz(**arrays: Any) -> Callable[[Path], Path]:
    """Return what writes an npz file of these arrays."""

    def make(folder: Path) -> Path:
        np.savez(folder / "data.npz", **arrays)
        return folder / "data.npz"

    return make


def images_are(wanted: np.ndarray) -> Callable[[Dataset], None]:
    """Return a check that all images together are these."""

    def check(found: Dataset) -> None:
        assert {bytes(image) for image in found.whole().images} == {bytes(image) for image in wanted}

    return check


def labels_follow(given: np.ndarray, names: list[str]) -> Callable[[Dataset], None]:
    """Return a check that every image has kept its label, under these names."""

    def check(found: Dataset) -> None:
        whole = found.whole()
        name_of = {bytes(image): name for image, name in zip(IMAGES, given, strict=True)}
        named = [found.class_names[label] for label in whole.labels]
        assert named == [str(name_of[bytes(image)]) for image in whole.images]
        assert list(found.class_names) == names

    return check


def lying_header(folder: Path) -> Path:
    """Write a header that claims a terabyte."""
    path = npz(labels=LABELS)(folder)
    with zipfile.ZipFile(path, "a") as file, file.open("images.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "|u1", "fortran_order": False, "shape": (60, 10**5, 10**5)}
        )
    return path


def small(name: str, images: np.ndarray, **options: Any) -> Data:
    return Data(name, npz(images=images, labels=LABELS), **options)


class Trained:
    """What a model records of the tables that it was trained on."""

    input_shape = (8, 8, 1)

    def __init__(self, pixel_range: list[int]) -> None:
        self.provenance = {"pixel_range": pixel_range}


RANGES: list[Row] = [
    small("whole numbers 0 and 1", INK, pixels={0, 255}, says=["whole numbers from 0 to 1"]),
    small("int64 0 and 1", INK.astype(np.int64), pixels={0, 255}, says=["whole numbers from 0 to 1"]),
    small("floats 0. and 1.", INK.astype(np.float64), pixels={0, 255}, says=["whole numbers from 0 to 1"]),
    small("booleans", INK > 0, pixels={0, 255}),
    small("-1 and 1", 2.0 * INK - 1, pixels={0, 255}, says=["from -1 to 1"]),
    small("floats -1 to 1", IMAGES / 127.5 - 1, says=["floats from -1 to 1"], check=images_are(IMAGES)),
    small("floats -0.5 to 0.5", IMAGES / 255 - 0.5, says=["floats from -0.5 to 0.5"], check=images_are(IMAGES)),
    small("floats 0 to 1, interpolated beyond", IMAGES / 254.7, says=["floats from 0 to 1"]),
    small("floats 0 to 255", IMAGES * 0.999, says=["rounded"], check=images_are(IMAGES)),
    small("0 to 16, as scikit-learn's digits", np.rint(IMAGES / 16.0), says=["from 0 to 16: stretched"]),
    small("0 to 15", IMAGES // 17, pixels=set(range(0, 256, 17)), says=["from 0 to 15"]),
    small("12 bits", IMAGES.astype(np.uint16) * 16, says=["from 0 to 4095"]),
    small("16 bits", IMAGES.astype(np.uint16) * 257, says=["from 0 to 65535"], check=images_are(IMAGES)),
    small("10 bits in floats", IMAGES * 4.0 + 0.5, refused=True, says=["it is not clear"]),
    small("16-bit numbers from 0 to 255", IMAGES.astype(np.uint16), check=images_are(IMAGES)),
    small("0 to 300", IMAGES * (300 / 255) // 1, refused=True, says=["go from 0 to 300", "it is not clear"]),
    small("0 to 9", IMAGES // 26, refused=True, says=["go from 0 to 9", "it is not clear", "scale them"]),
    small("divided by 255 twice", IMAGES / 255**2, refused=True, says=["it is not clear"]),
    small("standardised", (IMAGES - 128.0) / 74, refused=True, says=["from_arrays"]),
    small("int8 overflown", IMAGES.astype(np.int8), refused=True, says=["go from -128 to 127"]),
    small("one value too large", np.where(np.arange(64).reshape(8, 8) == 9, 300, IMAGES.astype(int)).astype(int) *
          (np.arange(60) == 7)[:, None, None], refused=True, says=["number 7 has 300 at (1, 1, 0)"]),
    small("all black", IMAGES * 0, says=["every pixel of every image is 0"]),
    small("dark", IMAGES // 3, says=["the images are dark: the brightest pixel of all is 85"]),
    Data("test images in another range",
         npz(x_train=IMAGES, y_train=LABELS, x_test=IMAGES / 255, y_test=LABELS),
         refused=True, says=["x_test: its pixels go from 0 to 1", "x_train from 0 to 255", "one range"]),
    Data("test images with whole numbers 0 and 1 too",
         npz(x_train=INK, y_train=LABELS, x_test=INK[:9] * 1.0, y_test=LABELS[:9]), pixels={0, 255}),
    Data("test images that happen to reach ten of twelve bits",
         npz(x_train=IMAGES.astype(int) * 16, y_train=LABELS, x_test=IMAGES[:9].astype(int) * 4, y_test=LABELS[:9]),
         says=["from 0 to 4095"]),
    small("evaluated images that happen to reach 15 of 16", IMAGES // 17, says=["from 0 to 16"],
          options={"like": Trained([0, 16])}),
    small("evaluated images that happen to reach ten of twelve bits", IMAGES * 4.0 // 1, says=["from 0 to 4095"],
          options={"like": Trained([0, 4095])}),
    small("evaluated bytes, for a model of floats", IMAGES, check=images_are(IMAGES),
          options={"like": Trained([0, 1])}),
    Data("test images that happen to reach 15 of 16",
         npz(x_train=np.rint(IMAGES / 16.0), y_train=LABELS, x_test=np.rint(IMAGES[:9] / 17), y_test=LABELS[:9]),
         says=["from 0 to 16"]),
]  # fmt: skip

NAMES: list[Row] = [
    Data("images and labels", npz(images=IMAGES, labels=LABELS), classes="012", shape=(8, 8, 1), counts=(49, 5, 6)),
    Data("Keras's with validation",
         npz(x_train=IMAGES, y_train=LABELS, x_val=IMAGES[:9], y_val=LABELS[:9], x_test=IMAGES[:6], y_test=LABELS[:6]),
         counts=(60, 9, 6)),
    Data("MedMNIST's",
         npz(train_images=COLOURS, train_labels=LABELS[:, None], val_images=COLOURS[:9], val_labels=LABELS[:9, None],
             test_images=COLOURS[:6], test_labels=LABELS[:6, None]), counts=(60, 9, 6), shape=(8, 8, 3)),
    Data("X_train, y_train", npz(X_train=IMAGES, y_train=LABELS), counts=(49, 5, 6)),
    Data("X, y", npz(X=IMAGES, y=LABELS), counts=(49, 5, 6)),
    Data("data, target", npz(data=IMAGES.reshape(60, 64), target=LABELS), shape=(8, 8, 1), counts=(49, 5, 6)),
    Data("TRAIN_X, TRAIN_Y", npz(TRAIN_X=IMAGES, TRAIN_Y=LABELS), counts=(49, 5, 6)),
    Data("xTrain, yTrain, Xtest, ytest", npz(xTrain=IMAGES, yTrain=LABELS, Xtest=IMAGES[:6], ytest=LABELS[:6]),
         counts=(54, 6, 6)),
    Data("train_set_x, train_set_y", npz(train_set_x_orig=IMAGES, train_set_y=LABELS), counts=(49, 5, 6)),
    Data("other arrays are not used, and that is said", npz(X=IMAGES, y=LABELS, ids=LABELS, when=LABELS),
         says=["not used: ids, when"]),
    Data("two that could be the images", npz(images=IMAGES, x_train=IMAGES, labels=LABELS), refused=True,
         says=["both images and x_train"]),
    Data("without names", npz(arr_0=IMAGES, arr_1=LABELS), refused=True, says=["holds arr_0, arr_1", "images=..."]),
    Data("without labels", npz(images=IMAGES), refused=True, says=["no labels", "only predicting does without"]),
    Data("labels of another number", npz(images=IMAGES, labels=LABELS[:-1]), refused=True, says=("60", "59")),
    Data("images last, as MATLAB has them", npz(X=np.moveaxis(COLOURS, 0, -1), y=LABELS), refused=True,
         says=["np.moveaxis(images, -1, 0)"]),
]  # fmt: skip

LABELLED: list[Row] = [
    Data("labels are one-hot", npz(images=IMAGES, labels=np.eye(3)[LABELS]), classes="012", says=["one-hot"],
         check=labels_follow(LABELS, ["0", "1", "2"])),
    Data("several labels for each image", npz(images=IMAGES, labels=np.ones((60, 14), int)), refused=True,
         says=["not one-hot", "several classes at once"]),
    Data("probabilities for labels", npz(images=IMAGES, labels=np.eye(3)[LABELS] * 0.9), refused=True,
         says=["not one-hot", "labels.argmax(axis=1)"]),
    Data("labels from 1", npz(images=IMAGES, labels=LABELS + 1), says=["named by these numbers"],
         check=labels_follow(LABELS + 1, ["1", "2", "3"])),
    Data("labels from 1 with names", npz(images=IMAGES, labels=LABELS + 1, class_names=["a", "b", "c"]), classes="abc",
         says=["the first class is a"], check=labels_follow(np.array(["a", "b", "c"])[LABELS], ["a", "b", "c"])),
    Data("two digits of ten", npz(images=IMAGES, labels=np.array([3, 8, 8])[LABELS]), says=["labels are 3, 8"],
         check=labels_follow(np.array([3, 8, 8])[LABELS], ["3", "8"])),
    Data("labels -1 and 1", npz(images=IMAGES, labels=np.where(LABELS, 1, -1)), classes=["-1", "1"]),
    Data("a label that occurs once", npz(images=IMAGES, labels=np.where(np.arange(60) == 4, 9, LABELS)), refused=True,
         says=["class 3 has no image"]),
    Data("labels are names", npz(images=IMAGES, labels=np.array(["cat", "ant", "bee"])[LABELS]),
         check=labels_follow(np.array(["cat", "ant", "bee"])[LABELS], ["ant", "bee", "cat"])),
    Data("labels are blank", npz(images=IMAGES, labels=np.array(["cat", "", " "])[LABELS]), refused=True,
         says=["number 1 is blank"]),
    Data("a class name is blank", npz(images=IMAGES, labels=LABELS, class_names=["a", "", "c"]), refused=True,
         says=["class 1 has a blank name"]),
    Data("labels are bytes", npz(images=IMAGES, labels=np.array([b"x", b"y", b"z"])[LABELS]), classes="xyz"),
    Data("test labels of another class",
         npz(x_train=IMAGES, y_train=LABELS + 1, x_test=IMAGES[:2], y_test=[3, 4]), refused=True,
         says=["'4' is none of the classes"]),
    Data("class names of another number", npz(images=IMAGES, labels=LABELS, class_names=["a", "b"]), refused=True,
         says=["2 class names", "3 classes"]),
    Data("class names of which some have no image",
         npz(images=IMAGES, labels=LABELS + 1, class_names=["a", "b", "c", "d", "e"]), classes="bcd",
         says=["left out: a, e"], check=labels_follow(np.array(["b", "c", "d"])[LABELS], ["b", "c", "d"])),
    Data("class names that do not differ", npz(images=IMAGES, labels=LABELS, class_names=["a", "b", "b"]), refused=True,
         says=["2 different"]),
    Data("class names are numbers", npz(images=IMAGES, labels=LABELS, class_names=[7, 8, 9]), classes="789"),
    Data("class names are objects", npz(images=IMAGES, labels=LABELS, class_names=np.array(["a", "b", None])),
         refused=True, says=["Python objects, which are never read"]),
    Data("labels are objects", npz(images=IMAGES, labels=np.array(["a", "b", None] * 20)), refused=True,
         says=["Python objects, which are never read"]),
]  # fmt: skip

SHAPES: list[Row] = [
    Data("rows of colour planes", npz(images=np.moveaxis(COLOURS, -1, 1).reshape(60, -1), labels=LABELS),
         shape=(8, 8, 3), says=["192 values: read as planes"], check=images_are(COLOURS)),
    Data("rows of colour pixels", npz(images=COLOURS.reshape(60, -1), labels=LABELS), shape=(8, 8, 3),
         says=["192 values: read as red, green and blue of each pixel"], check=images_are(COLOURS)),
    Data("rows of noise", npz(images=np.random.default_rng(1).integers(0, 256, (60, 192)), labels=LABELS), refused=True,
         says=["as planes or as pixels", "(N, H, W, 3)"]),
    Data("channels first", npz(images=np.moveaxis(COLOURS, -1, 1), labels=LABELS), shape=(8, 8, 3),
         says=["channels first, (3, 8, 8)"], check=images_are(COLOURS)),
    Data("one channel first", npz(images=IMAGES[:, None], labels=LABELS), shape=(8, 8, 1), check=images_are(IMAGES)),
    Data("three planes of rows", npz(images=np.moveaxis(COLOURS, -1, 1).reshape(60, 3, 64), labels=LABELS),
         shape=(8, 8, 3), check=images_are(COLOURS)),
    Data("four channels", npz(images=np.zeros((60, 8, 8, 4), np.uint8), labels=LABELS), refused=True,
         says=["4 channels", "images[..., :3]"]),
    Data("volumes", npz(images=np.zeros((60, 8, 8, 8), np.uint8), labels=LABELS), refused=True, says=["8 channels"]),
    Data("a header that lies", lying_header, refused=True, says=["claims (60, 100000, 100000)"]),
]  # fmt: skip

X, Y = IMAGES, LABELS
ARRAYS: list[Row] = [
    Call("from_arrays: names and numbers mixed", lambda _: Dataset.from_arrays(X, ["a", 1, 2] * 20), error=DataError,
         says=["both 'a' and 1"]),
    Call("from_arrays: whole numbers 0 and 1", lambda _: Dataset.from_arrays(INK, Y), error=DataError,
         says=["from 0 to 1", "multiply by 255"]),
    Call("from_arrays: labels from 1", lambda _: Dataset.from_arrays(X, Y + 1), error=DataError,
         says=["class 0 has no image"]),
    Call("from_arrays: a text for class names", lambda _: Dataset.from_arrays(X, Y, class_names="abc"),
         error=ConfigurationError, says=["list of texts"]),
    Call("from_arrays: rows of colour planes",
         lambda _: Dataset.from_arrays(np.moveaxis(COLOURS, -1, 1).reshape(60, -1), Y), images_are(COLOURS)),
    Call("from_arrays: low images of five channels",
         lambda _: Dataset.from_arrays(np.zeros((60, 3, 9, 5)), Y).input_shape, lambda shape: _equal(shape, (3, 9, 5))),
    Call("from_arrays: lists", lambda _: Dataset.from_arrays(X.tolist(), Y.tolist()), images_are(IMAGES)),
    Call("from_arrays: an array of arrays", lambda _: Dataset.from_arrays(_objects(X), Y), images_are(IMAGES)),
    Call("from_arrays: Pillow images", lambda _: Dataset.from_arrays([Image.fromarray(x) for x in X], list(Y)),
         images_are(IMAGES)),
    Call("from_arrays: Pillow images with palettes",
         lambda _: Dataset.from_arrays([Image.fromarray(x).convert("P") for x in COLOURS], Y), error=DataError,
         says=["mode P", "convert('RGB')"]),
    Call("from_arrays: floats from 0 to 255", lambda _: Dataset.from_arrays(IMAGES.astype(float), Y).notes,
         lambda notes: _equal(["as large as 255" in note for note in notes], [True])),
    Call("from_arrays: standardised floats", lambda _: Dataset.from_arrays((IMAGES - 128.0) / 74, Y).notes,
         lambda notes: _equal(notes, ())),
    Call("from_arrays: a fraction in words", lambda _: Dataset.from_arrays(X, Y, validation_fraction="a"),
         error=ConfigurationError, says=["between 0 and 1", "'a'"]),
    Call("from_arrays: a tensor that has gradients", lambda _: Dataset.from_arrays(Tensor(), Y), error=DataError,
         says=["Use tensor.detach().numpy() instead"]),
    Call("from_arrays: labels of two kinds in one array",
         lambda _: Dataset.from_arrays(X, np.array(["a", 1, 2] * 20, object)), error=DataError, says=["int and str"]),
    Call("from_arrays: images of many sizes", lambda _: Dataset.from_arrays([X[0], X[0, :5]] * 30, Y), error=DataError,
         says=["train_images: is not an array", "one size"]),
    Call("from_arrays: nothing", lambda _: Dataset.from_arrays(None, None), error=DataError, says=["train_"]),
    Call("from_arrays: a generator", lambda _: Dataset.from_arrays((x for x in X), Y), error=DataError,
         says=["images"]),
    Call("subset of 1e1 images", lambda _: Dataset.from_arrays(X, Y).subset(1e1),  # type: ignore[arg-type]
         error=ConfigurationError, says=["whole number", "10.0"]),
]  # fmt: skip


class Tensor:
    """What NumPy cannot read, as PyTorch's tensors with gradients."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


def _equal(found: object, wanted: object) -> None:
    assert found == wanted


def _objects(images: np.ndarray) -> np.ndarray:
    found = np.empty(len(images), object)
    found[:] = list(images)
    return found


SAID: list[Row] = [
    Command("train says how pixels were read", npz(images=INK, labels=LABELS),
            "train baseline --data data.npz --epochs 1 --engine numpy", says=["whole numbers from 0 to 1: stretched"]),
]  # fmt: skip
ROWS: list[Row] = [*SAID, *RANGES, *NAMES, *LABELLED, *SHAPES, *ARRAYS]
