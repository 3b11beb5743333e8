"""The identity of a data set: one SHA-256 of its pixels, labels and class names, and of nothing else.

Each array is hashed as the IDX file that would hold it (see `idx`). So MNIST has the same identity from the package,
from a folder of IDX files, from CSV or npz; and where a file's SHA-256 is known, no pixel has to be read.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..plain import canonical
from ..typing import Array, Labels

_BLOCK = 2**22  # bytes hashed at a time
# a type's code in an IDX header, and the byte order of its values
_TYPES: dict[str, tuple[int, str]] = {"uint8": (0x08, "u1"), "int32": (0x0C, ">i4"), "float32": (0x0D, ">f4")}


class ContentSums(NamedTuple):
    """The SHA-256 of images and of labels, each as an IDX file, header included."""

    images: str
    labels: str


def file_sum(path: Path) -> str:
    """Return the SHA-256 of a file as stored, without unpacking it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_sums(images: Array, labels: Labels) -> ContentSums:
    """Return the SHA-256 of images (N, H, W, C), uint8 or float32, and of labels (N,) below 2**31.

    Grey images are hashed without their last axis, and labels below 256 as bytes, as MNIST's files have them.
    """
    grey = images.shape[3] == 1
    return ContentSums(
        _idx_sum(images[..., 0] if grey else images),
        _idx_sum(labels.astype(np.uint8 if labels.max(initial=0) < 256 else np.int32)),
    )


def _idx_sum(array: Array) -> str:
    code, layout = _TYPES[array.dtype.name]
    digest = hashlib.sha256(struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape))
    step = max(1, _BLOCK // max(1, array[:1].nbytes))
    for start in range(0, len(array), step):
        digest.update(np.ascontiguousarray(array[start : start + step], np.dtype(layout)).data)
    return digest.hexdigest()


def identity(
    train: ContentSums, test: ContentSums | None, class_names: Sequence[str], validation: ContentSums | None = None
) -> str:
    """Return the SHA-256 of everything a source has read, as 64 hexadecimal digits.

    Parameters
    ----------
    train
        Of the training images and labels, before any split.
    test
        Of the source's own test set; None if it has none.
    class_names
        In the order of the class numbers.
    validation
        Of the source's own validation set; None if it has none.
    """
    content: dict[str, Any] = {
        "class_names": list(class_names),
        "train": train._asdict(),
        "test": None if test is None else test._asdict(),
    }
    if validation is not None:  # no key otherwise, so that the identity of other data sets stays what it was
        content["validation"] = validation._asdict()
    return hashlib.sha256(canonical(content).encode()).hexdigest()
