"""A folder of image files: one sub-folder per class, whose name is the class's name.

`folder_layout` says which sub-folders are classes and which are parts; `folder_images` reads the files. Hidden files
are ignored and links are followed. Any other file in a class that is not an intact image of the common size is an error
or, with `skip_broken`, left out and named in the provenance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ..assemble import assemble, assemble_test
from ..dataset import Dataset
from .folder_files import SKIP
from .folder_images import PartImages, read_images
from .folder_layout import EXPECTED, Entries, Layout, Part, entries, find_layout, is_picture
from .source import Format, Request, VerifiedFile


def load(folder: Path, request: Request) -> Dataset:
    """Load a folder of images.

    Raises
    ------
    DataError
        If a file is broken or of another size (and `skip_broken` is not set), a class is empty, there is only one
        class, or another part has a class that the training part lacks.
    ConfigurationError
        If fraction or seed is out of range.
    """
    layout = find_layout(folder, evaluating=request.like is not None)
    found = read_images(folder, layout, request)
    digest = hashlib.sha256(b"".join(one for part in found.parts.values() for one in part.sums))
    provenance: dict[str, Any] = {
        "source": f"image files in {folder}",
        "licence": "not stated (one's own data)",
        "sha256": {"all files in order": digest.hexdigest()},
    }
    notes = [*found.notes, *_passed_over(layout, folder)]
    alone = _test_alone(found.parts, len(layout.names)) if request.like is not None else None
    if alone is not None and alone.part != "test":
        notes.append(f"all {len(alone.labels):,} images are the test set: they are too few to split, or of one class")
    if notes:
        provenance["notes"] = notes
    if found.skipped:
        provenance["skipped"] = [f"{file.name}: {file.problem}" for file in found.skipped]
    name = folder.resolve().name
    if alone is not None:
        return assemble_test(name, alone.examples, provenance=provenance, class_names=layout.names, intake=found.intake)
    test, validation = found.parts.get("test"), found.parts.get("validation")
    return assemble(
        name,
        found.parts["train"].examples,
        None if test is None else test.examples,
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
        class_names=layout.names,
        validation=None if validation is None else validation.examples,
        intake=found.intake,
    )


def _test_alone(parts: dict[Part, PartImages], classes: int) -> PartImages | None:
    """Return the images that are a test set by themselves: those of the test part, or too few to be split."""
    if "train" not in parts:
        return parts.get("test") or parts["validation"]
    if len(parts) > 1:
        return None
    counts = np.bincount(parts["train"].labels, minlength=2)
    return parts["train"] if classes < 2 or counts.min() < 3 else None


def _passed_over(layout: Layout, folder: Path) -> Iterator[str]:
    """Yield notes about files and folders that were not read."""
    for paths, why in (
        (layout.strangers, "not in the folder of a class"),
        (layout.passed_over, "hidden, or created by a system or program"),
    ):
        names = [str(path.relative_to(folder)) for path in paths]
        if names:
            more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
            yield f"not read: {', '.join(names[:5])}{more} ({why})"


def recognises(path: Path) -> bool:
    """Whether the path is a folder of folders that hold images, or of folders and no table of pixels."""
    if not path.is_dir():
        return False
    found = entries(path)
    if not found.folders:
        return False
    below = [one for folder in found.folders if (one := _entries(folder))]
    deeper = [one for level in below for folder in level.folders if (one := _entries(folder))]
    if any(is_picture(file) for one in (*below, *deeper) for file in one.files):
        return True
    return not any(file.suffix.lower() == ".csv" for file in found.files)


def _entries(folder: Path) -> Entries | None:
    try:
        return entries(folder)
    except DataError:  # not readable: it may matter to nobody
        return None


def verify(folder: Path) -> list[VerifiedFile]:
    """Decode every image: one entry per class, and one per file that is broken or of another size."""
    layout = find_layout(folder)
    found = read_images(folder, layout, Request(skip_broken=True))
    checked = [
        _verified(folder, path, images)
        for part, images in found.parts.items()
        for path in layout.classes[part].values()
    ]
    for file in found.skipped:
        problem = f"{file.problem}; {SKIP}"
        checked.append(VerifiedFile(file.name, "", None, ok=False, items=0, place="folder", problem=problem))
    return checked


def _verified(root: Path, folder: Path, images: PartImages) -> VerifiedFile:
    sums = [one for path, one in zip(images.paths, images.sums, strict=True) if path.parent == folder]
    name, digest = str(folder.relative_to(root)), hashlib.sha256(b"".join(sums)).hexdigest()
    return VerifiedFile(name, digest, None, ok=True, items=len(sums), place="folder")


FORMAT = Format(EXPECTED, recognises, load, verify, pictures=True)
