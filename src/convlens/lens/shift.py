"""What becomes of a network's predictions when its images are shifted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, ShapeError
from ..nn import Model
from ..nn.labelled import images_and_labels
from ..typing import Array, FloatArray, IntArray
from .result import Result, Table, share
from .values import checked


def shifted(images: Array, dy: int, dx: int, fill: float = 0) -> Array:
    """Return T x: images (N, H, W, C) moved down by dy and to the right by dx whole pixels.

    y[n, i, j] = x[n, i - dy, j - dx] where there is such a pixel, else `fill`; pixels moved beyond the edge are lost.
    """
    height, width = images.shape[1:3]
    moved = np.full_like(images, fill)
    rows, columns = max(0, height - abs(dy)), max(0, width - abs(dx))
    if rows and columns:
        to_row, to_column, from_row, from_column = max(dy, 0), max(dx, 0), max(-dy, 0), max(-dx, 0)
        moved[:, to_row : to_row + rows, to_column : to_column + columns] = images[
            :, from_row : from_row + rows, from_column : from_column + columns
        ]
    return moved


def blank(model: Model, batch: Array) -> float:
    """Return the value of an empty pixel in images of this type: 0, or what preparation makes of it."""
    return 0.0 if batch.dtype == np.uint8 else model.preprocessing.of_pixels(0)[0]


@dataclass(frozen=True, eq=False)
class ShiftMap(Result):
    """What becomes of predictions when images are shifted.

    Attributes
    ----------
    images
        Number of images, N.
    offsets
        (M, 2): the shift (dy, dx) in pixels, downwards and to the right.
    accuracy
        (M,) share of the images classified correctly.
    consistency
        (M,) share of the images whose prediction is that of the unshifted image, right or wrong.
    confidence
        (M,) mean probability of the predicted class.
    """

    images: int
    offsets: IntArray
    accuracy: FloatArray
    consistency: FloatArray
    confidence: FloatArray

    @property
    def distances(self) -> IntArray:
        """(M,) the larger of |dy| and |dx|, in pixels."""
        found: IntArray = np.abs(self.offsets).max(axis=1)
        return found

    def at_distance(self, distance: int) -> tuple[float, float, float]:
        """Return mean accuracy, consistency and confidence of the shifts with max(|dy|, |dx|) = `distance`."""
        ring = self.distances == distance
        if not ring.any():
            raise ConfigurationError(f"no shift of {distance} pixels was measured")
        return tuple(float(one[ring].mean()) for one in (self.accuracy, self.consistency, self.confidence))  # type: ignore[return-value]

    def table(self) -> Table:
        rows = [(n, *map(share, self.at_distance(n))) for n in np.unique(self.distances).tolist()]
        title = f"shifted images ({self.images:,}), mean over the directions"
        return title, ("shift, pixels", "accuracy", "consistency", "confidence"), rows


def under_shift(
    model: Model, images: npt.ArrayLike, labels: npt.ArrayLike, offsets: Iterable[tuple[int, int]]
) -> ShiftMap:
    """Measure accuracy, consistency and confidence for images shifted by every offset.

    A shift drops what leaves the image and fills in blank pixels: 0, or for floats what preparation makes of 0.
    Accuracy tells whether the network still knows the digit; consistency, whether it says the same as before, which is
    what *invariance* means (Azulay & Weiss, "Why do deep convolutional networks generalize so poorly to small image
    transformations?", JMLR 2019; Zhang, "Making convolutional networks shift-invariant again", ICML 2019).

    Parameters
    ----------
    model
        Any model.
    images, labels
        As for `Model.evaluate`: (N, H, W, C) and (N,).
    offsets
        (dy, dx) in whole pixels, downwards and to the right.

    Raises
    ------
    ConfigurationError
        If an offset is not two whole numbers.
    DataError, ShapeError
        If the images are not as for `Model.predict_proba`, or their number is not that of the labels.

    Examples
    --------
    >>> from convlens import lens, models
    >>> images = np.zeros((3, 28, 28, 1), np.uint8)
    >>> lens.under_shift(models.build("cnn"), images, [0, 1, 2], [(0, 0), (0, 2)]).consistency
    array([1., 1.])
    """
    batch, true = images_and_labels((images, labels), model.class_names, model.preprocessing)
    moves = _offsets(offsets)
    fill, still = blank(model, checked(model, batch)), model.predict_proba(batch).argmax(axis=1)
    found = np.empty((len(moves), 3))
    for place, (dy, dx) in enumerate(moves.tolist()):
        probabilities = model.predict_proba(shifted(batch, dy, dx, fill))
        predicted = probabilities.argmax(axis=1)
        confidence = probabilities.max(axis=1).mean(dtype=np.float64)
        found[place] = (predicted == true).mean(), (predicted == still).mean(), confidence
    return ShiftMap(len(batch), moves, *found.T.copy())


@dataclass(frozen=True, eq=False)
class ImageShifts(Result):
    """What a network says of one image at every place it can be shifted to.

    Attributes
    ----------
    class_names
        Names of the K classes.
    reach
        How far the image is shifted in each direction, in pixels.
    probabilities
        (2 * reach + 1, 2 * reach + 1, K): for the shift of ``i - reach`` pixels down and ``j - reach`` to the right.
    """

    class_names: tuple[str, ...]
    reach: int
    probabilities: FloatArray

    @property
    def predicted(self) -> IntArray:
        """(S, S) the most probable class at every shift."""
        found: IntArray = self.probabilities.argmax(axis=2)
        return found

    @property
    def unshifted(self) -> int:
        """The class of the image where it is."""
        return int(self.predicted[self.reach, self.reach])

    def confidence(self, target: int | None = None) -> FloatArray:
        """Return the probability (S, S) of a class at every shift; that of the image where it is, if None."""
        found: FloatArray = self.probabilities[..., self.unshifted if target is None else target]
        return found

    def at_distance(self, distance: int) -> tuple[float, float]:
        """Return the share of the shifts with max(|dy|, |dx|) = `distance` that keep the class, and its confidence.

        Raises
        ------
        ConfigurationError
            If the distance is beyond the reach.
        """
        line = np.abs(np.arange(-self.reach, self.reach + 1))
        ring = np.maximum(line[:, None], line) == distance
        if not ring.any():
            raise ConfigurationError(f"the image was shifted by up to {self.reach} pixels, not {distance}")
        same = (self.predicted[ring] == self.unshifted).mean()
        return float(same), float(self.confidence()[ring].mean(dtype=np.float64))

    def table(self) -> Table:
        name = self.class_names[self.unshifted]
        rows = [(n, *map(share, self.at_distance(n))) for n in range(self.reach + 1)]
        return f"one image shifted, taken for {name}", ("shift, pixels", "same class", f"probability of {name}"), rows


def over_shifts(model: Model, image: npt.ArrayLike, reach: int = 8) -> ImageShifts:
    """Return the probabilities of one image at every shift of up to `reach` pixels in each direction.

    Where the image leaves its frame it is lost; blank pixels are filled in. See `under_shift`, which measures many
    images.

    Parameters
    ----------
    model
        Any model.
    image
        (H, W, C), or (1, H, W, C): as for `Model.predict_proba`.
    reach
        In pixels, from 1 to below the image's size.

    Raises
    ------
    ConfigurationError
        If the reach is not such a number.
    DataError, ShapeError
        If the image is not as for `Model.predict_proba`, or there are several.

    Examples
    --------
    >>> from convlens import lens, models
    >>> found = lens.over_shifts(models.build("cnn"), np.zeros((28, 28, 1), np.uint8), 2)
    >>> found.probabilities.shape
    (5, 5, 10)
    """
    batch = checked(model, image)
    if len(batch) != 1:
        raise ShapeError(f"one image is shifted to every place, not {len(batch):,}; under_shift measures several")
    if type(reach) is not int or not 1 <= reach < min(batch.shape[1:3]):
        raise ConfigurationError(
            f"an image of {batch.shape[1]} x {batch.shape[2]} is shifted by 1 to {min(batch.shape[1:3]) - 1} pixels, "
            f"not {reach!r}"
        )
    fill, moves = blank(model, batch), grid(1, reach)
    found = model.predict_proba(np.concatenate([shifted(batch, dy, dx, fill) for dy, dx in moves]))
    side = 2 * reach + 1
    return ImageShifts(model.class_names, reach, found.reshape(side, side, -1))


def _offsets(offsets: Iterable[tuple[int, int]]) -> IntArray:
    try:
        moves = np.asarray(list(offsets))
    except (TypeError, ValueError) as error:
        raise ConfigurationError("offsets are pairs (dy, dx) of whole pixels, such as [(0, 0), (0, 2)]") from error
    if moves.ndim != 2 or moves.shape[1] != 2 or moves.dtype.kind not in "iu":
        raise ConfigurationError(f"offsets are pairs (dy, dx) of whole pixels, such as (0, 2), not {offsets!r}")
    return moves.astype(np.int64)


def grid(step: int, reach: int) -> list[tuple[int, int]]:
    """Return every shift of a multiple of `step` pixels, up to `reach` in each direction, row by row."""
    if not (type(step) is int and type(reach) is int and 1 <= step <= reach and reach % step == 0):
        raise ConfigurationError(
            f"shifts go in steps of 1 pixel or more up to a multiple of that, not {step} to {reach}"
        )
    line = range(-reach, reach + 1, step)
    return [(dy, dx) for dy in line for dx in line]
