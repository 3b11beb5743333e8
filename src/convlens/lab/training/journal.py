"""What happened in a training, a line of JSON for each event: only ever appended to, so any reader can go on reading.

A place in it is a number of bytes. A process that is killed may leave half a line; the next one that writes removes it,
and readers never see it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import OutputError

Event = dict[str, Any]


class Journal:
    """The file of events at a path; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, event: Mapping[str, Any]) -> None:
        """Add an event, in one write, so that two processes cannot mix their lines.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        line = json.dumps(event, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}; make room") from error

    def repair(self) -> None:
        """Remove half a line at the end, which a killed process left. Only while nobody else writes."""
        with suppress(FileNotFoundError), self.path.open("rb+") as stream:
            contents = stream.read()
            whole = contents.rfind(b"\n") + 1
            if whole < len(contents):
                stream.truncate(whole)

    def read(self, place: int = 0) -> tuple[list[Event], int, int]:
        """Return the events from a place on, the place where they begin, and the place after them.

        They begin at 0 if the given place is none at which a line of this file begins. Lines that are not JSON objects
        are left out.
        """
        try:
            with self.path.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                begin = place if _begins_line(stream, place, size) else 0
                stream.seek(begin)
                contents = stream.read()
        except FileNotFoundError:
            return [], 0, 0
        whole = contents[: contents.rfind(b"\n") + 1]
        return [event for line in whole.splitlines() if (event := _event(line))], begin, begin + len(whole)


def _begins_line(stream: Any, place: int, size: int) -> bool:
    if not 0 < place <= size:
        return place == 0
    stream.seek(place - 1)
    return bool(stream.read(1) == b"\n")


def _event(line: bytes) -> Event | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
