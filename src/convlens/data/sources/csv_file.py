"""Images as rows of a CSV file: a label and pixels, ``label,pixel0,pixel1,...``, with or without a header.

A file is a data set; so is a folder with one file, or with ``train.csv`` and, if there are such, ``validation.csv`` and
``test.csv`` (``mnist_train.csv``, ``mnist_test.csv``). Images are square, grey or colour; a header whose columns are
called ``0x0``, ``0x1``, ... may give any height and width. Where the label is, the order of the pixels, their range and
the order of colours are found out and noted: see `csv_columns`, `pixel_range` and `layout`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...typing import Array
from ..class_labels import class_labels
from ..dataset import Dataset
from ..examples import Examples
from ..identity import file_sum
from ..labels import listed
from ..layout import to_channels_last
from ..pixel_range import find_range, range_notes
from ..pixels import WrongValueError
from . import emnist
from .array_names import Part
from .csv_columns import Columns, find_columns
from .csv_table import EXPECTED, Table, read_table
from .source import Format, Request, VerifiedFile
from .tables import Content, to_dataset

_NAME = re.compile(r".+\.(csv|tsv|csv\.gz|tsv\.gz)", re.IGNORECASE)
_PARTS: dict[Part, str] = {
    "train": r"train",
    "validation": r"(?<![a-z])(val|valid|validation|dev)(?![a-z])",
    "test": "test",
}
_SUBMISSION = "submission"  # Kaggle's example of an answer


class _Rows(NamedTuple):
    """One file's images and labels, as they are there."""

    table: Table
    columns: Columns
    pixels: Array  # (N, D)
    labels: Array  # (N,)

    def at_line(self, error: WrongValueError) -> DataError:
        """Return the error with line and column of the file in place of the numbers of image and pixel."""
        row, pixel = error.place
        place = self.table.place(row, self.columns.pixels[pixel])
        return DataError(f"{place}: is {error.value:g}; expected a pixel, {error.expected}")


def load(path: Path, request: Request) -> Dataset:
    """Load a CSV file, or a folder with one or several of them.

    Raises
    ------
    DataError
        If a row is malformed (the message names its line), or it is not clear what the columns or their values mean.
    ConfigurationError
        If fraction or seed is out of range.
    """
    files, notes = _files(path, evaluating=request.like is not None)
    source = f"the CSV {'file' if path.is_file() else 'files in'} {path}"
    return to_dataset(_read(files, notes, request), request, _stem(path), source, list(files.values()))


def _stem(path: Path) -> str:
    """Return the name of a data set: that of its file or folder, without the ending."""
    name = path.resolve().name
    return (
        name
        if path.is_dir()
        else name[: -len("".join(path.suffixes[-2:] if name.lower().endswith(".gz") else path.suffix))]
    )


def _files(path: Path, *, evaluating: bool = False) -> tuple[dict[Part, Path], list[str]]:
    """Return the file of each part, and notes about files that are left out."""
    if path.is_file():
        return {"train": path}, []
    files, notes = _csv_files(path), []
    if examples := [file for file in files if _SUBMISSION in file.name.lower()]:
        files = [file for file in files if file not in examples]
        notes.append(f"not used: {listed([file.name for file in examples])}")
    found = {
        part: [file for file in files if re.search(pattern, _stem(file), re.IGNORECASE)]
        for part, pattern in _PARTS.items()
    }
    if len(files) == 1 and not found["test"] and not found["validation"]:
        return {"train": files[0]}, notes
    named = [file for some in found.values() for file in some]
    lacking = len(found["train"]) != 1 and not (evaluating and not found["train"] and found["test"])
    if lacking or max(map(len, found.values())) > 1 or sorted(named) != files:
        raise DataError(
            f"{path}: holds {listed([file.name for file in files], 5)}; expected train.csv and, if there is a test "
            "set, test.csv: move the other files away, or name one file"
        )
    return {part: some[0] for part, some in found.items() if some}, notes


def _csv_files(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if _NAME.fullmatch(file.name) and file.is_file() and file.name[0] != "."
    )


def _read(files: dict[Part, Path], notes: list[str], request: Request) -> Content:
    """Read all files; what the first, the training file, has decides about the others."""
    rows: dict[Part, _Rows] = {}
    for part, path in files.items():
        like = next(iter(rows.values())).columns if rows else None
        table = read_table(path)
        columns = find_columns(table, notes, like)
        if like is not None and len(columns.pixels) != len(like.pixels):
            raise DataError(
                f"{path}: has {len(columns.pixels):,} pixels an image, the training file {len(like.pixels):,}; "
                "expected the same"
            )
        if columns.label is None:
            notes.append(f"{path.name} has no labels and is not used: predict its images, or add a column called label")
            continue
        rows[part] = _Rows(table, columns, _pixels(table, columns), _labels(table, columns.label))
    return _content(rows, notes, request)


def _pixels(table: Table, columns: Columns) -> Array:
    """Return the pixels (N, D) in their order; without a copy where the columns are neighbours."""
    first = columns.pixels[0]
    if columns.pixels == list(range(first, first + len(columns.pixels))):
        return table.values[:, first : first + len(columns.pixels)]
    return table.values[:, columns.pixels]


def _labels(table: Table, column: int) -> Array:
    """Return the labels (N,): names, or whole numbers."""
    if column in table.texts:
        words = table.texts[column]
        if "" in words:
            raise DataError(f"{table.place(words.index(''), column)}: has no label; add it, or leave the line out")
        return np.array(words)
    values = table.values[:, column]
    wrong = (values != np.floor(values)) | (np.abs(values) >= 2**24)  # above, float32 leaves whole numbers out
    if wrong.any() or bool((values < 0).any() and set(np.unique(values)) != {-1, 1}):
        row = int(np.argmax(wrong | (values < 0)))
        raise DataError(f"{table.place(row, column)}: is {values[row]:g}; expected a class number from 0")
    return values.astype(np.int64)


def _content(rows: dict[Part, _Rows], notes: list[str], request: Request) -> Content:
    """Turn the rows of all files into images and labels."""
    where = {part: str(one.table.path) for part, one in rows.items()}
    labels = [(one.labels, f"{where[part]}: labels") for part, one in rows.items()]
    classes = class_labels(labels, evaluating=request.like is not None)
    try:
        pixels = find_range([(one.pixels, where[part]) for part, one in rows.items()], request.pixel_range)
        flat = {part: pixels.to_pixels(one.pixels, where[part]) for part, one in rows.items()}
    except WrongValueError as error:
        raise next(one for part, one in rows.items() if str(error).startswith(where[part])).at_line(error) from error
    order: list[str] = []
    parts: dict[Part, Examples] = {}
    for (part, one), numbers in zip(rows.items(), classes.parts, strict=True):
        if one.columns.shape is None:
            images = to_channels_last(flat[part], where[part], notes, order=order)
        else:
            images = flat[part].reshape(-1, *one.columns.shape, 1)
        if emnist.is_emnist(one.table.path.name):
            images = images.swapaxes(1, 2)
            notes.append(f"{where[part]}: EMNIST's files hold transposed images: turned upright")
        parts[part] = Examples(part, np.ascontiguousarray(images), numbers)
    first = next(iter(parts.values()))
    notes += [*classes.notes, *range_notes(pixels, first.images)]
    for part, one in rows.items():
        notes[:] = [note.replace(where[part], one.table.path.name) for note in notes]
    known = emnist.class_names(next(iter(rows.values())).table.path.stem, int(first.labels.max()) + 1)
    return Content(parts, known or classes.class_names, pixels, notes)


def recognises(path: Path) -> bool:
    """Whether the path is a file whose name ends in ``.csv`` or the like, or a folder with one."""
    return _NAME.fullmatch(path.name) is not None if path.is_file() else bool(_csv_files(path))


def verify(path: Path) -> list[VerifiedFile]:
    """Read every row of every file."""
    files, notes = _files(path)
    checked = []
    for part, file in files.items():
        wanted = {"train": files["train"], part: file}
        try:
            items = len(_read(wanted, notes, Request()).parts.get(part, ()))
        except DataError as error:
            checked.append(VerifiedFile(file.name, "", None, ok=False, items=0, place="folder", problem=str(error)))
            continue
        checked.append(VerifiedFile(file.name, file_sum(file), None, ok=True, items=items, place="folder"))
    return checked


FORMAT = Format(EXPECTED, recognises, load, verify)
