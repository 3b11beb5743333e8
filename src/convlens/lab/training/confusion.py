"""The images behind one cell of a confusion matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ConfigurationError
from ...typing import IntArray
from .pictures import encoded
from .session import Session

MOST_IMAGES, MOST_BYTES = 100, 1 << 22  # of one cell, 4 MiB: large images are fewer


def cell(session: Session, epoch: int, true: int, predicted: int) -> dict[str, Any]:
    """Return validation's images of one class that were taken for another, after an epoch.

    Parameters
    ----------
    session
        The training.
    epoch
        Counted from 1.
    true, predicted
        Numbers of the classes: row and column of the confusion matrix.

    Returns
    -------
    dict
        ``count``, of all; ``shape``, (H, W, C); and of the first `MOST_IMAGES`, or as many as have `MOST_BYTES`: their
        places in the validation set (``indexes``), and their ``pixels``, uint8 in base64.

    Raises
    ------
    ConfigurationError
        If the epoch has not ended, or there is no such class.
    """
    path = session.predictions(epoch)
    if not path.is_file():
        raise ConfigurationError(f"training {session.name} has not finished epoch {epoch} yet")
    predictions: IntArray = np.load(path)
    dataset = session.configuration().dataset()
    classes = len(dataset.class_names)
    if not (0 <= true < classes and 0 <= predicted < classes):
        raise ConfigurationError(f"classes are numbered from 0 to {classes - 1}; there is no cell {true}, {predicted}")
    validation = dataset.validation
    if len(predictions) != len(validation):
        raise ConfigurationError(f"the data {dataset.name} have changed since training {session.name} read them")
    indexes = np.flatnonzero((validation.labels == true) & (predictions == predicted))
    shown = indexes[: min(MOST_IMAGES, max(1, MOST_BYTES // math.prod(dataset.input_shape)))]
    images = validation.images[shown]
    return {
        "count": len(indexes),
        "shape": list(images.shape[1:]),
        "indexes": shown.tolist(),
        "pixels": encoded(images),
    }
