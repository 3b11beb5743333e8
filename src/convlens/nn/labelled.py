"""Labelled images in any of their forms: a data set, examples, or two arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..data import Dataset, Examples
from ..data.labels import check_labels
from ..errors import DataError
from ..typing import Array, Labels

LabelledImages: TypeAlias = "Dataset | Examples | tuple[Array, npt.ArrayLike]"


def images_and_labels(data: LabelledImages, class_names: Sequence[str]) -> tuple[Array, Labels]:
    """Return images (N, ...) and labels (N,) of a data set's test set, of examples, or of a pair of arrays.

    The classes of a data set have names, so they are matched with the model's by name. Examples and arrays have numbers
    alone: those of the model's outputs.

    Raises
    ------
    DataError
        If `data` is none of these, there are no images, their number differs from that of the labels, a label is not
        in 0..K-1, or a data set has a class that the model does not know.
    """
    if isinstance(data, Dataset):
        data = data.with_classes(class_names).test
    if isinstance(data, Examples):
        images: Array = data.images
        given: Any = data.labels
        name = data.name
    elif isinstance(data, tuple) and len(data) == 2:
        images, given, name = np.asarray(data[0]), data[1], "evaluate"
    else:
        raise DataError(
            f"evaluate takes a data set, examples, or (images, labels), not {type(data).__name__}; "
            "give model.evaluate((images, labels)) for arrays"
        )
    labels = check_labels(given, len(class_names), f"{name} labels")
    if not len(labels) or len(images) != len(labels):
        raise DataError(
            f"{name}: {len(images):,} images and {len(labels):,} labels; expected at least one image, one label each"
        )
    return images, labels
