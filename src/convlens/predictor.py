"""From pictures to predictions, for the command line, a server or a notebook.

A picture may be a file, a file's content, a Pillow image or an array; the answer is always a `Prediction`: the class,
every probability, an account of what was done to the picture, and every reason for doubt.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .data.pixels import refuse, to_pixels
from .errors import ConfigurationError, DataError, ShapeError
from .nn import Model, load
from .pictures import Account, prepare_digit, read_image, reads_digits
from .typing import Array, BoolArray, Float32, FloatArray
from .wording import percent

if TYPE_CHECKING:
    from PIL.Image import Image

PictureSource: TypeAlias = "str | os.PathLike[str] | bytes | Image | npt.NDArray[Any]"
"""A file's name, a file's content, a Pillow image, or an array."""

SURE = 0.9  # a lower probability is a reason for doubt
UNLIKE = "it is unlike the images that the model was trained on"


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A model's prediction for one picture.

    Attributes
    ----------
    class_name, index
        The most probable class: its name, and its number from 0.
    probability
        Of that class, 0 to 1.
    probabilities
        Of every class by name, in the order of the class numbers.
    account
        What was done to the picture, and warnings about it.
    doubts
        Every reason why the class may be wrong, in words: the account's warnings, a picture unlike the training images
        (`Model.doubt`), and a probability below `SURE`.
    """

    class_name: str
    index: int
    probability: float
    probabilities: dict[str, float]
    account: Account
    doubts: tuple[str, ...]

    @property
    def unsure(self) -> bool:
        """Whether there is a reason for doubt."""
        return bool(self.doubts)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data; ``done`` and ``warnings`` are those of the account."""
        return {
            "class": self.class_name,
            "index": self.index,
            "probability": self.probability,
            "probabilities": dict(self.probabilities),
            **self.account.to_dict(),
            "doubts": list(self.doubts),
            "unsure": self.unsure,
        }

    def __str__(self) -> str:
        return f"{self.class_name} ({percent(self.probability)})"


class Predictor:
    """Predicts the classes of pictures. Safe to use from several threads at once.

    Parameters
    ----------
    model
        A model, or the file of one. Its current weights are used at every prediction.
    prepare
        Whether a picture is first made like MNIST's digits: inverted, cropped, scaled and centred (see
        `convlens.pictures`). If not, it must have the model's size. None: only if the model's classes are the ten
        digits.

    Attributes
    ----------
    model
        The model.
    prepares
        Whether pictures are prepared.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged or not a model.

    Examples
    --------
    >>> from convlens import models, predictor
    >>> digits = predictor.Predictor(models.build("baseline", seed=0))
    >>> prediction = digits.predict_one(np.zeros((28, 28), np.uint8))
    >>> prediction.doubts
    ('no ink stands out from its paper', 'the model gives 1 10.00 %')
    """

    def __init__(self, model: Model | str | os.PathLike[str], *, prepare: bool | None = None) -> None:
        self.model = model if isinstance(model, Model) else load(model)
        self.prepares = _prepares(self.model) if prepare is None else prepare
        _ = self.model.engine  # start it now: two threads that use it first at the same time would start two

    def predict(self, pictures: Iterable[PictureSource]) -> list[Prediction]:
        """Predict pictures as one batch.

        Parameters
        ----------
        pictures
            Each a file's name, a file's content, a Pillow image, or an array. An array holds integers 0 to 255, (H, W)
            or (H, W, C), and is treated like any other picture; or floats of the model's input shape, which are the
            network's input as they are. An array (N, H, W, C) is N pictures.

        Returns
        -------
        list[Prediction]
            One for each picture, in order.

        Raises
        ------
        DataError
            If one is not a picture, or is damaged.
        ShapeError
            If one does not have the model's size, and pictures are not prepared.
        ConfigurationError
            If the model cannot take such pictures, or a single picture was given instead of several.
        """
        if isinstance(pictures, str | bytes) or not isinstance(pictures, Iterable):
            raise ConfigurationError("predict takes several pictures; use predict_one, or put the picture into a list")
        read = [self._read(picture, f"picture {number}") for number, picture in enumerate(pictures, 1)]
        if not read:
            return []
        with np.errstate(all="ignore"):  # an overflow is reported below, in one line
            probabilities = self.model.predict_proba(np.concatenate([x for x, _ in read]))
        if not np.isfinite(probabilities).all():
            raise DataError("the network's output is not finite; its input, or its weights, are far too large")
        unlike = _unlike(self.model, np.concatenate([x for x, _ in read]))
        return [
            self._prediction(row, account, unlike=bool(one))
            for row, (_, account), one in zip(probabilities, read, unlike, strict=True)
        ]

    def predict_one(self, picture: PictureSource) -> Prediction:
        """Predict one picture; see `predict`."""
        return self.predict([picture])[0]

    def _read(self, picture: PictureSource, name: str) -> tuple[Float32, Account]:
        """Return the network's input, (1, H, W, C), and the account of its preparation."""
        if isinstance(picture, np.ndarray) and np.issubdtype(picture.dtype, np.floating):
            refuse(~np.isfinite(picture)[np.newaxis], picture[np.newaxis], name, "a finite number")
            return self._input(picture, name), Account(warnings=self._doubts_of_scale(picture))
        if isinstance(picture, np.ndarray):
            picture = to_pixels(picture[np.newaxis], name)[0][0]
        if self.prepares:
            pixels, account = prepare_digit(picture, self.model.input_shape)
            return self.model.preprocessing(pixels), account
        if isinstance(picture, np.ndarray):
            return self._input(picture, name), Account()
        return self.model.preprocessing(read_image(picture, self.model.input_shape)), Account()

    def _doubts_of_scale(self, values: Array) -> tuple[str, ...]:
        """Doubt floats far outside what pixels become: who has pixels as floats has usually not scaled them."""
        if self.model.training.get("data", {}).get("dtype", "uint8") != "uint8":
            return ()  # trained on floats, whose range is not known
        dark, light = sorted(self.model.preprocessing.of_pixels(0, 255))
        least, most = float(values.min(initial=dark)), float(values.max(initial=light))
        if light - dark >= max(most - light, dark - least):
            return ()
        return (f"values go from {least:.3g} to {most:.3g}, and the model's pixels from {dark:.3g} to {light:.3g}",)

    def _input(self, array: Array, name: str) -> Float32:
        x = self.model.preprocessing(array)
        if array.ndim == 4 or len(x) != 1:
            raise ShapeError(f"{name}: is an array of shape {array.shape}; a picture is (H, W) or (H, W, C)")
        return x

    def _prediction(self, row: FloatArray, account: Account, *, unlike: bool) -> Prediction:
        """Return the prediction from the probabilities (K,)."""
        names, (first, *others) = self.model.class_names, np.argsort(-row, kind="stable").tolist()
        doubts = account.warnings
        if unlike:
            doubts += (UNLIKE,)
        if row[first] < SURE and others:
            doubts += (f"the model gives {names[others[0]]} {percent(float(row[others[0]]))}",)
        return Prediction(
            class_name=names[first],
            index=first,
            probability=float(row[first]),
            probabilities=dict(zip(names, map(float, row), strict=True)),
            account=account,
            doubts=doubts,
        )


def _unlike(model: Model, x: Float32) -> BoolArray:
    """Return which inputs (N, H, W, C) are unlike the model's training images; none if it keeps no record of these."""
    return np.zeros(len(x), bool) if model.doubt is None else model.doubt(model, x)


def _prepares(model: Model) -> bool:
    """Decide by default whether a model's pictures are prepared."""
    return reads_digits(model.class_names, model.input_shape)
