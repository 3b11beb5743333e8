"""The work that all peers do: real digits in a fixed order."""

from __future__ import annotations

import numpy as np

import convlens as cl


def batches(size: int, count: int = 16) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return float32 images (N, 28, 28, 1) in [0, 1] and labels (N,), `count` batches of them."""
    digits = cl.data.load("mnist")
    images, labels = digits.train.images, digits.train.labels
    parts = [slice(size * i, size * (i + 1)) for i in range(min(count, len(labels) // size))]
    return [(digits.preprocessing(images[part]), labels[part]) for part in parts]
