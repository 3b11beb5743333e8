"""Tables of text that fit any width: words wrap, names fold, and where that is not enough each row becomes a block.

Numbers are never cut, folded or abbreviated: a line breaks only between words, or inside a name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from .names import shown, visible

GAP = "  "  # between columns
INDENT = "  "  # of a block
LEAST_NAME = 8  # characters that a folded name keeps on a line
LONGEST_NAME = 60  # of a longer one, the middle is left out

Piece: TypeAlias = tuple[str, str]  # text and its style: "" or a style of Rich
Line: TypeAlias = list[Piece]


@dataclass(frozen=True)
class TextTable:
    """A table of text; print it with Rich's console, or as `str`.

    Parameters
    ----------
    title
        What it shows; may be empty.
    columns
        The headings; they wrap at spaces.
    rows
        Cells, each a string or a pair (string, style of Rich).
    left
        Positions of the columns of text, aligned to the left; the others hold numbers, aligned to the right.
    names
        Positions of the columns whose long words may be folded: names of classes, files, layers.
    spare
        Positions of the columns that are left out where the table would otherwise be too wide.
    foot
        Number of last rows below a rule: totals and means.
    spaced
        Whether an empty line stands between rows where a cell takes several lines.

    Examples
    --------
    >>> table = TextTable("scores", ("class", "images"), [("a cat", "1,000"), ("b", "7")])
    >>> print(table)
    scores
    class  images
    -------------
    a cat   1,000
    b           7
    >>> print(*("".join(text for text, _ in line) for line in table.lines(12)), sep="|")
    scores|a cat|  images|    1,000|b|  images 7
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Piece]]
    left: Collection[int] = field(default=(0,))
    names: Collection[int] = field(default=(0,))
    spare: Collection[int] = ()
    foot: int = 0
    spaced: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", visible(self.title))
        object.__setattr__(self, "columns", tuple(map(visible, self.columns)))

    def lines(self, room: int | None = None) -> list[Line]:
        """Return the table for a width of `room` characters, as lines of (text, style); None: as wide as it likes."""
        if self.spare and not self.fits(room):
            less = self._without_spare()
            if less.fits(room):
                return less.lines(room)
        cells = self._cells()
        title: list[Line] = [[(line, "")] for line in wrapped(self.title, room)] if self.title else []
        widths = self._widths(cells, room)
        return title + (self._blocks(cells, room or 0) if widths is None else self._grid(cells, widths))

    def fits(self, room: int | None) -> bool:
        """Return whether the table is a grid at this width, with all its columns, rather than a block for each row."""
        return self._widths(self._cells(), room) is not None

    def _cells(self) -> list[list[Piece]]:
        return [[self._piece(cell, column) for column, cell in enumerate(row)] for row in self.rows]

    def _without_spare(self) -> TextTable:
        kept = [column for column in range(len(self.columns)) if column not in self.spare]
        return replace(
            self,
            columns=[self.columns[column] for column in kept],
            rows=[[row[column] for column in kept] for row in self.rows],
            left=[new for new, old in enumerate(kept) if old in self.left],
            names=[new for new, old in enumerate(kept) if old in self.names],
            spare=(),
        )

    def __str__(self) -> str:
        return "\n".join("".join(text for text, _ in line) for line in self.lines())

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.text import Text  # only whoever prints with Rich has it

        room = getattr(console, "room", options.max_width)
        if self.title:
            yield Text()
        for line in self.lines(room):
            yield Text.assemble(*line)

    def _piece(self, cell: str | Piece, column: int) -> Piece:
        """Return a cell as text and style; control characters of names are escaped, and very long names shortened."""
        text, style = (cell, "") if isinstance(cell, str) else cell
        if column in self.names:
            return shown(text, LONGEST_NAME), style
        return visible(text), style

    def _widths(self, cells: Sequence[Sequence[Piece]], room: int | None) -> list[int] | None:
        """Return the width of every column, or None where the table is too wide however its cells are wrapped."""
        widths, least = [], []
        for column, heading in enumerate(self.columns):
            texts = [row[column][0] for row in cells]
            widths.append(max(map(_widest_line, (heading, *texts))))
            narrow = max(map(_widest_word, (heading, *texts)))
            if column in self.names:
                narrow = max(_widest_word(heading), min(narrow, LEAST_NAME))
            least.append(narrow)
        excess = 0 if room is None else sum(widths) + len(GAP) * (len(widths) - 1) - room
        while excess > 0:
            widest = max(range(len(widths)), key=lambda column: (widths[column] > least[column], widths[column]))
            if widths[widest] <= least[widest]:
                return None
            widths[widest] -= 1
            excess -= 1
        return widths

    def _grid(self, cells: Sequence[Sequence[Piece]], widths: Sequence[int]) -> list[Line]:
        headings = [(heading, "") for heading in self.columns]
        rule: Line = [("-" * (sum(widths) + len(GAP) * (len(widths) - 1)), "")]
        lines = [*self._row(headings, widths), rule] if any(self.columns) else []
        rows = [self._row(row, widths) for row in cells]
        spaced = self.spaced and any(len(row) > 1 for row in rows)
        for position, row in enumerate(rows):
            if self.foot and position == len(rows) - self.foot:
                lines.append(rule)
            elif spaced and position:
                lines.append([])
            lines += row
        return lines

    def _row(self, row: Sequence[Piece], widths: Sequence[int]) -> list[Line]:
        """Return a row as lines: as many as its cell of most lines."""
        wraps = [wrapped(text, width) for (text, _), width in zip(row, widths, strict=True)]
        lines: list[Line] = []
        for position in range(max(map(len, wraps), default=0)):
            line: Line = []
            for column, width in enumerate(widths):
                text = wraps[column][position] if position < len(wraps[column]) else ""
                space = " " * (width - cells_of(text))
                before, after = ("", space) if column in self.left else (space, "")
                gap = GAP if column + 1 < len(widths) else ""
                line += [(before, ""), (text, row[column][1]), (after.rstrip() if not gap else after + gap, "")]
            while line and not line[-1][0].strip():
                line.pop()
            lines.append([piece for piece in line if piece[0]])
        return lines

    def _blocks(self, cells: Sequence[Sequence[Piece]], room: int) -> list[Line]:
        """Return a block for each row: its first cell, then the others after their headings, as many as fit a line."""
        headings = [" ".join(heading.split()) for heading in self.columns]
        lines: list[Line] = []
        for (first, style), *others in cells:
            lines += [[(line, style)] for line in wrapped(first or headings[0] or "-", room)]
            line: Line = []
            for heading, (text, own) in zip(headings[1:], others, strict=True):
                value = " ".join(text.split())
                if not value:
                    continue
                item: Line = [(f"{heading} ", ""), (value, own)]
                if line and _width([*line, (", ", ""), *item]) < room:  # a comma may follow
                    line += [(", ", ""), *item]
                    continue
                lines += [[*line, (",", "")]] if line else []
                line = [(INDENT, ""), *item]
                if _width(line) >= room:
                    lines += [[(INDENT + part, "")] for part in wrapped(heading, room - 2)]
                    lines += [[(2 * INDENT, ""), (part, own)] for part in wrapped(value, room - 4)]
                    line = []
            lines += [line] if line else []
        return lines


def wrapped(text: str, room: int | None, *, fold: bool = True) -> list[str]:
    """Return a text as lines of at most `room` characters: broken at spaces, and inside a longer word, but no number.

    Without `fold`, a longer word is left whole too, such as a path that is to be copied.

    >>> wrapped("98.98 of a-long-name", 8)
    ['98.98 of', 'a-long-n', 'ame']
    """
    if room is None:
        return text.split("\n")
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            joined = f"{line} {word}" if line else word
            if cells_of(joined) <= room:
                line = joined
                continue
            if line:
                lines.append(line)
            *whole, line = _folded(word, room) if fold else [word]
            lines += whole
        lines.append(line)
    return lines


def cells_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for each wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(one) or one in "\u200c\u200d\ufe0f"
        else 2
        if unicodedata.east_asian_width(one) in "WF"
        else 1
        for one in text
    )


def _folded(word: str, room: int) -> list[str]:
    """Return a word cut into pieces that fit; a number is left whole, however narrow it is."""
    if any(map(str.isdigit, word)) and not any(map(str.isalpha, word)):
        return [word]
    pieces, piece = [], ""
    for one in word:
        if piece and cells_of(piece + one) > max(room, 2):
            pieces.append(piece)
            piece = ""
        piece += one
    return [*pieces, piece]


def _width(line: Line) -> int:
    return sum(cells_of(text) for text, _ in line)


def _widest_line(text: str) -> int:
    return max(map(cells_of, text.split("\n")))


def _widest_word(text: str) -> int:
    return max(map(cells_of, text.split()), default=0)
