"""Images as rows of a CSV file: ``label,pixel0,pixel1,...``, integers, with or without a header.

A file is a data set; so is a folder with one file, or with one for training and one for testing
(``train.csv`` and ``test.csv``, ``mnist_train.csv`` and ``mnist_test.csv``). Images are square, grey or colour
(red, green and blue of each pixel side by side). A header may put the label in another column.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...typing import Array, Labels, UInt8
from ..assemble import assemble
from ..dataset import Dataset, Examples
from ..identity import file_sum
from ..idx import LARGEST_CONTENT
from ..pixels import square_shape
from .source import Format, Request, VerifiedFile

EXPECTED = "a .csv file with rows label,pixel0,pixel1,..., or a folder with train.csv and test.csv"
_LABEL_NAMES = ("label", "class", "target", "y")
_CHUNK = 2**23  # bytes of text parsed at a time


def load(path: Path, request: Request) -> Dataset:
    """Load a CSV file, or a folder with one or two of them.

    Raises
    ------
    DataError
        If a row is malformed (the message names its line), or the images are not square.
    ConfigurationError
        If fraction or seed is out of range.
    """
    train, test = _files(path)
    given = _examples(train, "train")
    provenance = {
        "source": f"the CSV {'file' if path == train else 'files in'} {path}",
        "licence": "not stated (one's own data)",
        "sha256": {file.name: file_sum(file) for file in (train, test) if file is not None},
    }
    test_examples = None if test is None else _examples(test, "test")
    return assemble(
        path.resolve().stem,
        given,
        test_examples,
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
    )


def _files(path: Path) -> tuple[Path, Path | None]:
    """Return the training file, and the test file if there is one."""
    if path.is_file():
        return path, None
    files = _csv_files(path)
    train = [file for file in files if "train" in file.stem.lower()]
    test = [file for file in files if "test" in file.stem.lower()]
    if len(files) == 1 and not test:
        return files[0], None
    if len(train) != 1 or len(test) > 1 or len(files) != len(train) + len(test):
        raise DataError(
            f"{path}: holds {', '.join(file.name for file in files[:5])}; expected train.csv and, if there is a test "
            "set, test.csv: move the other files away, or name one file"
        )
    return train[0], test[0] if test else None


def _csv_files(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if file.suffix.lower() == ".csv" and file.is_file() and file.name[0] != "."
    )


def _examples(path: Path, name: str) -> Examples:
    pixels, labels = _read(path)
    shape = square_shape(pixels.shape[1], str(path))
    return Examples(name, pixels.reshape(-1, *shape), labels)


class _Columns(NamedTuple):
    """The columns, according to the first row."""

    path: Path
    number: int  # of columns
    label: int  # the label's column, from 0


def _read(path: Path) -> tuple[UInt8, Labels]:
    """Return pixels (N, D) and labels (N,)."""
    columns: _Columns | None = None
    pixels: list[UInt8] = []
    labels: list[Labels] = []
    size = 0
    for lines in _lines(path):
        if columns is None:
            columns, header = _first(path, lines[0])
            if header:
                del lines[0]
        if not lines:
            continue
        values = _parse(columns, lines)
        numbers = values[:, columns.label]
        _check(columns, lines, values)
        labels.append(numbers.astype(np.int64))
        pixels.append(np.delete(values, columns.label, axis=1).astype(np.uint8))
        size += pixels[-1].nbytes
        if size > LARGEST_CONTENT:
            raise DataError(f"{path}: holds more than {LARGEST_CONTENT:,} pixels; split the file")
    if not pixels:
        raise DataError(f"{path}: has no images; expected {EXPECTED}")
    return np.concatenate(pixels), np.concatenate(labels)


_Line = tuple[int, str]  # number of the line, from 1, and its text


def _lines(path: Path) -> Iterator[list[_Line]]:
    """Yield the lines that are not blank, in chunks."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            while portion := file.readlines(_CHUNK):
                texts = [(number + i, text.strip()) for i, text in enumerate(portion, 1)]
                number += len(portion)
                if kept := [line for line in texts if line[1]]:
                    yield kept
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not text after line {number:,}; expected {EXPECTED}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give a CSV file") from error


def _first(path: Path, line: _Line) -> tuple[_Columns, bool]:
    """Return the columns that the first line implies, and whether it is a header."""
    cells = [cell.strip().strip('"').lower() for cell in line[1].split(",")]
    if len(cells) < 2:
        raise DataError(f"{path}, line {line[0]}: has no comma; expected label,pixel0,pixel1,...")
    named = [column for column, cell in enumerate(cells) if cell in _LABEL_NAMES]
    if len(named) == 1:
        return _Columns(path, len(cells), named[0]), True
    if not _is_number(cells[0]) and not _is_number(cells[1]):
        if cells[0].startswith("pixel"):
            raise DataError(
                f"{path}: its header names no label; expected a column called label, for instance the first"
            )
        return _Columns(path, len(cells), 0), True
    return _Columns(path, len(cells), 0), False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(columns: _Columns, lines: list[_Line]) -> Array:
    """Parse lines into numbers, (lines, columns)."""
    for number, text in lines:
        if text.count(",") + 1 != columns.number:
            raise DataError(
                f"{columns.path}, line {number}: has {text.count(',') + 1:,} values, the first line has "
                f"{columns.number:,}; expected the same number in every line"
            )
    try:
        return _numbers([text for _, text in lines])
    except ValueError:
        for number, text in lines:
            for column, cell in enumerate(text.split(",")):
                if not _is_number(cell.strip().strip('"')):
                    raise DataError(
                        f"{columns.path}, line {number}, column {column + 1}: {cell[:40]!r} is not a number; "
                        "expected label,pixel0,pixel1,... as integers"
                    ) from None
        raise


def _numbers(texts: list[str]) -> Array:
    return np.loadtxt(texts, dtype=np.float64, delimiter=",", comments=None, quotechar='"', ndmin=2)


def _check(columns: _Columns, lines: list[_Line], values: Array) -> None:
    """Raise DataError for the first value that cannot be a label or a pixel."""
    with np.errstate(invalid="ignore"):
        wrong = ~np.isfinite(values) | (values != np.floor(values)) | (values < 0) | (values > 255)
        numbers = values[:, columns.label]
        wrong[:, columns.label] = ~((numbers >= 0) & (numbers < 2**31) & (numbers == np.floor(numbers)))
    if wrong.any():
        row, column = (int(index) for index in np.unravel_index(int(np.argmax(wrong)), wrong.shape))
        what = "a class number from 0" if column == columns.label else "a pixel, an integer from 0 to 255"
        raise DataError(
            f"{columns.path}, line {lines[row][0]}, column {column + 1}: is {values[row, column]:g}; expected {what}"
        )


def recognises(path: Path) -> bool:
    """Whether the path is a file whose name ends in ``.csv``, or a folder with one."""
    return path.suffix.lower() == ".csv" if path.is_file() else bool(_csv_files(path))


def verify(path: Path) -> list[VerifiedFile]:
    """Read every row of every file."""
    return [_verified(file) for file in _files(path) if file is not None]


def _verified(path: Path) -> VerifiedFile:
    try:
        items = len(_examples(path, path.name))
    except DataError as error:
        return VerifiedFile(path.name, "", None, ok=False, items=0, place="folder", problem=str(error))
    return VerifiedFile(path.name, file_sum(path), None, ok=True, items=items, place="folder")


FORMAT = Format(EXPECTED, recognises, load, verify)
