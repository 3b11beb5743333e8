"""Which sub-folders of a folder of images are classes, and which are parts: training, validation and test.

::

    set/cat/*.png              set/train/cat/*.png     and, if there are:
    set/dog/*.jpg              set/train/dog/*.jpg     set/val/cat/*.png ...    set/test/cat/*.png ...

Names of parts are recognised in any case of letters. Folders that systems and programs create are passed over.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

from ...errors import DataError, nearest
from ...pictures.formats import PICTURE_SUFFIXES

Part: TypeAlias = Literal["train", "validation", "test"]

EXPECTED = (
    "a folder of images with a sub-folder for each class (cat/, dog/), or train/ and test/ (and val/) above those"
)
_PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validationset", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "testset"), "test"),
}
# what may stand beside those words (training_set, seg_test, test1), and folders that hold no class either
_GENERAL = {"set", "data", "dataset", "images", "image", "img", "imgs", "pictures", "photos", "jpegimages", "seg"}
_TARGETS = {"masks", "mask", "labels", "label", "annotations", "annotation", "annots", "groundtruth", "gt", "boxes"}
# created by operating systems, storage devices and programs; treated as hidden
_SYSTEM = {
    "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__", "lost+found", "$recycle.bin",
    "recycler", "system volume information", "@eadir", "@recycle", "#recycle", "#snapshot", "network trash folder",
}  # fmt: skip
_TABLES = {".csv", ".tsv", ".json", ".txt", ".xml"}  # in which some data sets list the classes of their images


class Entries(NamedTuple):
    """What a folder holds, each sorted by name; `passed_over` are hidden folders and those of systems."""

    folders: list[Path]
    files: list[Path]
    passed_over: list[Path]


@dataclass(frozen=True)
class Layout:
    """Where the images of a folder are.

    Attributes
    ----------
    parts
        The folder of each part that is there, the training part first if there is one.
    classes
        For each part, the folder of each class that has one there.
    names
        Of the classes: in numerical order if all are numbers, else alphabetically.
    notes
        What a user should know about how the folders were understood.
    strangers
        Files beside the folders of parts or classes.
    passed_over
        Folders that were not looked into.
    """

    parts: dict[Part, Path]
    classes: dict[Part, dict[str, Path]]
    names: list[str]
    notes: list[str]
    strangers: list[Path]
    passed_over: list[Path]


def entries(folder: Path) -> Entries:
    """Return the entries of a folder that are not hidden; DataError if it cannot be read."""
    found = Entries([], [], [])
    try:
        with os.scandir(folder) as listing:
            paths = sorted((Path(entry.path) for entry in listing), key=lambda path: path.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}); give a readable folder") from error
    for path in paths:
        hidden = path.name.startswith(".") or path.name.lower() in _SYSTEM
        if is_folder(path):
            (found.passed_over if hidden else found.folders).append(path)
        elif not hidden:
            found.files.append(path)
    return found


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, or a link to one; not if that cannot be found out."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def is_picture(path: Path) -> bool:
    """Whether a file is meant to be a picture, by its name."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def part_of(path: Path) -> Part | None:
    """Return the part that a folder's name stands for, if it does: ``Train``, ``training_set``, ``test1``."""
    words = [word for word in re.split(r"[\W\d_]+", path.name.lower()) if word not in {"", *_GENERAL}]
    return _PARTS.get(words[0]) if len(words) == 1 else None


def find_layout(folder: Path, *, evaluating: bool = False) -> Layout:
    """Find parts and classes.

    Parameters
    ----------
    folder
        The folder.
    evaluating
        Whether a model is to be evaluated on it: one class is enough then, and no training part is needed.

    Raises
    ------
    DataError
        If there are fewer than two classes, or it cannot be told what the sub-folders are; the message says what to do.
    """
    top = entries(folder)
    parts = _parts(folder, top, evaluating=evaluating)
    inside = {part: top if path == folder else entries(path) for part, path in parts.items()}
    classes = {part: _classes(parts[part], found) for part, found in inside.items()}
    leading: Part = next(iter(parts))
    names = _ordered(classes[leading])
    if len(names) < (1 if evaluating else 2):
        raise DataError(_too_few(parts[leading], inside[leading]))
    for part in parts:
        for name, path in classes[part].items():
            if name not in names:
                raise DataError(f"{path}: there is no training class of that name{nearest(name, names)}")
    if parts[leading] == folder:
        _check_meant(folder, names)
    taken = [f"{path.name}/ was taken for a class" for path in classes[leading].values() if part_of(path) is not None]
    everything = [top] if parts[leading] == folder else [top, *inside.values()]
    return Layout(
        parts,
        classes,
        names,
        taken,
        [path for found in everything for path in found.files],
        [path for found in everything for path in found.passed_over],
    )


def _parts(folder: Path, top: Entries, *, evaluating: bool) -> dict[Part, Path]:
    """Return the folder of each part; the folder itself is the training part if there are none."""
    named = [(part, path) for path in top.folders if (part := part_of(path)) is not None]
    if not named or (len(named) < len(top.folders) and not any(entries(path).folders for _, path in named)):
        return {"train": folder}  # a class may be called "train": it holds images, not folders
    if len(named) < len(top.folders):
        others = [path for path in top.folders if part_of(path) is None]
        raise DataError(
            f"{folder}: holds {_listed(path for _, path in named)} and beside them {_listed(others)}; expected either "
            "parts or classes: move the others away"
        )
    for part in get_args(Part):
        if len(same := [path for found, path in named if found == part]) > 1:
            raise DataError(f"{folder}: holds {_listed(same)}, which mean the same; merge them, or move one away")
    parts = {part: path for wanted in get_args(Part) for part, path in named if part == wanted}
    if "train" not in parts and not evaluating:
        one = named[0][1]
        raise DataError(
            f"{folder}: holds {_listed(path for _, path in named)} and no train/, so there is nothing to train on; add "
            f"train/, or give {one}, from which validation and test images are split off"
        )
    return parts


def _classes(folder: Path, found: Entries) -> dict[str, Path]:
    """Return the folder of each class by its name; a name is the same however its accents are encoded."""
    classes: dict[str, Path] = {}
    for path in found.folders:
        name = unicodedata.normalize("NFC", path.name)
        if any("\ud800" <= one <= "\udfff" for one in name):  # bytes that are no text, as Python keeps them
            raise DataError(f"{folder}: the name of the folder {name!a} is not UTF-8; rename it")
        if name in classes:
            raise DataError(f"{folder}: has two folders called {name}; merge them")
        classes[name] = path
    return classes


def _check_meant(folder: Path, names: Sequence[str]) -> None:
    """Raise DataError where sub-folders hold images and what belongs to them, such as masks, and no classes."""
    plain = {name.lower().replace("_", "").replace("-", "") for name in names}
    if plain <= _GENERAL | _TARGETS and plain & _TARGETS:
        raise DataError(
            f"{folder}: holds {_listed(Path(name) for name in names)}, which are no classes; expected {EXPECTED}"
        )


def _ordered(names: Iterable[str]) -> list[str]:
    names = sorted(names)
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names


def _too_few(folder: Path, found: Entries) -> str:
    """Return the message for a folder with fewer than two classes."""
    if not found.folders and (said := unsorted(folder, found.files, entries(folder.parent).files)):
        return said
    if len(found.folders) == 1 and any(file.suffix.lower() in _TABLES for file in found.files):
        (one,) = found.folders
        inside = entries(one)
        if not inside.folders and (said := unsorted(one, inside.files, found.files)):
            return said
    if len(found.folders) == 1 and len(entries(found.folders[0]).folders) > 1:
        return f"{folder}: holds nothing but the folder {found.folders[0].name}; give {found.folders[0]}"
    there = f"only {found.folders[0].name}" if found.folders else "no sub-folder"
    return f"{folder}: has {there}; expected two classes or more: {EXPECTED}"


def unsorted(folder: Path, files: Sequence[Path], beside: Sequence[Path] = ()) -> str | None:
    """Return the message for a folder of images without a folder for each class; None if it has no images.

    Parameters
    ----------
    folder
        The folder.
    files
        In it.
    beside
        Files beside it, one of which may list the classes.
    """
    pictures = sum(map(is_picture, files))
    if not pictures:
        return None
    table = next((path.name for path in (*files, *beside) if path.suffix.lower() in _TABLES), None)
    more = f" (a file such as {table} is not read for them)" if table else ""
    return (
        f"{folder}: holds {pictures:,} images, but no folder for each class, so their classes are unknown{more}; move "
        "the images of each class into a folder of its name"
    )


def _listed(paths: Iterable[Path]) -> str:
    """Return the names of folders for a message: the first few."""
    names = [f"{path.name}/" for path in paths]
    shown = names[:4] if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
