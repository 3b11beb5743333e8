"""From pictures to predictions, for the command line, a server or a notebook.

A picture may be a file, a file's content, a Pillow image or an array; the answer is always a `Prediction`: the class,
every probability, an account of what was done to the picture, and every reason for doubt. How a picture becomes the
model's input is recorded with the model (`Model.intake`), so it is read as the training images were.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .data.pixels import refuse, to_pixels
from .data.sources.mnist import IDENTITIES
from .errors import ConfigurationError, ConvlensError, DataError, ShapeError
from .names import shown
from .nn import Model, load
from .nn.scale import range_of_floats, recorded_data, refusal_of_pixels, takes_pixels, trained_on_floats
from .ops.activation import softmax
from .pictures import Account, prepare_digit
from .pictures.image_file import LARGEST_FILE
from .pictures.reading import is_picture, read_picture
from .preprocessing import Intake
from .typing import Array, Float32, FloatArray
from .wording import percent

if TYPE_CHECKING:
    from PIL.Image import Image

PictureSource: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes] | Image | npt.NDArray[Any]"
"""A file's name, a file's content, an open file, a Pillow image, or an array."""

SURE = 0.9  # a lower probability, calibrated on validation, is a reason for doubt
BLOCK = 32  # pictures predicted together
_BLOCK_BYTES = 2**26  # of their float32 input, at most
_ONE = "predict takes several pictures, and this is one: use predict_one, or put it into a list"
UNLIKE = "it is unlike the images that the model was trained on"


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A model's prediction for one picture.

    Attributes
    ----------
    class_name, index
        The most probable class: its name, and its number from 0.
    probability
        Of that class, 0 to 1: the network's own, as `Model.predict_proba` gives it.
    probabilities
        Of every class by name, in the order of the class numbers.
    account
        What was done to the picture, and warnings about it.
    doubts
        Every reason why the class may be wrong, in words: the account's warnings, a picture unlike the training images
        (`Model.doubt`), and a probability below `SURE`, calibrated on validation if the model records how.
    seen
        (H, W, C): the image that the model was given, uint8, or float32 if the picture was an array of floats.
    """

    class_name: str
    index: int
    probability: float
    probabilities: dict[str, float]
    account: Account
    doubts: tuple[str, ...]
    seen: Array = dataclasses.field(repr=False, compare=False)

    @property
    def unsure(self) -> bool:
        """Whether there is a reason for doubt."""
        return bool(self.doubts)

    def most_probable(self, number: int = 3) -> list[tuple[str, float]]:
        """Return the names and probabilities of the most probable classes, in falling order."""
        order = sorted(self.probabilities, key=lambda name: -self.probabilities[name])
        return [(name, self.probabilities[name]) for name in order[:number]]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data, without `seen`; ``done`` and ``warnings`` are those of the account."""
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
        return f"{shown(self.class_name)} ({percent(self.probability)})"


class ReadPicture(NamedTuple):
    """A picture that has been read: the image (H, W, C), the network's input (1, H, W, C), and the account."""

    seen: Array
    x: Float32
    account: Account


class _Answer(NamedTuple):
    """A model's answer to a picture: its probabilities (K,), calibrated ones, and whether it is unlike those known."""

    own: FloatArray
    calibrated: FloatArray
    unlike: bool


class Predictor:
    """Predicts the classes of pictures. Safe to use from several threads at once.

    Parameters
    ----------
    model
        A model, or the file of one. Its current weights are used at every prediction.
    prepare
        Whether a picture is first made like MNIST's digits: inverted, cropped, scaled and centred (see
        `convlens.pictures`). None: as recorded with the model (`Model.intake`); where nothing is recorded, only if the
        model's recorded training data are MNIST.

    Attributes
    ----------
    model
        The model.
    intake
        How pictures become its input.
    notes
        What a user should know about that, a sentence each: that it was not recorded, for instance.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged or not a model.
    ConfigurationError
        If `model` is neither a model nor the name of a file, or pictures cannot be prepared for its input shape.

    Examples
    --------
    >>> from convlens import models, predictor
    >>> digits = predictor.Predictor(models.build("baseline", seed=0), prepare=True)
    >>> prediction = digits.predict_one(np.zeros((28, 28), np.uint8))
    >>> prediction.doubts
    ('no ink stands out from its paper', 'the model gives 1 10.00 %')
    """

    def __init__(self, model: Model | str | os.PathLike[str], *, prepare: bool | None = None) -> None:
        if not isinstance(model, Model | str | os.PathLike):
            raise ConfigurationError(
                f"a predictor needs a model, or the name of the file of one, not {_shown(model)}; "
                "give Predictor(model) or Predictor('cnn.safetensors')"
            )
        if prepare not in (True, False, None):
            raise ConfigurationError(f"prepare is True, False or None (as recorded), not {prepare!r}")
        self.model = model if isinstance(model, Model) else load(model)
        self.intake, self.notes = _intake(self.model, prepare=prepare)
        self._block = max(1, min(BLOCK, _BLOCK_BYTES // (4 * int(np.prod(self.model.input_shape)))))
        _ = self.model.engine  # start it now: two threads that use it first at the same time would start two

    @property
    def prepares(self) -> bool:
        """Whether pictures are made like MNIST's digits first."""
        return self.intake.prepare == "digits"

    def predict(self, pictures: Iterable[PictureSource]) -> list[Prediction]:
        """Predict pictures.

        Parameters
        ----------
        pictures
            Each a file's name, a file's content, an open file, a Pillow image, or an array. An array holds integers 0
            to 255, (H, W) or (H, W, C), and is treated like any other picture; or floats of the model's input shape,
            which are the network's input as they are. An array (N, H, W, C) is N pictures.

        Returns
        -------
        list[Prediction]
            One for each picture, in order.

        Raises
        ------
        DataError
            If one is not a picture, or is damaged.
        ShapeError
            If one does not have the model's size, and pictures are neither prepared nor resized.
        ConfigurationError
            If the model cannot take such pictures, or a single picture was given instead of several.
        """
        found: list[Prediction] = []
        for one in self.each(pictures):
            if isinstance(one, ConvlensError):
                raise one
            found.append(one)
        return found

    def each(self, pictures: Iterable[PictureSource]) -> Iterator[Prediction | ConvlensError]:
        """Predict pictures as they come, a few at a time, so that memory does not depend on their number.

        A picture that cannot be predicted yields its error, a DataError or a ShapeError, and the others go on.
        See `predict`.
        """
        self._check_several(pictures)
        block: list[ReadPicture | ConvlensError] = []
        for number, picture in enumerate(pictures, 1):
            try:
                block.append(self.read(picture, f"picture {number}"))
            except (DataError, ShapeError) as error:
                block.append(error)
            if len(block) == self._block:
                yield from self._predicted(block)
                block = []
        yield from self._predicted(block)

    def predict_one(self, picture: PictureSource) -> Prediction:
        """Predict one picture; see `predict`."""
        return self.predict([picture])[0]

    def answer(self, pictures: Sequence[ReadPicture]) -> list[Prediction | DataError]:
        """Predict pictures that have been read, all together; the error of one where the network overflows."""
        if not pictures:
            return []
        answers = self._answers(np.concatenate([one.x for one in pictures]))
        return list(map(self._prediction, answers, pictures))

    def _check_several(self, pictures: object) -> None:
        """Raise ConfigurationError unless these may be several pictures."""
        if isinstance(pictures, str | bytes | os.PathLike) or hasattr(pictures, "read"):
            raise ConfigurationError(_ONE)
        if isinstance(pictures, np.ndarray) and pictures.dtype.kind in "buif":
            height, width, _ = self.model.input_shape
            colours = pictures.ndim == 3 and pictures.shape[2] in {1, 3, 4} and pictures.shape[1:] != (height, width)
            if pictures.ndim < 3 or colours:
                raise ConfigurationError(
                    f"{_ONE} (its shape is {pictures.shape}; several are (N, H, W) or (N, H, W, C))"
                )
        if not isinstance(pictures, Iterable):
            if hasattr(pictures, "size") and hasattr(pictures, "mode"):
                raise ConfigurationError(_ONE)
            raise ConfigurationError(f"predict takes several pictures, in a list for instance, not {_shown(pictures)}")

    def read(self, given: PictureSource, name: str = "the picture") -> ReadPicture:
        """Read a picture as the training images were read, for `answer`; arguments and errors as for `predict`."""
        picture, shape = _plain(given, name), self.model.input_shape
        if isinstance(picture, np.ndarray) and np.issubdtype(picture.dtype, np.floating):
            refuse(~np.isfinite(picture)[np.newaxis], picture[np.newaxis], name, "a finite number")
            x = self._input(picture, name)
            return ReadPicture(x[0], x, Account(warnings=self._doubts_of_scale(picture)))
        if not takes_pixels(self.model.training, self.model.preprocessing):
            raise ConfigurationError(refusal_of_pixels(self.model.training))
        if isinstance(picture, np.ndarray):
            picture = to_pixels(picture[np.newaxis], name)[0][0]
        if self.prepares:
            seen, account = prepare_digit(picture, shape, self.intake.box)
        elif isinstance(picture, np.ndarray) and not is_picture(picture, shape):
            x = self._input(picture, name)
            return ReadPicture(picture.reshape(shape), x, Account())
        else:
            seen, account = read_picture(picture, shape, self.intake)
        return ReadPicture(seen, self.model.preprocessing(seen), account)

    def _doubts_of_scale(self, values: Array) -> tuple[str, ...]:
        """Doubt floats far outside the training images': who has pixels as floats has usually not scaled them."""
        known = range_of_floats(self.model.training)
        if known is None and trained_on_floats(self.model.training):
            return ()
        dark, light = known or sorted(self.model.preprocessing.of_pixels(0, 255))
        least, most = float(values.min(initial=dark)), float(values.max(initial=light))
        if light - dark >= max(most - light, dark - least):
            return ()
        trained = "training images" if known else "pixels"
        return (f"values go from {least:.3g} to {most:.3g}, and the model's {trained} from {dark:.3g} to {light:.3g}",)

    def _input(self, array: Array, name: str) -> Float32:
        x = self.model.preprocessing(array)
        if array.ndim == 4 or len(x) != 1:
            raise ShapeError(f"{name}: is an array of shape {array.shape}; a picture is (H, W) or (H, W, C)")
        return x

    def _predicted(self, block: list[ReadPicture | ConvlensError]) -> Iterator[Prediction | ConvlensError]:
        """Predict what could be read of a block; what could not keeps its place."""
        found = iter(self.answer([one for one in block if isinstance(one, ReadPicture)]))
        for one in block:
            yield one if isinstance(one, ConvlensError) else next(found)

    def _answers(self, x: Float32) -> Iterator[_Answer]:
        """Return the answer to each input (N, H, W, C); without a record, nothing is calibrated, and none is unlike."""
        doubt = self.model.doubt
        with np.errstate(all="ignore"):  # an overflow is reported in `_prediction`, in one line
            logits = self.model.logits(x)
            own = softmax(logits)
            if doubt is None:
                return map(_Answer, own, own, [False] * len(x))
            return map(_Answer, own, doubt.calibrated(logits), doubt(self.model, x).tolist())

    def _prediction(self, answer: _Answer, read: ReadPicture) -> Prediction | DataError:
        """Return the prediction from the model's answer."""
        row = answer.own
        if not np.isfinite(row).all():
            return DataError("the network's output is not finite; its input, or its weights, are far too large")
        names, (first, *others) = self.model.class_names, np.argsort(-row, kind="stable").tolist()
        doubts = read.account.warnings
        if answer.unlike:
            doubts += (UNLIKE,)
        if answer.calibrated[first] < SURE and others:
            doubts += (self._hesitation(answer, first, others[0]),)
        return Prediction(
            class_name=names[first],
            index=first,
            probability=float(row[first]),
            probabilities=dict(zip(names, map(float, row), strict=True)),
            account=read.account,
            doubts=doubts,
            seen=read.seen,
        )

    def _hesitation(self, answer: _Answer, first: int, second: int) -> str:
        """Return, in words, that the most probable class is not probable enough, and which one is next."""
        names, calibrated = self.model.class_names, answer.calibrated
        if np.array_equal(calibrated, answer.own):  # the temperature is 1, or not recorded
            return f"the model gives {names[second]} {percent(float(calibrated[second]))}"
        return (
            f"calibrated on validation, the model gives {names[first]} {percent(float(calibrated[first]))} and "
            f"{names[second]} {percent(float(calibrated[second]))}"
        )


def _intake(model: Model, *, prepare: bool | None) -> tuple[Intake, tuple[str, ...]]:
    """Return how pictures become a model's input, and what a user should know about that."""
    notes: list[str] = []
    intake = model.intake
    if intake is None:
        intake = Intake("digits" if recorded_data(model.training).get("sha256") in IDENTITIES else "as-is")
        if prepare is None and intake.prepare == "as-is":
            notes.append(
                "the model does not record whether pictures must be made like MNIST's digits first: they are used as "
                "they are (prepare=True, --as-digits overrules that)"
            )
    if prepare is not None:
        intake = dataclasses.replace(intake, prepare="digits" if prepare else "as-is")
    height, width, channels = model.input_shape
    if intake.prepare == "digits" and (channels not in {1, 3} or min(height, width) < 8):
        raise ConfigurationError(
            f"pictures cannot be made like MNIST's digits for a model of {height} x {width} x {channels}: that takes "
            "at least 8 x 8 pixels and 1 or 3 channels; use them as they are (prepare=False, --as-is)"
        )
    if trained_on_floats(model.training) and takes_pixels(model.training, model.preprocessing):
        notes.append("the model was trained on floats from 0 to 1, so pixels are divided by 255")
    return intake, tuple(notes)


def _plain(picture: Any, name: str) -> str | os.PathLike[str] | bytes | Image | npt.NDArray[Any]:
    """Return the content of an open file, and the array in anything that holds one; others as they are."""
    if isinstance(picture, bytearray | memoryview):
        return bytes(picture)
    if hasattr(picture, "read"):
        return _content(picture, name)
    if hasattr(picture, "__array__"):  # a tensor of another library
        try:
            return np.asarray(picture)
        except (TypeError, ValueError, RuntimeError) as error:  # one that lies in a GPU's memory, for instance
            raise DataError(f"{name}: cannot become an array ({error}); give a NumPy array") from error
    if not isinstance(picture, str | os.PathLike | bytes) and not hasattr(picture, "getexif"):
        raise DataError(
            f"{name}: is {_shown(picture)}; expected a file's name or content, an open file, a Pillow image or an array"
        )
    plain: str | os.PathLike[str] | bytes | Image = picture
    return plain


def _content(file: Any, name: str) -> bytes:
    """Read an open file; DataError unless it gives bytes."""
    try:
        content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a closed file, or text of another encoding
        raise DataError(f"{name}: cannot be read ({error}); give a file opened with mode 'rb'") from error
    if not isinstance(content, bytes):
        raise DataError(f"{name}: is a file opened as text; open it with mode 'rb'")
    if not content:
        raise DataError(f"{name}: nothing is left to read from this file; rewind it with seek(0)")
    return content


def _shown(value: object) -> str:
    """Return how a value that is of a wrong type is named in a message."""
    return "None" if value is None else f"a value of type {type(value).__name__}"
