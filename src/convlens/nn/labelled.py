"""Labelled images in any of their forms: a data set, examples, or two arrays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..data import Dataset, Examples
from ..data.labels import check_labels
from ..errors import DataError
from ..preprocessing import Preprocessing
from ..typing import Array, Labels

LabelledImages: TypeAlias = "Dataset | Examples | tuple[npt.ArrayLike, npt.ArrayLike]"


def images_and_labels(
    data: LabelledImages, class_names: Sequence[str], preprocessing: Preprocessing
) -> tuple[Array, Labels]:
    """Return images (N, H, W, C) and labels (N,) of a data set's test set, of examples, or of a pair of arrays.

    The classes of a data set have names, so they are matched with the model's by name. Examples and arrays have numbers
    alone: those of the model's outputs.

    Raises
    ------
    DataError
        If `data` is none of these, there are no images, their number differs from that of the labels, a label is not
        in 0..K-1, or a data set has a class that the model does not know.
    ShapeError
        If the images are of another shape than `preprocessing` takes.
    """
    if isinstance(data, Dataset):
        data = data.with_classes(class_names).test
    if isinstance(data, Examples):
        images, given, name = preprocessing.as_batch(data.images), data.labels, data.name
    elif isinstance(data, tuple) and len(data) == 2:
        images, given, name = preprocessing.as_batch(data[0]), _array(data[1]), "evaluate"
    else:
        raise DataError(_refusal(data))
    if not len(images) or given.shape != (len(images),):
        count = f"{len(given):,} labels" if given.ndim == 1 else f"labels of shape {given.shape}"
        raise DataError(
            f"{name}: {len(images):,} images and {count}; expected at least one image, one class number each"
        )
    return images, check_labels(given, len(class_names), f"{name} labels")


def _refusal(data: object) -> str:
    if isinstance(data, str | os.PathLike):
        return f"evaluate takes data, not its name {str(data)!r}; give something such as convlens.data.load('mnist')"
    return (
        f"evaluate takes a data set, examples, or (images, labels), not {type(data).__name__}; "
        "give model.evaluate((images, labels)) for arrays"
    )


def _array(labels: npt.ArrayLike) -> Array:
    try:
        return np.asarray(labels)
    except ValueError as error:  # lists of several lengths
        raise DataError("evaluate: labels are one class number for each image, and these are no single list") from error
