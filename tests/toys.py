"""A small data set that a small network learns in a moment: a bright bar in one of three places, 8 x 8 pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from convlens import data
from tests.idx_files import write_idx


def write_toy_folder(folder: Path, train: int = 300, test: int = 60) -> Path:
    """Write the data set as a folder of IDX files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("t10k", test)):
        images, labels = toy_images(count, seed=count)
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", labels)
    return folder


def toy_images(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 8, 8) and labels (N,)."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 90, (count, 8, 8), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[1 + 2 * label : 3 + 2 * label] += 120
    return images, labels


def load_toy(folder: Path) -> data.Dataset:
    """Write and load it."""
    return data.load(write_toy_folder(folder), validation_fraction=0.2)
