"""The models that are served: what each of them takes, and how a batch of requests is predicted."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import ConfigurationError, DataError, nearest
from ..nn import load
from ..nn.scale import refusal_of_pixels, require_scaled, takes_pixels
from ..pictures.digits import Account
from ..pictures.image_file import opened
from ..predictor import Prediction, Predictor, ReadPicture
from ..typing import Array, FloatArray
from .refusal import Refusal
from .settings import Settings

LARGEST = 32  # images that an engine predicts at a time
_SIZES = frozenset(1 << power for power in range(LARGEST.bit_length()))  # numbers of images that it is warm for
_NOT_FINITE = "the network's output is not finite; its input, or its weights, are far too large"
_TIMED = 5  # calls


def batch_slices(count: int) -> Iterator[slice]:
    """Yield slices that cover range(count), each of a power of two, at most `LARGEST`.

    An engine prepares memory for each number of images that it meets, and keeps that for a few numbers only.
    """
    start = 0
    while start < count:
        size = min(LARGEST, 1 << ((count - start).bit_length() - 1))
        yield slice(start, start + size)
        start += size


class Served:
    """A model that is served.

    Parameters
    ----------
    name
        What requests call it.
    predictor
        What predicts.
    largest_picture
        Most pixels of a picture: what it becomes when decoded is not bounded by its file.

    Attributes
    ----------
    name, predictor
        As given.
    model
        The predictor's.
    image_seconds, picture_seconds
        How long an image of an array takes, and a picture; infinite before it is warm.
    """

    def __init__(self, name: str, predictor: Predictor, largest_picture: int = Settings.largest_picture) -> None:
        self.name, self.predictor, self.model = name, predictor, predictor.model
        self.image_seconds = self.picture_seconds = math.inf
        self._largest_picture = largest_picture
        self._size = int(np.prod(self.model.input_shape))
        self._takes_pixels = takes_pixels(self.model.training, self.model.preprocessing) is not False

    def images(self, array: Array) -> Array:
        """Return the images in an array as the engine takes them.

        Parameters
        ----------
        array
            Images as `Model.predict_proba` takes them, or flat: (N, H * W * C).

        Returns
        -------
        Array
            (N, H, W, C) with N at least 1; uint8, or float32, which is the network's input.

        Raises
        ------
        DataError, ShapeError
            If they are no such images.
        """
        if array.ndim == 2 and array.shape[1] == self._size:
            array = array.reshape(-1, *self.model.input_shape)
        batch = np.ascontiguousarray(self.model.preprocessing.as_batch(array))
        if not len(batch):
            raise DataError("there are no images in the body; expected one or more")
        if batch.dtype == np.uint8:
            if not self._takes_pixels:
                raise DataError(refusal_of_pixels(self.model.training))
        else:
            require_scaled(batch, self.model.training, self.model.preprocessing)
        return batch

    def read(self, body: bytes) -> ReadPicture:
        """Read a picture file's content as `Predictor.read` does; DataError or ShapeError if that cannot be."""
        with opened(body) as (image, name):  # the header only
            if image.width * image.height > self._largest_picture:
                raise DataError(
                    f"{name} has {image.width:,} x {image.height:,} pixels, more than the {self._largest_picture:,} "
                    "that this server decodes; send a smaller one"
                )
        return self.predictor.read(body)

    def probabilities(self, requests: Sequence[Array]) -> list[FloatArray | DataError]:
        """Return the probabilities (N, K) of the images of each request, all predicted together."""
        pixels = [one.dtype == np.uint8 for one in requests]
        if all(pixels) or not any(pixels):
            return self._of_one_type(requests)
        found: dict[int, FloatArray | DataError] = {}
        for kind in (True, False):
            mine = [number for number, one in enumerate(pixels) if one is kind]
            found |= zip(mine, self._of_one_type([requests[number] for number in mine]), strict=True)
        return [found[number] for number in range(len(requests))]

    def _of_one_type(self, requests: Sequence[Array]) -> list[FloatArray | DataError]:
        found = self._network(requests[0] if len(requests) == 1 else np.concatenate(requests))
        ends = itertools.accumulate(map(len, requests))
        parts = [found[end - len(one) : end] for one, end in zip(requests, ends, strict=True)]
        if np.isfinite(found).all():
            return [*parts]
        return [one if np.isfinite(one).all() else DataError(_NOT_FINITE) for one in parts]

    def _network(self, images: Array) -> FloatArray:
        """Return the probabilities of images, NaN for one whose logits overflow."""
        engine, prepare = self.model.engine, self.model.preprocessing.fill if images.dtype == np.uint8 else None
        with np.errstate(all="ignore"):  # who sent it is told
            if len(images) in _SIZES:
                return engine.probabilities(images, prepare)
            return np.concatenate([engine.probabilities(images[part], prepare) for part in batch_slices(len(images))])

    def predictions(self, requests: Sequence[ReadPicture]) -> list[Prediction | DataError]:
        """Return the prediction of each picture, all predicted together."""
        return [one for part in batch_slices(len(requests)) for one in self.predictor.answer(requests[part])]

    def warm(self) -> None:
        """Predict once with every number of images that `batch_slices` gives; no request waits for that. Time it."""
        image = np.zeros((LARGEST, *self.model.input_shape), np.float32)
        for size in sorted(_SIZES):
            self.probabilities([image[:size]])
        read = ReadPicture(image[0], image[:1], Account())
        self.predictions([read])
        self.image_seconds = _seconds(lambda: self.probabilities([image])) / LARGEST
        self.picture_seconds = _seconds(lambda: self.predictions([read]))


def _seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes: the shortest of a few times, as other processes only lengthen it."""
    times = []
    for _ in range(_TIMED):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)


class Models(Mapping[str, Served]):
    """The models that are served, by name; the first is the default.

    Parameters
    ----------
    served
        At least one.

    Raises
    ------
    ConfigurationError
        If there is none, or two have one name.
    """

    def __init__(self, served: Sequence[Served]) -> None:
        if not served:
            raise ConfigurationError("there is no model to serve; name the files of one or more")
        self._served = {one.name: one for one in served}
        if len(self._served) < len(served):
            names = [one.name for one in served]
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigurationError(f"two models are called {twice!r}, after their files; rename one")
        self.default = served[0]

    @classmethod
    def load(cls, paths: Iterable[str | os.PathLike[str]], settings: Settings) -> Models:
        """Load models from files, each called as its file is, without the suffix; errors as of `Predictor`."""
        found = []
        for path in paths:
            model = load(path).use(None, settings.threads)
            predictor = Predictor(model, prepare=settings.prepare)
            found.append(Served(Path(path).stem, predictor, settings.largest_picture))
        return cls(found)

    def named(self, name: str | None) -> Served:
        """Return the model of a name, or of the name of its file; None: the default. Refusal 404 if there is none."""
        if name is None:
            return self.default
        found = self._served.get(name) or self._served.get(name.removesuffix(".tar.gz").removesuffix(".safetensors"))
        if found is None:
            raise Refusal(404, f"there is no model {name!r}{nearest(name, self._served)}")
        return found

    def __getitem__(self, name: str) -> Served:
        return self._served[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._served)

    def __len__(self) -> int:
        return len(self._served)
