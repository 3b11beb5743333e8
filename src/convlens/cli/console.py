"""Consoles: narrow ones, ones that cannot show every character, and readers that close the pipe."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from rich.console import Console, ConsoleDimensions

from ..names import visible
from ..text_table import TextTable, cells_of, wrapped

_PLAIN = {
    "−": "-", "–": "-", "—": "-", "×": "x", "·": ".", "…": "...", "→": "->", "∞": "inf", "²": "^2",
    "≥": ">=", "≤": "<=", "“": '"', "”": '"', "‘": "'", "’": "'", "✓": "yes", "✗": "no",
}  # fmt: skip


class Screen(Console):
    """Where the command line prints: text as it is, without markup or emoji codes, which names may look like.

    What a terminal would obey is escaped (`convlens.names`). On a terminal, lines break between words; in a pipe and in
    a file they stay whole.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)
        if self.is_dumb_terminal:  # Rich takes each of these for one of 80 columns
            with suppress(OSError, ValueError):
                columns, lines = os.get_terminal_size(self.file.fileno())
                if columns:
                    self.size = ConsoleDimensions(self._width or columns, lines)

    @property
    def room(self) -> int | None:
        """Columns that a table may take; None, where nobody has said: in a pipe or a file."""
        return self.width if self.is_terminal or self._width is not None else None

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print; a line wider than the terminal is broken between words, but a long word, such as a path, is not."""
        if any(isinstance(one, TextTable) for one in objects):
            settings["soft_wrap"] = True  # it breaks its own lines
        super().print(*(self._text(one) if isinstance(one, str) else one for one in objects), **settings)

    def _text(self, text: str) -> str:
        """Return a text as it is printed: escaped, and on a terminal with its lines broken."""
        text = visible(text)
        if not self.is_terminal:
            return text
        return "\n".join(_broken(line, self.width) for line in text.split("\n"))


def _broken(line: str, width: int) -> str:
    """Return a line broken between words; where it is indented, its rest is indented more."""
    if cells_of(line) <= width:
        return line
    text = line.lstrip(" ")
    indent = line[: len(line) - len(text)]
    rest = f"{indent}  " if indent else ""
    first, *others = (part.strip() for part in wrapped(text, max(1, width - len(rest)), fold=False))
    return "\n".join([indent + first, *(rest + other for other in others)])


def show_everything() -> None:
    """Let no character fail on standard output and error, in any encoding, such as cp1252 or ASCII.

    Symbols that convlens uses become their plain form, any other character a backslash escape.
    """
    codecs.register_error("convlens-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test's buffer and a process without a console lack it
            stream.reconfigure(errors="convlens-plain")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(one, one) for one in failed)
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end


def reader_has_gone(error: OSError) -> bool:
    """Return whether an error means that the output pipe is closed; on Windows it is EINVAL."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def discard(stream: TextIO) -> None:
    """Discard the remaining output, so that flushing it at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
