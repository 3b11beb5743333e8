"""IDX files written, and read as arrays, for tests."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from convlens.data import idx


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of uint8, compressed if the name ends in ``.gz``."""
    content = (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, 0x08, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()
    )
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def read_images(path: Path) -> np.ndarray:
    """Read grey images, (N, H, W, 1)."""
    return idx.parse(idx.read_content(path, idx.IMAGES), idx.IMAGES, path)[..., np.newaxis]


def read_labels(path: Path) -> np.ndarray:
    """Read labels, (N,)."""
    return idx.parse(idx.read_content(path, idx.LABELS), idx.LABELS, path)
