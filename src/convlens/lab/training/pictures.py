"""Images as the page paints them; and some training images as augmentation moves them, to be looked at beforehand."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from ...data import Dataset
from ...train.augmentation import Augmentation
from ...typing import Array

MOST_MOVED, MOST_BYTES = 10, 1 << 18  # 256 KiB: large images are fewer


def encoded(images: Array) -> str:
    """Return images (N, H, W, C), bytes or floats from 0 to 1, as bytes in base64."""
    if images.dtype != np.uint8:
        images = np.clip(np.rint(images * 255), 0, 255).astype(np.uint8)
    return base64.b64encode(images.tobytes()).decode()


def moved(dataset: Dataset, augmentation: Augmentation, seed: int) -> dict[str, Any]:
    """Return the first training images as the first step of a training would show them if they were its batch.

    Returns
    -------
    dict
        ``count``, N; ``shape``, (H, W, C); and ``pixels``, uint8 in base64.
    """
    count = min(MOST_MOVED, max(1, MOST_BYTES // math.prod(dataset.input_shape)))
    shown = augmentation(dataset.preprocessing(dataset.train.images[:count]), seed)
    black, white = dataset.preprocessing.of_pixels(0, 255)
    pixels = encoded((shown - black) / (white - black))
    return {"count": len(shown), "shape": list(dataset.input_shape), "pixels": pixels}
