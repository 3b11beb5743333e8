"""Which values of a table are black and white: found out from all its images, and never guessed.

Images are kept as bytes, 0 (black) to 255 (white). Tables hold other ranges too: 0 to 1, 0 to 16, -1 to 1, ten or more
bits. `find_range` says which one it is, or refuses; `PixelRange` converts.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..errors import DataError
from ..typing import Array, UInt8
from .pixels import refuse

DARK = 64  # a whole set whose brightest pixel is below this is all but black
_BITS = (10, 12, 14, 16)
_SMALL_WHITES = (15, 16)  # four bits; counts of 4 x 4 dots, as in scikit-learn's digits
_MISTAKES = 0.01  # of whole numbers outside 0 to 255: up to this share, they are mistakes and no other range
_BLOCK = 2**22  # values converted at a time


@dataclasses.dataclass(frozen=True)
class PixelRange:
    """The values that stand for black and white in a table.

    Attributes
    ----------
    black, white
        They become 0 and 255; values between them are scaled linearly and rounded.
    whole
        Whether all values are whole numbers.
    """

    black: float
    white: float
    whole: bool = True

    @property
    def note(self) -> str:
        """What was done with the values, in a sentence; empty if they are bytes already."""
        kind = "whole numbers" if self.whole else "floats"
        if (self.black, self.white) != (0, 255):
            return f"pixels are {kind} from {self.black:g} to {self.white:g}: stretched to 0 to 255 and rounded"
        return "" if self.whole else "pixels are floats from 0 to 255: rounded to whole numbers"

    def to_pixels(self, values: Array, name: str) -> UInt8:
        """Convert values (N, ...) to bytes of the same shape.

        Raises
        ------
        DataError
            If one would not lie in 0 to 255 after rounding; the message names it and its image.
        """
        identity = (self.black, self.white) == (0, 255)
        if values.dtype == np.uint8 and identity:
            return values
        if values.dtype == np.bool_:
            return values.astype(np.uint8) * np.uint8(255)
        found: UInt8 = np.empty(values.shape, np.uint8)
        scale = 255 / (self.white - self.black)
        for rows in _blocks(values):
            scaled = np.rint(values[rows] if identity else (values[rows].astype(np.float64) - self.black) * scale)
            refuse((scaled < 0) | (scaled > 255), values[rows], name, f"{self.black:g} to {self.white:g}", rows.start)
            found[rows] = scaled
        return found


def find_range(parts: Sequence[tuple[Array, str]], known: tuple[float, float] | None = None) -> PixelRange:
    """Find the range of pixels in a data set's arrays, the training images first; all have the same.

    Whole numbers are 0 to 255 where the largest is 64 or more, 0 to 1 where it is 1, 0 to 15 or 16 where it is that,
    10, 12, 14 or 16 bits where it lies in the upper half of those. Floats are 0 to 1, -1 to 1 or -0.5 to 0.5 where they
    come near both ends, or 0 to 255.

    Parameters
    ----------
    parts
        Images (N, ...) of any numeric type, and their name in messages.
    known
        Black and white of data like these, from a model trained on them: used where the values alone do not show it,
        and where they happen not to reach its white.

    Raises
    ------
    DataError
        If values are not numbers or not finite, their range is not clear, or the parts have several.
    """
    found, recorded = _own_range(*parts[0]), _recorded(known, parts[0][0])
    if found is not None and recorded is not None:
        found = _wider(found, recorded) or found
    found = found or recorded
    if found is None:
        raise DataError(_cannot_tell(*parts[0]))
    for values, name in parts[1:]:
        other = _own_range(values, name)
        if other is None or (other.black, other.white) == (found.black, found.white):
            continue
        if wider := _wider(found, other):
            found = wider
            continue
        raise DataError(
            f"{name}: its pixels go from {other.black:g} to {other.white:g}, those of {parts[0][1]} from "
            f"{found.black:g} to {found.white:g}; give both in one range"
        )
    return found


def _wider(one: PixelRange, other: PixelRange) -> PixelRange | None:
    """Return the wider of two ranges that differ because few images need not reach white; None for ranges of two kinds.

    Of 0 to 15 and 0 to 16, and of whole numbers of ten bits and more, the largest value is all that tells them apart.
    """
    whites = {one.white, other.white}
    alike = whites <= set(_SMALL_WHITES) or whites <= {2**bits - 1 for bits in _BITS}
    if not (alike and one.black == other.black == 0):
        return None
    return dataclasses.replace(one, white=max(whites))


def recorded_range(trained: object) -> tuple[float, float] | None:
    """Return the black and white of the tables that a model was trained on, or that a data set was read from.

    Parameters
    ----------
    trained
        A model, whose record has the provenance of its training data, or a data set.

    Returns
    -------
    tuple[float, float] | None
        What `find_range` takes as `known`; None if there is no such record.
    """
    training = getattr(trained, "training", None)
    record = training.get("data") if isinstance(training, Mapping) else None
    provenance = record.get("provenance") if isinstance(record, Mapping) else getattr(trained, "provenance", None)
    found = provenance.get("pixel_range") if isinstance(provenance, Mapping) else None
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    black, white = found
    numbers = all(isinstance(one, int | float) and math.isfinite(one) for one in found)
    return (float(black), float(white)) if numbers and black < white else None


def all_but_black(images: UInt8) -> str:
    """Return a warning where images (N, H, W, C), as bytes, are nearly or wholly of one shade; otherwise nothing."""
    if not images.size:
        return ""
    least, most = int(images.min()), int(images.max())
    if least == most:
        return f"every pixel of every image is {least}: there is nothing to see in them"
    mean = float(images[:: max(1, len(images) // 1000)].mean())
    if most < 128:
        dark = "all but black" if most < DARK else "dark"
        return f"the images are {dark}: the brightest pixel of all is {most} of 255; if it should be white, scale them"
    return f"the images are all but black: the mean of their pixels is {mean:.2g} of 255" if mean < 2 else ""


def range_notes(found: PixelRange, images: UInt8) -> list[str]:
    """Return what a user should know about the values of a data set's images, a sentence each."""
    return [note for note in (found.note, all_but_black(images)) if note]


def _own_range(values: Array, name: str) -> PixelRange | None:
    """Return the range that values show by themselves; None if it is not clear."""
    if values.dtype == np.bool_:
        return PixelRange(0, 1)
    if values.dtype.kind not in "uif":
        raise DataError(f"{name}: holds {values.dtype}; expected pixels: integers 0 to 255, or floats")
    if values.dtype.kind == "f":
        for rows in _blocks(values):
            refuse(~np.isfinite(values[rows]), values[rows], name, "a finite number", rows.start)
    least, most = float(values.min()), float(values.max())
    if values.dtype.kind != "f" or all(_is_whole(values[rows]) for rows in _blocks(values)):
        return _of_whole_numbers(least, most, values, name)
    for black, white in ((0, 1), (-1, 1), (-0.5, 0.5), (0, 255), *((0, small) for small in _SMALL_WHITES)):
        margin = (white - black) / 511  # rounds into the range
        if black - margin <= least and most <= white + margin and _fills(black, white, least, most):
            return PixelRange(black, white, whole=False)
    return None


def _fills(black: float, white: float, least: float, most: float) -> bool:
    """Whether values reach so far into a range of floats that it must be theirs."""
    if white in _SMALL_WHITES:
        return most == white
    if black < 0:
        return least < 0.9 * black and most > white / 2
    return most >= white * DARK / 255


def _of_whole_numbers(least: float, most: float, values: Array, name: str) -> PixelRange | None:
    if least == -1 and most == 1:
        return PixelRange(-1, 1)
    if least < 0 or most > 255:
        wrong = (values < 0) | (values > 255)
        if np.count_nonzero(wrong) <= _MISTAKES * values.size:
            refuse(wrong, values, name, "0 to 255")
    if least < 0:
        return None
    if most in {1, *_SMALL_WHITES}:
        return PixelRange(0, most)
    if most == 0 or DARK <= most <= 255:
        return PixelRange(0, 255)
    if most < DARK:
        return None
    white = next((2**bits - 1 for bits in _BITS if most < 2**bits), math.inf)
    return PixelRange(0, white) if most > white / 2 else None


def _recorded(known: tuple[float, float] | None, values: Array) -> PixelRange | None:
    if known is None:
        return None
    return PixelRange(*known, whole=all(_is_whole(values[rows]) for rows in _blocks(values)))


def _cannot_tell(values: Array, name: str) -> str:
    least, most = values.min().item(), values.max().item()
    if least < 0:
        advice = "undo centring or standardising, or give floats as they are to Dataset.from_arrays"
    else:
        advice = "scale them to 0 to 255, or to floats from 0 to 1"
    return f"{name}: its values go from {least:.6g} to {most:.6g}, and it is not clear which of them is white; {advice}"


def _is_whole(values: Array) -> bool:
    return bool((values == np.floor(values)).all())


def _blocks(values: Array) -> Iterator[slice]:
    """Yield slices of the first axis, so that a conversion takes little memory beside the array itself."""
    step = max(1, _BLOCK // max(1, values[:1].size))
    for start in range(0, len(values), step):
        yield slice(start, start + step)
