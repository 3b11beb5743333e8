"""The library called with what it does not expect: images, labels, settings and files of other types."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import convlens
from convlens import engine, metrics, nn, optim
from convlens.data import Dataset, Examples
from convlens.errors import ArtifactError, ConfigurationError, DataError, ShapeError
from tests.strangers.table import Call, Row

MODEL = nn.Model([nn.Conv2D(2), nn.ReLU(), nn.Flatten(), nn.Dense(3)], (6, 6, 1), seed=1).use("numpy", 1)
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 6, 6, 1), dtype=np.uint8)
LABELS = np.arange(5) % 3


def same_logits(images: Any) -> None:
    np.testing.assert_array_equal(images, MODEL.logits(PIXELS))


def answers(count: int) -> Callable[[Any], None]:
    def check(found: Any) -> None:
        assert found.shape == (count,)

    return check


def as_given(images: Any) -> Callable[[Path], object]:
    return lambda _folder: MODEL.logits(images)


def predicts(images: Any) -> Callable[[Path], object]:
    return lambda _folder: MODEL.predict(images)


def trained() -> nn.Model:
    """Return a model whose record says that it was trained on pixels."""
    model = copy.deepcopy(MODEL)
    model.training = {"data": {"dtype": "uint8"}}
    return model


def gradient(**change: Any) -> Callable[[Path], object]:
    batch = {"x": PIXELS / np.float32(255), "labels": LABELS, "out": np.zeros_like(MODEL.flat), **change}
    return lambda _folder: MODEL.engine.gradient(**batch)


def made(layer: Callable[..., object], **settings: Any) -> Callable[[Path], object]:
    return lambda _folder: layer(**settings)


def model(**settings: Any) -> Callable[[Path], object]:
    return lambda _folder: nn.Model(**{"layers": [nn.Flatten(), nn.Dense(3)], "input_shape": (6, 6, 1), **settings})


def flipped(word: str) -> Callable[[Path], object]:
    """Load a saved model in which the bit 1 of a byte behind a word is another."""

    def call(folder: Path) -> nn.Model:
        MODEL.save(folder / "m.safetensors")
        raw = bytearray((folder / "m.safetensors").read_bytes())
        raw[raw.index(word.encode()) + len(word)] ^= 1
        (folder / "m.safetensors").write_bytes(raw)
        return nn.load(folder / "m.safetensors")

    return call


def hand_made(_folder: Path) -> Dataset:
    good = Dataset.from_arrays(np.zeros((60, 6, 6), np.uint8), np.arange(60) % 3)
    wrong = Examples("train", good.train.images, np.full(len(good.train), 3))
    parts = {name: getattr(good, name) for name in good.__dataclass_fields__}
    return Dataset(**{**parts, "train": wrong})


LINE = "a model's layers"
ROWS: list[Row] = [
    *(Call(f"pixels as {name}", as_given(PIXELS.astype(name)), same_logits)
      for name in ("int64", "int32", "uint16", ">i4", "object")),
    Call("pixels as lists", as_given(PIXELS.tolist()), same_logits),
    Call("a list of arrays", as_given(list(PIXELS)), same_logits),
    Call("a list of Pillow images", as_given([Image.fromarray(one[..., 0]) for one in PIXELS]), same_logits),
    Call("true and false", as_given(PIXELS > 99), lambda found: np.testing.assert_array_equal(
        found, MODEL.logits((PIXELS > 99) * np.uint8(255)))),
    Call("one image", predicts(PIXELS[0]), answers(1)),
    Call("one image without channels", predicts(PIXELS[0, ..., 0]), answers(1)),
    Call("images without channels", predicts(PIXELS[..., 0]), answers(5)),
    Call("an empty list", predicts([]), answers(0)),
    Call("pixels of 12 bits", predicts(PIXELS.astype(int) * 16), error=DataError, says=["pixels are 0 to 255"]),
    Call("pixels below 0", predicts(PIXELS.astype(int) - 128), error=DataError, says=["pixels are 0 to 255"]),
    Call("whole numbers 0 and 1", predicts((PIXELS > 99).astype(int)), error=DataError,
         says=["hold only 0 and 1, nearly black; give images.astype(bool)"]),
    Call("a colour image for a grey model", predicts(np.zeros((6, 6, 3), np.uint8)), error=ShapeError,
         says=["(6, 6, 1)", "(6, 6, 3)"]),
    Call("channels first", predicts(np.zeros((5, 1, 6, 6), np.uint8)), error=ShapeError, says=["np.moveaxis"]),
    Call("axes in another order", predicts(np.zeros((6, 1, 6, 1), np.uint8)), error=ShapeError, says=["(6, 1, 6, 1)"]),
    Call("a file name", predicts("seven.png"), error=DataError, says=["convlens.Predictor(model).predict_one"]),
    Call("file names", predicts(["a.png", "b.png"]), error=DataError, says=["convlens.Predictor"]),
    Call("a palette image", predicts(Image.new("P", (6, 6))), error=DataError, says=["mode P"]),
    Call("nothing", predicts(None), error=DataError, says=["not NoneType"]),
    Call("objects in an array", predicts(np.full((1, 6, 6, 1), 10**30)), error=DataError, says=["not objects"]),
    Call("images without pixels", predicts(np.zeros((5, 0, 6, 1))), error=ShapeError, says=["there are no pixels"]),
    Call("two numbers", predicts([1, 2]), error=ShapeError, says=["expected images of shape (6, 6, 1)"]),
    Call("lists of several lengths", predicts([[1, 2], [3]]), error=DataError, says=["all of the same shape"]),
    Call("text in an array", predicts(np.array([["a"]])), error=DataError, says=["not <U1"]),
    Call("NaN pixels", predicts(np.full((2, 6, 6, 1), np.nan)), error=DataError, says=["not finite for 2 of 2"]),
    *(Call(f"{name} pixels as floats, not scaled", lambda _, use=use: use(trained(), PIXELS.astype(np.float32)),
           error=DataError, says=["up to 249", "scaled to at most 1:", "give the pixels as whole numbers"])
      for name, use in (("predict", nn.Model.predict), ("predict_proba of", nn.Model.predict_proba),
                        ("evaluate", lambda model, x: model.evaluate((x, LABELS))))),
    Call("predict floats somewhat beyond the training's", lambda _: trained().predict(PIXELS / 100), answers(5)),
    Call("evaluate nothing", lambda _: MODEL.evaluate((PIXELS[:0], [])), error=DataError, says=["at least one image"]),
    Call("evaluate one image", lambda _: MODEL.evaluate((PIXELS[0], [1])).images,
         lambda found: np.testing.assert_equal(found, 1)),
    Call("evaluate whole numbers", lambda _: MODEL.evaluate((PIXELS.astype(int), LABELS)).loss,
         lambda found: np.testing.assert_equal(found, MODEL.evaluate((PIXELS, LABELS)).loss)),
    *(Call(f"evaluate {data!r}", lambda _, data=data: MODEL.evaluate(data), error=DataError,
           says=["convlens.data.load('mnist')"]) for data in ("mnist", Path("d.npz"))),
    Call("an evaluation of nothing", lambda _: metrics.Evaluation.of(np.zeros((0, 3)), np.zeros(0, int)),
         error=DataError, says=["at least one image"]),
    Call("an evaluation of lists", lambda _: metrics.Evaluation.of([[0.0, 1.0]], [1]).accuracy,  # type: ignore[arg-type,list-item]
         lambda found: np.testing.assert_equal(found, 1.0)),
    Call("an evaluation with a foreign class", lambda _: metrics.Evaluation.of(np.zeros((2, 3)), np.array([0, 3])),
         error=DataError, says=["number 1 is 3, expected 0 to 2"]),
    *(Call(f"an evaluation of logits of {value}", lambda _, value=value: metrics.Evaluation.of(
        np.array([[0, 1], [value, 0]]), np.array([0, 1])), error=DataError, says=["not finite for 1 of 2 images"])
      for value in (np.nan, np.inf, float(np.finfo(np.float32).min))),
    Call("a confusion of a foreign class", lambda _: metrics.confusion_matrix([0, 5], [0, 1], 3), error=DataError,
         says=["number 1 is 5"]),
    Call("a calibration in percent", lambda _: metrics.calibration([50.0], [True]), error=DataError, says=["0 to 1"]),
    Call("a label too large", gradient(labels=LABELS + 1), error=DataError, says=["expected 0 to 2"]),
    Call("a label below 0", gradient(labels=LABELS - 1), error=DataError, says=["number 0 is -1"]),
    Call("labels as floats", gradient(labels=LABELS / 1), error=DataError, says=["expected integers"]),
    Call("a batch of nothing", gradient(x=np.zeros((0, 6, 6, 1), np.float32), labels=[]), error=DataError,
         says=["an image or more"]),
    Call("images of another shape", gradient(x=np.zeros((5, 6, 1, 1), np.float32)), error=ShapeError,
         says=["(N, 6, 6, 1), not (5, 6, 1, 1)"]),
    Call("a short gradient", gradient(out=np.zeros(3, np.float32)), error=ConfigurationError, says=["shape (3,)"]),
    Call("a data set made by hand", hand_made, error=DataError, says=["train labels: number 0 is 3"]),
    *(Call(f"threads={value!r}", lambda _, value=value: MODEL.use("numpy", value), error=ConfigurationError,
           says=["threads is a whole number from 1 to 64, not"]) for value in (2.5, 0, True, 10**6, "2")),
    *(Call(f"engine {value!r}", lambda _, value=value: MODEL.use(value), error=ConfigurationError,
           says=["unknown engine"]) for value in ("", 3, "NumPy")),
    Call("a deep copy", lambda _: copy.deepcopy(MODEL).logits(PIXELS), same_logits),
    Call("a pickle", lambda _: pickle.loads(pickle.dumps(MODEL)).logits(PIXELS), same_logits),
    Call("a scale that is another", flipped('scale\\":0.00392156862745'), error=ArtifactError, says=["checksum"]),
    Call("a seed that is another", flipped('seed\\":'), error=ArtifactError, says=["checksum"]),
    Call("a key that is another", flipped('mean'), error=ArtifactError),
    Call("load nothing", lambda _: convlens.load(None), error=ConfigurationError, says=["not None"]),
    Call("load bytes", lambda _: convlens.load(b"m"), error=ConfigurationError, says=["not b'm'"]),
    Call("load a folder", lambda folder: convlens.load(folder), error=ArtifactError, says=["is a folder"]),
    Call("load a null character", lambda _: convlens.load("a\0b"), error=ConfigurationError, says=[r"'a\x00b'"]),
    Call("predict a null character", lambda _: convlens.Predictor(MODEL, prepare=False).predict_one("a\0b"),
         error=DataError, says=["null"]),
    Call("save float64", lambda folder: nn.Model([nn.Flatten(), nn.Dense(2)], (2, 2, 1), dtype=np.float64).save(
        folder / "m"), error=ConfigurationError, says=["float32"]),
    *(Call(f"save training={record!r}", lambda folder, record=record: MODEL.save(folder / "m", training=record),
           error=ConfigurationError, says=["training"]) for record in ("abc", [1], {"loss": np.nan})),
    *(Call(f"{name} an engine", lambda _, how=how: how(MODEL.engine), error=ConfigurationError, says=["its model"])
      for name, how in (("copy", copy.copy), ("deep-copy", copy.deepcopy), ("pickle", pickle.dumps))),
    Call("filters=3 for a CNN", lambda _: convlens.models.build("cnn", filters=3), error=ConfigurationError,
         says=["(16, 32), not 3"]),
    Call("layers by name", model(layers=["ReLU"]), error=ConfigurationError, says=[LINE, "number 1 is 'ReLU'"]),
    Call("a class for a layer", model(layers=[nn.ReLU]), error=ConfigurationError, says=["call it: ReLU()"]),
    Call("no layers", model(layers=None), error=ConfigurationError, says=[LINE]),
    Call("a list in the list", model(layers=[[nn.Flatten()]]), error=ConfigurationError, says=["not a layer"]),
    Call("input_shape=28", model(input_shape=28), error=ShapeError, says=["(height, width, channels)"]),
    Call("a string of class names", model(class_names="abc"), error=ConfigurationError, says=["a list of strings"]),
    *(Call(f"seed={value!r}", model(seed=value), error=ConfigurationError, says=["from 0 to 2**63 - 1"])
      for value in (1.5, -1, 2**64, "0")),
    Call("NumPy's numbers", model(seed=np.int64(3), input_shape=np.array([6, 6, 1])), lambda _: None),
    Call("kernel_size=2.5", made(nn.Conv2D, filters=2, kernel_size=2.5), error=ConfigurationError, says=["2.5"]),
    Call("filters='16'", made(nn.Conv2D, filters="16"), error=ConfigurationError, says=["not '16'"]),
    Call("padding=['same']", made(nn.Conv2D, filters=2, padding=["same"]), error=ConfigurationError,
         says=["unknown padding"]),
    Call("rate=2", made(nn.Dropout, rate=2), error=ConfigurationError, says=["from 0 to below 1, not 2"]),
    Call("rate='0.5'", made(nn.Dropout, rate="0.5"), error=ConfigurationError, says=["not '0.5'"]),
    Call("momentum=None", made(nn.BatchNorm, momentum=None), error=ConfigurationError, says=["not None"]),
    Call("epsilon=inf", made(nn.BatchNorm, epsilon=float("inf")), error=ConfigurationError, says=["not inf"]),
    Call("a layer for a branch", made(nn.Residual, layers=nn.ReLU()), error=ConfigurationError, says=["a list"]),
    Call("shape=5", made(nn.Reshape, shape=5), error=ConfigurationError, says=["not 5"]),
    Call("nesterov='yes'", made(optim.SGD, momentum=0.9, nesterov="yes"), error=ConfigurationError, says=["'yes'"]),
    Call("epsilon=inf for Adam", made(optim.Adam, epsilon=float("inf")), error=ConfigurationError, says=["not inf"]),
    Call("a rate of 10**400", made(optim.Constant, rate=10**400), error=ConfigurationError, says=["above 0"]),
    Call("a gradient of another type", lambda _: optim.SGD().step(
        MODEL.engine, np.zeros(MODEL.flat.size), optim.SGD().start(MODEL.program, MODEL.flat), 0.1),
        error=ConfigurationError, says=["sgd: g is a writable, contiguous float32 array"]),
    Call("images for an engine", lambda _: engine.start(MODEL.program, MODEL.flat, "numpy").logits(PIXELS),
         error=DataError, says=["an engine takes floats"]),
]  # fmt: skip
