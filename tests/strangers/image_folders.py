"""Folders of small images, written for the rows of several tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Make = Callable[[Path], Path]
Write = Callable[[Path, np.ndarray], object]


def png(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path.with_suffix(".png"))


def tiff(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path.with_suffix(".tif"))


def pfm(path: Path, values: np.ndarray) -> None:
    """Write a portable float map, whose rows go upwards."""
    header = f"Pf\n{values.shape[1]} {values.shape[0]}\n-1.0\n".encode()
    path.with_suffix(".pfm").write_bytes(header + values[::-1].astype("<f4").tobytes())


def values(number: int, size: tuple[int, int] = (6, 5)) -> np.ndarray:
    """Return a picture of bytes from 0 to 255."""
    found = np.random.default_rng(number).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    found[0, :2] = 0, 255
    return found


def fill(
    folder: Path,
    classes: tuple[str, ...] = ("cat", "dog"),
    each: int = 10,
    write: Write = png,
    change: Callable[[np.ndarray], np.ndarray] = lambda picture: picture,
) -> Path:
    """Write a folder for each class."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for position in range(each):
            write(folder / name / str(position), change(values(100 * number + position)))
    return folder
