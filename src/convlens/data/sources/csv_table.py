"""Read a CSV file into numbers: any of the usual separators, quotes or none, plain or gzip-compressed.

Most files hold bare numbers, which NumPy parses quickly. Where that fails, Python's ``csv`` reads the lines again, one
by one: it decides what a cell is, and names the one that is wrong.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from ...errors import DataError
from ...typing import Array
from ..idx import LARGEST_CONTENT

EXPECTED = "a .csv file with rows label,pixel0,pixel1,..., or a folder with train.csv and test.csv"
_CHUNK = 2**23  # characters parsed at a time
_LONGEST_LINE = 2**26  # characters
_SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DIGITS = frozenset("0123456789+-.eE")
_Line = tuple[int, str]  # number of the line, from 1, and its text


class Table(NamedTuple):
    """The rows of a file."""

    path: Path
    header: list[str] | None  # in lower case, without quotes
    values: Array  # (rows, columns) uint8 where all are whole numbers from 0 to 255, else float32; 0 for texts
    texts: dict[int, list[str]]  # columns that hold texts
    lines: Array  # (rows,) number of each row's line

    def place(self, row: int, column: int) -> str:
        """Return where a value stands, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {column + 1}"


class _Layout(NamedTuple):
    """What the first lines say about all lines."""

    path: Path
    separator: str | None  # None: white space
    columns: int
    texts: tuple[int, ...]  # columns that hold texts

    def cells(self, line: _Line) -> list[str]:
        """Split a line into cells, as Python's csv does: the definition of what a cell is."""
        number, text = line
        if self.separator is None:
            return text.split()
        try:
            (cells,) = csv.reader([text], delimiter=self.separator, skipinitialspace=True, strict=True)
        except csv.Error as error:
            raise DataError(
                f"{self.path}, line {number}: its quotes do not match ({error}); remove them, or close every quote"
            ) from error
        if len(cells) == 1 and self.columns != 1 and self.separator in cells[0]:
            raise DataError(f"{self.path}, line {number}: is one quoted text; remove the quotes around whole lines")
        return [cell.strip() for cell in cells]


def read_table(path: Path) -> Table:
    """Read a file.

    Raises
    ------
    DataError
        If it is no text, a line has another number of cells than the first, or a cell is no number; the message names
        the line. Also if it holds too much.
    """
    layout, header = None, None
    parsed: list[Array] = []
    texts: dict[int, list[str]] = {}
    numbers: list[Array] = []
    size = characters = 0
    for lines in _lines(path):
        if layout is None:
            layout, header = _first(path, lines)
            texts = {column: [] for column in layout.texts}
        if not lines:
            continue
        parsed.append(_narrow(_parse(layout, lines, texts)))
        numbers.append(np.array([number for number, _ in lines]))
        size += parsed[-1].nbytes
        characters += sum(len(text) + 1 for _, text in lines)
        _check_size(path, size, characters)
    if not parsed:
        raise DataError(f"{path}: has no images; expected {EXPECTED}")
    values = np.concatenate(parsed)
    _check_texts(path, texts, np.concatenate(numbers))
    return Table(path, header, values, texts, np.concatenate(numbers))


def is_number(text: str) -> bool:
    """Whether a cell is a decimal number of ASCII digits."""
    return _NUMBER.fullmatch(text) is not None


def _check_size(path: Path, size: int, characters: int) -> None:
    """Raise DataError if what was read, or what a plain file will come to by its length, exceeds the limit."""
    expected = size if path.suffix.lower() == ".gz" else size * path.stat().st_size / characters
    if max(size, expected) > 1.2 * LARGEST_CONTENT or size > LARGEST_CONTENT:
        raise DataError(
            f"{path}: comes to about {max(size, expected) / 2**30:.1f} GiB of pixels, more than "
            f"{LARGEST_CONTENT / 2**30:.3g} GiB; split the file, or make the images smaller"
        )


def _opened(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _lines(path: Path) -> Iterator[list[_Line]]:
    """Yield the lines that are not blank, in chunks."""
    number = 0
    try:
        with _opened(path) as file:
            while portion := file.read(_CHUNK):
                if not portion.endswith("\n"):
                    portion += file.readline(_LONGEST_LINE)
                if "\0" in portion:
                    raise DataError(f"{path}: holds null characters after line {number:,}; save it as UTF-8 text")
                lines = portion.split("\n")
                if len(max(lines, key=len)) >= _LONGEST_LINE:
                    raise DataError(
                        f"{path}: has a line of more than {_LONGEST_LINE:,} characters; one image is a line"
                    )
                lines = lines if lines[-1] else lines[:-1]
                texts = [(number + i, text.strip()) for i, text in enumerate(lines, 1)]
                number += len(lines)
                if kept := [line for line in texts if line[1]]:
                    yield kept
    except UnicodeDecodeError as error:
        after = f" after line {number:,}" if number else ""
        raise DataError(f"{path}: is not text in UTF-8{after}; save it as CSV in UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: is damaged gzip data ({error}); get the file again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give a CSV file") from error


def _first(path: Path, lines: list[_Line]) -> tuple[_Layout, list[str] | None]:
    """Return the layout, and the header if there is one; what is no row of values is removed from the lines."""
    separator: str | None = None
    if stated := re.fullmatch(r"sep=(.)", lines[0][1]):  # as spreadsheets write it
        separator = stated[1]
        del lines[0]
    first = lines[0] if lines else (1, "")
    if separator is None and any(one in first[1] for one in _SEPARATORS):
        separator = max(_SEPARATORS, key=first[1].count)
    layout = _Layout(path, separator, 0, ())
    cells = layout.cells(first)
    if len(cells) < 2 or (separator is None and not all(map(is_number, cells))):
        raise DataError(f"{path}, line {first[0]}: has no comma; expected label,pixel0,pixel1,...")
    header = None
    if _is_header(cells):
        header = [cell.lstrip("# ").lower() for cell in cells]  # NumPy writes "# " before a header
        del lines[0]
        cells = layout.cells(lines[0]) if lines else []
    texts = tuple(column for column, cell in enumerate(cells) if not is_number(cell))
    if len(texts) > max(4, len(cells) // 2):
        raise DataError(_no_number(path, lines[0], texts[0], cells[texts[0]]))
    return layout._replace(columns=len(header or cells), texts=texts), header


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a first line names columns: most are no numbers, one is called label, or they count up from 0 or 1."""
    words = [cell for cell in cells if not is_number(cell)]
    if any(cell.lstrip("# ").lower() in LABEL_NAMES for cell in words):
        return True
    plain = [int(cell) for cell in cells if re.fullmatch(r"\d{1,9}", cell, re.ASCII)]
    counts = len(plain) > 2 and plain in (list(range(len(plain))), list(range(1, len(plain) + 1)))
    return 2 * len(words) > len(cells) or (counts and len(plain) + 2 >= len(cells))  # an index and a label beside


LABEL_NAMES = frozenset({"label", "labels", "class", "classes", "target", "y", "digit", "category", "class_label"})


def _parse(layout: _Layout, lines: list[_Line], texts: dict[int, list[str]]) -> Array:
    """Parse lines into numbers (lines, columns), and add the texts of columns that hold texts."""
    plain, words = _bare_lines(layout, lines)
    if plain is not None:
        try:
            found = np.loadtxt(
                plain,
                dtype=np.float64,
                delimiter=layout.separator,
                comments=None,
                quotechar='"' if any('"' in text for text in plain) else None,
                ndmin=2,
            )
        except ValueError:
            found = np.empty((0, 0))  # the lines are read again below, which finds the cell
        if found.shape == (len(lines), layout.columns) and np.isfinite(found).all():
            for column, some in words.items():
                texts[column] += some
            return found
    return np.array([_numbers(layout, line, texts) for line in lines])


def _bare_lines(layout: _Layout, lines: list[_Line]) -> tuple[list[str] | None, dict[int, list[str]]]:
    """Return lines of numbers for NumPy, with 0 in place of texts, and those texts by column; None if in doubt."""
    words: dict[int, list[str]] = {column: [] for column in layout.texts}
    separator, found = layout.separator, [text for _, text in lines]
    if not words:
        alike = separator is None or all(text.count(separator) == layout.columns - 1 for text in found)
        return (found if alike else None), words
    if separator is None or any('"' in text for text in found):
        return None, words
    bare = []
    for text in found:
        cells = text.split(separator)
        if len(cells) != layout.columns:
            return None, words
        for column, some in words.items():
            some.append(cells[column].strip())
            cells[column] = "0"
        bare.append(separator.join(cells))
    return bare, words


def _numbers(layout: _Layout, line: _Line, texts: dict[int, list[str]]) -> Array:
    """Parse one line, with 0 in place of texts."""
    cells = layout.cells(line)
    if len(cells) != layout.columns:
        raise DataError(
            f"{layout.path}, line {line[0]}: has {len(cells):,} values, the first line has "
            f"{layout.columns:,}; expected the same number in every line"
        )
    for column, words in texts.items():
        words.append(cells[column])
        cells[column] = "0"
    if _DIGITS.issuperset("".join(cells)):  # without this, Python's float takes "1_0" and digits of all alphabets
        try:
            return np.array(cells, np.float64)
        except ValueError:
            pass
    column = next(column for column, cell in enumerate(cells) if not is_number(cell))
    raise DataError(_no_number(layout.path, line, column, cells[column]))


def _no_number(path: Path, line: _Line, column: int, cell: str) -> str:
    """Return the message about a cell that is no number."""
    comma = "," in cell and is_number(cell.replace(",", ""))
    advice = "write numbers with a point, and without commas" if comma else "expected label,pixel0,... as numbers"
    return f"{path}, line {line[0]}, column {column + 1}: {cell[:40]!r} is not a number; {advice}"


def _check_texts(path: Path, texts: dict[int, list[str]], lines: Array) -> None:
    """Raise DataError if a column holds both texts and numbers."""
    for column, words in texts.items():
        numeric = [is_number(word) for word in words]
        if any(numeric):
            row = numeric.index(False)
            raise DataError(
                f"{path}, line {lines[row]}, column {column + 1}: {words[row][:40]!r} is not a number, and other "
                "values of this column are; expected numbers alone, or names alone"
            )


def _narrow(values: Array) -> Array:
    """Return whole numbers from 0 to 255 as bytes, and others as float32, which keeps whole numbers up to 2**24."""
    found = values.astype(np.uint8) if values.min() >= 0 and values.max() <= 255 else None
    if found is not None and bool((found == values).all()):
        return found
    with np.errstate(over="ignore"):  # infinity is refused with its place
        return values.astype(np.float32)
