"""Whether pixels can become a model's input: one that was trained on floats takes floats of the same scale.

The range of the training images is recorded with the model (``training.data.provenance.range``). If it is that of
scaled pixels, such as 0 to 1, pixels are scaled like them; if not, no one knows how.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DataError
from ..preprocessing import Preprocessing
from ..typing import Array

_FAR = 16  # times the largest input: perturbed images stay below, and pixels that are not nearly black do not


def recorded_data(training: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a model records of its training data, nothing if it is no mapping: a file may hold anything there."""
    data = training.get("data")
    return data if isinstance(data, Mapping) else {}


def trained_on_floats(training: Mapping[str, Any]) -> bool:
    """Whether the training images were floats."""
    return bool(recorded_data(training).get("dtype", "uint8") != "uint8")


def range_of_floats(training: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the least and the largest value of the training images, if they were floats and that is recorded."""
    provenance = recorded_data(training).get("provenance")
    found = provenance.get("range") if isinstance(provenance, Mapping) else None
    return (float(found[0]), float(found[1])) if isinstance(found, list) and len(found) == 2 else None


def takes_pixels(training: Mapping[str, Any], preprocessing: Preprocessing) -> bool | None:
    """Whether preprocessing scales pixels as the training images were scaled; None if that is not known."""
    if not trained_on_floats(training):
        return True
    known, (dark, light) = range_of_floats(training), sorted(preprocessing.of_pixels(0, 255))
    if known is None:
        return None
    return dark <= known[0] and known[1] <= light and known[1] - known[0] > (light - dark) / 2


def require_scaled(images: Array, training: Mapping[str, Any], preprocessing: Preprocessing) -> None:
    """Raise DataError if floats go far beyond the scaled pixels of the training: they are pixels that nobody scaled."""
    if images.dtype == np.uint8 or not training or trained_on_floats(training):
        return
    most, light = float(images.max(initial=0)), max(map(abs, preprocessing.of_pixels(0, 255)))
    if most > _FAR * light:
        raise DataError(
            f"floats are the network's input as they are, and these go up to {most:.3g}; the model was trained on "
            f"pixels scaled to at most {light:.3g}: give the pixels as whole numbers, or scale them"
        )


def refusal_of_pixels(training: Mapping[str, Any]) -> str:
    """Say why pixels cannot become the input of a model that was trained on floats."""
    known = range_of_floats(training)
    span = f"from {known[0]:.3g} to {known[1]:.3g}" if known else "whose range is not recorded"
    return (
        f"the model was trained on floats {span}, so pixels cannot be scaled for it; give arrays of floats, scaled as "
        "its training images were"
    )
