"""Which column of a table is the label, and which are the pixels, in which order: from names, otherwise from values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...pictures.formats import PICTURE_SUFFIXES
from ...typing import Array
from ..labels import listed
from .csv_table import EXPECTED, LABEL_NAMES, Table

_INDEX_NAMES = re.compile(r"|unnamed: ?\d+|index|idx|id|row|row ?id|no|nr|number|image ?id", re.ASCII)
_MOST_CLASSES = 1000
_FEW_CLASSES = 100
_MOST = 0.8  # of the columns have names of one pattern, if these are the pixels


class Columns(NamedTuple):
    """The columns of a table."""

    label: int | None  # None: it has pixels alone
    pixels: list[int]  # in the order of the image's pixels
    names: list[str] | None  # of the pixels
    shape: tuple[int, int] | None  # (H, W), if the pixels' names say it
    label_name: str | None = None


def find_columns(table: Table, notes: list[str], like: Columns | None = None) -> Columns:
    """Find out what the columns of a table are.

    Parameters
    ----------
    table
        The table.
    notes
        Gets a sentence for each thing that is not obvious.
    like
        The columns of the training file, for a test file.

    Raises
    ------
    DataError
        If the label is not clear, or there are columns that are neither label nor pixel.
    """
    used = [column for column in range(table.values.shape[1]) if not _is_empty(table, column)]
    if all(column in table.texts for column in used):
        raise DataError(_no_pixels(table))
    used = _without_index(table, used, notes)
    if like is not None and (like.names is None or table.header is None):
        return _as_in_training(table, used, like)
    if like is not None and table.header is not None and like.label_name in table.header:
        label: int | None = table.header.index(like.label_name)
    else:
        label = _label(table, used, notes)
    if label is None and like is None:
        raise DataError(
            f"{table.path}: its header names no label; expected a column called label, for instance the first"
        )
    rest = [column for column in used if column != label]
    if others := [column for column in rest if column in table.texts]:
        notes.append(f"{table.path.name}: columns of text are not used: {listed(_names(table, others))}")
        rest = [column for column in rest if column not in table.texts]
    if not rest:
        raise DataError(_no_pixels(table))
    if table.header is None:
        return Columns(label, rest, None, None)
    if like is not None and like.names is not None and set(_names(table, rest)) == set(like.names):
        return _named_alike(table, label, rest, like, like.names, notes)
    found = _in_order(table, label, rest, notes)
    return found if label is None else found._replace(label_name=table.header[label])


def _no_pixels(table: Table) -> str:
    """Return the message about a table without pixels, which may be of another usual kind."""
    first = [(column, table.texts[column][0]) for column in table.texts if table.texts[column]]
    for column, text in first:
        where = f"{table.path}: column {_names(table, [column])[0]!r}"
        if text.lower().endswith(tuple(PICTURE_SUFFIXES)):
            return f"{where} names picture files, and none holds pixels; make a folder of pictures for each class"
        if len(numbers := re.findall(r"\d+", text)) > 3 and not re.sub(r"[\d\s.,;\[\]()]", "", text):
            return f"{where} holds {len(numbers):,} numbers in one cell; give every pixel a column of its own"
    return f"{table.path}: has no pixels beside the label; expected {EXPECTED}"


def _names(table: Table, columns: Sequence[int]) -> list[str]:
    """Return the names of columns; where there is no header, their numbers."""
    return [f"column {column + 1}" if table.header is None else table.header[column] for column in columns]


def _is_empty(table: Table, column: int) -> bool:
    """Whether a column has no value at all, as after a separator at the end of every line."""
    return column in table.texts and not any(table.texts[column])


def _without_index(table: Table, used: list[int], notes: list[str]) -> list[int]:
    """Leave out a first column that only numbers the rows, as pandas writes it."""
    first, rest = used[0], used[1:]
    if first in table.texts or len(table.values) < 2:
        return used
    numbers = table.values[:, first].astype(np.float64)
    if table.header is None:  # without a name, it must count up, and fill the place that makes images no squares
        is_index = numbers[0] in {0, 1} and bool((np.diff(numbers) == 1).all())
        is_index = is_index and _fits_square(len(rest) - 1) and not _fits_square(len(used) - 1)
    else:  # rows may have been shuffled, or some of them left out
        is_index = _INDEX_NAMES.fullmatch(table.header[first]) is not None and len(np.unique(numbers)) == len(numbers)
    if not is_index:
        return used
    notes.append(f"{table.path.name}: the first column only numbers the rows and is not used")
    return rest


def _fits_square(count: int) -> bool:
    return any(count % channels == 0 and np.sqrt(count // channels) % 1 == 0 for channels in (1, 3))


def _as_in_training(table: Table, used: list[int], like: Columns) -> Columns:
    """Return the columns by their places, where there are no names to compare."""
    label = like.label
    if len(used) == len(like.pixels):
        return like._replace(label=None, pixels=used)
    if len(used) != len(like.pixels) + 1 or label is None:
        raise DataError(
            f"{table.path}: has {len(used):,} columns, the training file {len(like.pixels) + 1:,}; expected the same"
        )
    shift = used[0] - min(label, *like.pixels)  # one of the two may have a column that counts rows
    return like._replace(label=label + shift, pixels=[column + shift for column in like.pixels])


def _label(table: Table, used: list[int], notes: list[str]) -> int | None:
    """Return the column of the label; None if there are only columns that are named as pixels."""
    texts = [column for column in used if column in table.texts]
    if table.header is not None:
        named = [column for column in used if table.header[column] in LABEL_NAMES]
        if len(named) > 1:
            raise DataError(
                f"{table.path}: {' and '.join(_names(table, named))} could all be the label; remove all but one"
            )
        if named:
            return named[0]
    if len(texts) == 1:
        if table.header is not None:
            notes.append(f"{table.path.name}: the label is the column {table.header[texts[0]]!r}, the only one of text")
        return texts[0]
    if table.header is not None:
        pixels = _pixel_columns(table, [column for column in used if column not in texts])
        others = [column for column in used if column not in pixels and column not in texts]
        if pixels and len(others) == 1:
            notes.append(f"{table.path.name}: the label is the column {table.header[others[0]]!r}, which is no pixel")
            return others[0]
        if pixels and any(character.isalpha() for character in table.header[pixels[0]]):
            return None if not others else _refuse_others(table, others)
    return _label_by_values(table, [column for column in used if column not in texts], notes)


def _refuse_others(table: Table, others: list[int]) -> int:
    raise DataError(
        f"{table.path}: {listed(_names(table, others))} are not named as the pixels are, and it is not clear "
        "which of them is the label; call it label, and remove the others"
    )


def _pixel_columns(table: Table, columns: list[int]) -> list[int]:
    """Return the columns whose names differ in their numbers alone, if these are most of them; otherwise none."""
    assert table.header is not None
    patterns = {column: re.sub(r"\d+", "#", table.header[column]) for column in columns}
    if not patterns:
        return []
    pattern, count = Counter(patterns.values()).most_common(1)[0]
    if "#" not in pattern or count < _MOST * len(columns):
        return []
    return [column for column in columns if patterns[column] == pattern]


def _label_by_values(table: Table, columns: list[int], notes: list[str]) -> int:
    """Return the first or the last column, whichever holds class numbers."""
    first, last = columns[0], columns[-1]
    if first == last:
        raise DataError(_no_pixels(table))
    values = {column: table.values[:, column] for column in (first, last)}
    for surely in (True, False):
        fitting = [column for column in (first, last) if _could_be_labels(values[column], surely=surely)]
        if len(fitting) == 2:
            brightest = table.values[:, columns[1:-1]].max(initial=0)
            larger = [column for column in fitting if values[column].max() > brightest]
            fitting = larger if len(larger) == 1 else _even(values, fitting)
        if len(fitting) == 2:
            raise DataError(
                f"{table.path}: both the first and the last column could be the label; add a header line with label "
                "above the right one"
            )
        if fitting:
            if fitting[0] == last or sum(_could_be_labels(one, surely=surely) for one in values.values()) > 1:
                which = "first" if fitting[0] == first else "last"
                notes.append(f"{table.path.name}: the label is the {which} column, by its values")
            return fitting[0]
    constant, varied = (len(np.unique(values[column])) for column in (first, last))
    if len(table.values) > 1 and constant == 1 < varied and values[last].max() < _FEW_CLASSES:
        raise DataError(
            f"{table.path}: it is not clear which column is the label, since the first holds one number alone; add a "
            "header line with label above the right one"
        )
    return first  # as documented; what is wrong with it is named when its values are checked


def _even(values: dict[int, Array], columns: list[int]) -> list[int]:
    """Return the column whose values are about equally frequent, as classes are, if the other has mostly one value."""
    most = {column: np.unique(values[column], return_counts=True)[1].max() / len(values[column]) for column in columns}
    even, uneven = sorted(columns, key=most.__getitem__)
    return [even] if most[even] < 0.5 and most[uneven] > 0.8 else columns


def _could_be_labels(values: Array, *, surely: bool) -> bool:
    """Whether values are class numbers: surely, if they count up from 0 or 1; perhaps, if there are few of each."""
    present, counts = np.unique(values, return_counts=True)
    if not 2 <= len(present) <= min(_MOST_CLASSES, max(2, len(values) // 2)):
        return False
    if not bool((present == np.floor(present)).all()) or present[0] < -1:
        return False
    counting = present[0] in {0, 1} and bool((np.diff(present) == 1).all())
    return counting and len(present) <= _FEW_CLASSES if surely else int(counts.min()) > 1


def _in_order(table: Table, label: int | None, columns: list[int], notes: list[str]) -> Columns:
    """Return the pixels in the order of the numbers in their names."""
    names = _names(table, columns)
    pixels = _pixel_columns(table, columns)
    if not pixels:
        return Columns(label, columns, names, None)
    if others := [column for column in columns if column not in pixels]:
        raise DataError(
            f"{table.path}: {listed(_names(table, others))}: neither label nor named as the pixels are "
            f"({_names(table, pixels)[0]}, ...); remove the column{'s' if len(others) > 1 else ''}"
        )
    numbers = [tuple(map(int, re.findall(r"\d+", name))) for name in names]
    if len(set(numbers)) < len(numbers):
        twice = [name for name, number in zip(names, numbers, strict=True) if numbers.count(number) > 1]
        raise DataError(f"{table.path}: {listed(twice)} have the same number; name each pixel once")
    order = sorted(range(len(columns)), key=numbers.__getitem__)
    if order != list(range(len(columns))):
        notes.append(f"{table.path.name}: its columns are put in the order of the numbers in their names")
    return Columns(label, [columns[index] for index in order], [names[index] for index in order], _grid(numbers))


def _grid(numbers: list[tuple[int, ...]]) -> tuple[int, int] | None:
    """Return (H, W) if the names are rows and columns of one image, such as 0x0 to 27x27; otherwise None."""
    if len(numbers[0]) != 2:
        return None
    sides = [{one[axis] for one in numbers} for axis in (0, 1)]
    height, width = map(len, sides)
    complete = all(max(side) - min(side) + 1 == len(side) for side in sides) and height * width == len(numbers)
    return (height, width) if complete and min(height, width) > 1 else None


def _named_alike(
    table: Table, label: int | None, rest: list[int], like: Columns, wanted: list[str], notes: list[str]
) -> Columns:
    """Return the pixels in the order of the training file's names."""
    places = dict(zip(_names(table, rest), rest, strict=True))
    pixels = [places[name] for name in wanted]
    if pixels != rest:
        notes.append(f"{table.path.name}: its columns are put in the order of the training file's")
    return like._replace(label=label, pixels=pixels)
