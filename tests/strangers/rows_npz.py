"""npz files as people save them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.strangers.table import Data, Row

LABELS = np.arange(60) % 3


def npz(**arrays: Any):  # type: ignore[no-untyped-def]
    """Return what writes an npz file of these arrays."""

    def make(folder: Path) -> Path:
        np.savez(folder / "data.npz", **arrays)
        return folder / "data.npz"

    return make


ROWS: list[Row] = [
    Data(
        "images and labels",
        npz(images=np.arange(60 * 64, dtype=np.uint8).reshape(60, 8, 8), labels=LABELS),
        classes="012",
        shape=(8, 8, 1),
        counts=(49, 5, 6),
    ),
    Data("labels of another number", npz(images=np.zeros((60, 8, 8), np.uint8), labels=LABELS[:-1]),
         refused=True, says=("60", "59")),
]  # fmt: skip
