"""What tables of numbers have in common, whatever file they are in: the data set made of their parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..assemble import assemble, assemble_test
from ..dataset import Dataset
from ..examples import Examples
from ..identity import file_sum
from ..pixel_range import PixelRange
from .array_names import Part
from .source import Request

_SPLIT = 3  # images of each class that a table without a test set needs


class Content(NamedTuple):
    """What the files of a data set hold."""

    parts: dict[Part, Examples]
    class_names: list[str] | None  # None: the class numbers
    pixels: PixelRange
    notes: list[str]


def to_dataset(content: Content, request: Request, name: str, source: str, files: Sequence[Path]) -> Dataset:
    """Make a data set of what was read.

    Parameters
    ----------
    content
        What the files hold.
    request
        How to load it. With `like`, for an evaluation, images that are too few to be split are the test set as a whole.
    name, source
        The data set's name, and where it is from.
    files
        All that were read; their sums are recorded.
    """
    notes = list(content.notes)
    alone = _test_alone(content.parts) if request.like is not None else None
    if alone is not None and alone.name != "test":
        notes.append("the whole table is the test set: its images are too few to split, or of one class")
    provenance: dict[str, Any] = {
        "source": source,
        "licence": "not stated (one's own data)",
        "sha256": {file.name: file_sum(file) for file in files},
        "pixel_range": [content.pixels.black, content.pixels.white],
    }
    if notes:
        provenance["notes"] = notes
    if alone is not None and request.like is not None:
        names = content.class_names or [str(number) for number in range(int(alone.labels.max()) + 1)]
        return assemble_test(name, alone, provenance=provenance, class_names=names, intake=request.like.intake)
    return assemble(
        name,
        content.parts["train"],
        content.parts.get("test"),
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
        class_names=content.class_names,
        validation=content.parts.get("validation"),
    )


def _test_alone(parts: dict[Part, Examples]) -> Examples | None:
    """Return the images that are a test set by themselves: those of the test part, or too few to be split."""
    if "train" not in parts:
        return parts.get("test", parts.get("validation"))
    counts = np.unique(parts["train"].labels, return_counts=True)[1]
    return parts["train"] if len(parts) == 1 and (len(counts) < 2 or counts.min() < _SPLIT) else None
