"""Pictures to predict: of models that were trained on anything, and in every state that files are in."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from convlens import data, nn, train
from convlens.data import Dataset
from convlens.optim import Adam, Constant
from convlens.predictor import Predictor
from tests.strangers.table import Call, Command, Row

U, V = np.mgrid[0:16, 0:16]
LABELS = np.arange(120) % 10
DRAW = np.random.default_rng(0)


def textures() -> np.ndarray:
    """Return stripes in ten directions."""
    angles = np.pi * LABELS[:, None, None] / 10
    waves = np.sin((np.cos(angles) * U + np.sin(angles) * V) * 1.5)
    return (127 + 100 * waves + DRAW.integers(-9, 9, waves.shape)).astype(np.uint8)


def colours() -> np.ndarray:
    """Return plain pictures in ten colours."""
    table = np.array([[255 * (k >> bit & 1) for bit in range(3)] for k in range(8)] + [[128, 0, 0], [0, 128, 128]])
    noise = DRAW.integers(0, 30, (120, 16, 16, 3))
    return np.clip(table[LABELS][:, None, None] * 0.8 + noise, 0, 255).astype(np.uint8)


def digits() -> np.ndarray:
    """Return 120 of MNIST's images, in the order of `LABELS`."""
    mnist = data.load("mnist").test
    order = np.argsort(mnist.labels, kind="stable")
    first = np.searchsorted(mnist.labels[order], np.arange(10))
    return mnist.images[order[np.concatenate([first + n for n in range(12)])], ..., 0]


def dark() -> np.ndarray:
    return 255 - digits()


def thrice() -> np.ndarray:
    return np.repeat(digits()[..., np.newaxis], 3, axis=3)


def lying(folder: Path) -> float:
    """Train on bars stored on their side, as a phone stores them, and return the accuracy on the same files."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter before it is shown
    bars = np.zeros((120, 16, 16), np.uint8)
    for bar, label in zip(bars, LABELS, strict=True):
        bar[label : label + 4] = 200
    for path in written(folder, bars).glob("*/*.png"):
        with Image.open(path) as bar:
            bar.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    fitted(data.load(folder / "set")).save(folder / "m.safetensors")
    return right(folder)


def on_pages(folder: Path) -> float:
    """Return the accuracy of a model of MNIST's digits on the same digits, dark on pages of 200 pixels."""
    learnt(digits)(folder)
    for path in (folder / "set").glob("*/*.png"):
        with Image.open(path) as small:
            digit = small.resize((112, 112))
        page = Image.new("L", (200, 200), 240)
        page.paste(0, (30, 50), digit)
        page.save(path)
    return right(folder)


def written(folder: Path, images: np.ndarray, under: str = "set") -> Path:
    """Write images as PNG, a folder for each class."""
    for number, (image, label) in enumerate(zip(images, LABELS, strict=True)):
        (folder / under / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / under / str(label) / f"{number}.png")
    return folder / under


def fitted(dataset: Dataset) -> nn.Model:
    """Train a dense network until it knows its training images."""
    model = nn.Model([nn.Flatten(), nn.Dense(64), nn.ReLU(), nn.Dense(10)], dataset.input_shape, seed=0)
    recipe = train.Recipe("short", optimizer=Adam(), schedule=Constant(3e-3), epochs=40, batch_size=20)
    train.fit(model.use("numpy"), dataset, recipe, progress=False, test=False)
    return model


def learnt(make: Callable[[], np.ndarray], **settings: object) -> Callable[[Path], nn.Model]:
    """Return what writes images of ten classes, trains a dense layer on them until it knows them, and saves it."""

    def trained(folder: Path) -> nn.Model:
        model = fitted(data.load(written(folder, make())).with_intake(**settings))
        model.save(folder / "m.safetensors")
        return model

    return trained


def right(folder: Path) -> float:
    """Return the accuracy of the file's model on every third training file, read again as a picture."""
    files = sorted((folder / "set").glob("*/*.png"))[::3]
    found = Predictor(folder / "m.safetensors").predict(files)
    return float(np.mean([one.class_name == path.parent.name for one, path in zip(found, files, strict=True)]))


def accuracy(make: Callable[[], np.ndarray], **settings: object) -> Callable[[Path], float]:
    def measured(folder: Path) -> float:
        learnt(make, **settings)(folder)
        return right(folder)

    return measured


def above(share: float) -> Callable[[float], None]:
    def check(found: float) -> None:
        assert found > share, found

    return check


def below(share: float) -> Callable[[float], None]:
    def check(found: float) -> None:
        assert found < share, found

    return check


def pages(folder: Path) -> None:
    """Save an untrained model of bars, two pages for it, and three files that are none."""
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (16, 16, 1), class_names=["ant", "bee", "cat"])
    model.intake = Dataset.from_arrays(np.zeros((60, 16, 16), np.uint8), np.arange(60) % 3).intake
    model.save(folder / "m.safetensors")
    (folder / "pages").mkdir()
    for name in ("b.png", "a.jpg"):
        Image.fromarray(textures()[0]).save(folder / "pages" / name)
    (folder / "pages" / "broken.png").write_bytes(b"no picture")
    (folder / "pages" / "notes.txt").write_text("no picture")
    (folder / "empty").mkdir()
    (folder / "nested" / "cats").mkdir(parents=True)
    nn.Model([nn.Flatten(), nn.Dense(3)], (16, 16, 5)).save(folder / "five.safetensors")
    Image.new("L", (40, 30)).save(folder / "large.png")


def listed(folder: Path) -> None:
    """Check what `--out` has written."""
    found = json.loads((folder / "out" / "predictions.json").read_text())
    assert [entry["image"] for entry in found] == ["pages/a.jpg", "pages/b.png", "pages/broken.png"]
    assert "is not an image" in found[2]["error"]
    assert "picture" not in found[2]
    rows = list(csv.DictReader((folder / "out" / "predictions.csv").read_text().splitlines()))
    for entry, row in zip(found[:2], rows, strict=False):
        assert row["class 1"] == entry["class"]
        with Image.open(folder / "out" / entry["picture"]) as picture:
            assert picture.size == (960, 390)
    assert rows[2]["error"] == found[2]["error"]


ROWS: list[Row] = [
    Call("ten textures named 0 to 9", accuracy(textures), gives=above(0.9)),
    Call("ten colours named 0 to 9", accuracy(colours), gives=above(0.9)),
    Call("dark digits on light", accuracy(dark), gives=above(0.9)),
    Call("MNIST as a folder of PNG", accuracy(digits), gives=above(0.9)),
    Call("MNIST in three channels", accuracy(thrice), gives=above(0.9)),
    Call("dark digits on pages, for a model of MNIST's", on_pages, gives=above(0.8)),
    Call("pictures that a camera stored on their side", lying, gives=above(0.9)),
    Call("textures that are prepared all the same", accuracy(textures, prepare="digits"), gives=below(0.5)),
    Command("a training says that pictures will be prepared", lambda folder: written(folder, digits()),
            "train baseline --data set --epochs 1", says=("will be made like MNIST's digits first", "--as-is")),
    Command("a training says that they will not", lambda folder: written(folder, textures()),
            "train baseline --data set --epochs 1", says=("will be used as they are (", "--as-digits")),
    Command("a training that is overruled", lambda folder: written(folder, textures()),
            "train baseline --data set --epochs 1 --as-digits --out m.safetensors",
            says=("made like MNIST's digits first (as chosen)",),
            check=lambda folder: Predictor(folder / "m.safetensors").prepares or 1 / 0),
    Command("a prediction that is overruled", learnt(dark), "predict --model m.safetensors --as-digits set/3/3.png",
            says=("inverted",)),
    Command("a prediction as it is", learnt(digits), "predict --model m.safetensors --as-is set/3/3.png",
            lacks=("centred",)),
    Command("one bad file among others", pages, "predict --model m.safetensors pages/b.png pages/broken.png no.png "
            "large.png pages/a.jpg", code=2, says=("pages/b.png: ", "pages/broken.png: is not an image", "no.png: ",
            "large.png: is 40 x 30", "--resize", "pages/a.jpg: ", "3 of 5 images could not be predicted")),
    Command("one bad file alone", pages, "predict --model m.safetensors no.png", code=2, says=("no.png: cannot be",),
            lacks=("of 1 images",)),
    Command("a bad file in JSON", pages, "predict --model m.safetensors pages/b.png no.png --json", code=2,
            says=('"image": "no.png", "error": "no.png: cannot be read', "1 of 2")),
    Command("a folder", pages, "predict --model m.safetensors pages", code=2,
            says=("pages/a.jpg: ", "left out notes.txt", "1 of 3 images")),
    Command("files named twice", pages, "predict --model m.safetensors pages no.png pages/b.png no.png", code=2,
            says=("2 of 4 images could not be predicted",)),
    Command("a folder, with pictures of the predictions", pages, "predict --model m.safetensors pages --out out",
            code=2, says=("written to out",), check=listed),
    Command("pictures into the folder they come from", pages, "predict --model m.safetensors pages --out pages",
            code=2, says=("--out pages is a folder of images to predict",)),
    Command("an empty folder", pages, "predict --model m.safetensors empty", code=2, says=("holds no image",)),
    Command("a folder of folders", pages, "predict --model m.safetensors nested", code=2,
            says=("name its sub-folders, such as nested/cats",)),
    Command("nothing", pages, "predict", code=2, says=("name a model with --model", "convlens predict --model cnn")),
    Command("no image", pages, "predict --model m.safetensors", code=2, says=("there is no image to predict",)),
    Command("a model among the images", pages, "predict m.safetensors large.png", code=2,
            says=("--model m.safetensors",)),
    Command("an image as model", pages, "predict --model large.png large.png", code=2, says=("not a safetensors",)),
    Command("a model of five channels", pages, "predict --model five.safetensors large.png pages/b.png", code=2,
            says=("1 or 3 channels, the model takes 5",)),
    Command("a model of five channels, prepared", pages, "predict --model five.safetensors --as-digits large.png",
            code=2, says=("cannot be made like MNIST's digits for a model of 16 x 16 x 5",)),
    Command("a model that records nothing", pages, "predict --model five.safetensors large.png", code=2,
            says=("does not record", "--as-digits")),
]  # fmt: skip
