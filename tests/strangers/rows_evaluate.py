"""Data given to `evaluate`: classes are matched by name, and what cannot be evaluated is refused in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from convlens import data, nn, train
from convlens.errors import DataError
from tests.strangers.table import Call, Command, Row

SHADES = {"zero": 20, "one": 130, "two": 240}  # every class is a shade of grey


def folder(place: Path, names: dict[str, str], count: int = 12) -> None:
    """Write a folder of images for each name, all of the shade that it stands for."""
    for name, shade in names.items():
        (place / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((4, 4), SHADES[shade] + number % 5 - 2, np.uint8)
            Image.fromarray(pixels).save(place / name / f"{number}.png")


def trained(*names: str, **others: dict[str, str]) -> Callable[[Path], None]:
    """Return what saves ``m.safetensors``, trained on these classes to 100 %, and writes folders named `others`."""

    def make(place: Path) -> None:
        folder(place / "training", {name: name for name in names}, count=30)
        dataset = data.load(place / "training")
        model = nn.Model([nn.Flatten(), nn.Dense(16), nn.ReLU(), nn.Dense(len(names))], (4, 4, 1), 0).use("numpy")
        run = train.fit(model, dataset, epochs=60)
        model.save(place / "m.safetensors", training=run.summary())
        for name, content in others.items():
            folder(place / name, content)

    return make


def said_in_json(*wanted: str) -> Callable[[Path], None]:
    def check(place: Path) -> None:
        text = (place / "out/evaluation.json").read_text()
        assert all(words in text for words in wanted), text

    return check


def with_model(names: Sequence[str], labels: Sequence[str]) -> Callable[[Path], object]:
    """Return a call of `Model.evaluate` whose data set has these labels."""

    def call(place: Path) -> object:
        images = np.zeros((60, 4, 4), np.uint8)
        given = np.resize(np.array(list(labels)), 60)
        model = nn.Model([nn.Flatten(), nn.Dense(len(names))], (4, 4, 1), class_names=names)
        return model.evaluate(data.Dataset.from_arrays(images, given, images, given)).confusion

    return call


def table(kind: str, labels: Sequence[int]) -> Callable[[Path], None]:
    """Return what saves ``m.safetensors``, trained on three shades called 0, 1 and 2, and a table of such images."""

    def make(place: Path) -> None:
        shades = np.array([20, 130, 240])
        images = np.broadcast_to(shades[np.arange(60) % 3, None, None], (60, 4, 4)).astype(np.uint8)
        dataset = data.Dataset.from_arrays(images, np.arange(60) % 3)
        model = nn.Model([nn.Flatten(), nn.Dense(16), nn.ReLU(), nn.Dense(3)], (4, 4, 1), 0).use("numpy")
        run = train.fit(model, dataset, epochs=60)
        model.save(place / "m.safetensors", training=run.summary())
        given = np.repeat(shades[np.minimum(labels, 2)], 16).reshape(-1, 16)
        if kind.endswith("npz"):
            names = ("x_test", "y_test") if kind == "test.npz" else ("images", "labels")
            np.savez(place / kind, **dict(zip(names, (given.reshape(-1, 4, 4), labels), strict=True)))
            return
        path = place / ("csv/test.csv" if kind == "csv" else kind)
        path.parent.mkdir(exist_ok=True)
        np.savetxt(path, np.column_stack([labels, given]), fmt="%d", delimiter=",", comments="",
                   header=",".join(["label", *map(str, range(16))]))  # fmt: skip

    return make


ROWS: list[Row] = [
    Command(
        "other names of as many classes",
        trained("one", "zero", other={"zero": "zero", "zwei_one": "one"}),
        "evaluate m.safetensors --engine numpy --data other",
        code=2,
        says=["its classes are zero, zwei_one, and the model's are one, zero", "zwei_one is none of the model's"],
    ),
    Command(
        "the same classes, one of them lacking",
        trained("one", "two", "zero", other={"zero": "zero", "two": "two"}),
        "evaluate m.safetensors --engine numpy --data other --split all --out out",
        says=["24 images", "accuracy 100.00 %", "has no image of the model's classes one"],
        check=said_in_json('"accuracy": 1.0', '"one"'),
    ),
    Command(
        "more classes than the model's",
        trained("one", "zero", other={"zero": "zero", "two": "two", "one": "one"}),
        "evaluate m.safetensors --engine numpy --data other",
        code=2,
        says=["its classes are one, two, zero, and the model's are one, zero"],
    ),
    Command(
        "a tenth of a folder is evaluated and that is said",
        trained("one", "zero", other={"zero": "zero", "one": "one"}),
        "evaluate m.safetensors --engine numpy --data other",
        says=["2 of its 24 images, drawn at random, are evaluated", "--split all"],
    ),
    Command(
        "all images of the training data are evaluated and that is said",
        trained("one", "zero"),
        "evaluate m.safetensors --engine numpy --data training --split all",
        says=["60 images", "includes the images it has learned from"],
    ),
    Command(
        "colour images for a model of grey ones",
        lambda place: (
            trained("one", "zero")(place),
            np.savez(place / "c.npz", images=np.zeros((60, 4, 4, 3), np.uint8), labels=["one", "zero"] * 30),
        ),
        "evaluate m.safetensors --engine numpy --data c.npz",
        code=2,
        says=["takes images of 4 x 4 x 1", "are 4 x 4 x 3", "trained on grey ones"],
    ),
    Command(
        "images without labels",
        lambda place: (trained("one", "zero")(place), np.savez(place / "u.npz", images=np.zeros((60, 4, 4), np.uint8))),
        "evaluate m.safetensors --engine numpy --data u.npz",
        code=2,
        says=["no labels", "only predicting does without"],
    ),
    *[
        Command(f"a table, {name}", table(kind, labels), f"evaluate m.safetensors --data {kind} {options}",
                code=code, says=says)
        for name, kind, labels, options, code, says in [
            ("few images", "t.npz", [0, 2, 2], "", 0, ["3 images", "accuracy 100.00 %", "too few to split"]),
            ("one image", "t.csv", [2], "", 0, ["1 images", "accuracy 100.00 %", "model's classes 0, 1"]),
            ("one class", "t.csv", [2] * 12, "", 0, ["12 images", "accuracy 100.00 %", "or of one class"]),
            ("a class too many", "t.npz", [0, 7], "", 2, ["7 is none of the model's"]),
            ("a test set alone", "test.npz", [2, 0] * 6, "", 0, ["12 images", "accuracy 100.00 %"]),
            ("a folder with test.csv alone", "csv", [2, 0] * 6, "", 0, ["12 images", "accuracy 100.00 %"]),
            ("a part that is empty", "t.npz", [0, 2], "--split validation", 2, ["t: has no validation images", "all"]),
        ]
    ],
    Call("library: as many classes of other names", with_model(["a", "b"], ["a", "c"]), error=DataError,
         says=["its classes are a, c, and the model's are a, b"]),
    Call("library: names from another file system", with_model(["ko\u0308nig", "a"], ["k\u00f6nig", "a"]),
         lambda confusion: np.testing.assert_array_equal(confusion.sum(axis=1), [30, 30])),
    Call("library: numbers are no names", with_model(["ant", "bee"], ["0", "1"]), error=DataError,
         says=["the model's are ant, bee", "numbers for names"]),
    Call("library: a class lacking, in another order", with_model(["c", "b", "a"], ["a", "c"]),
         lambda confusion: np.testing.assert_array_equal(confusion.sum(axis=1), [30, 0, 30])),
]  # fmt: skip
