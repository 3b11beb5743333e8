"""What a notebook shows while trials run: one line, updated in place."""

from __future__ import annotations

import sys
from typing import Any

from ..train.progress import in_notebook
from ..wording import duration
from .runner import ProgressDisplay, ProgressEvent


class NotebookLine:
    """Shows how many trials are done, which one began last, and the time left; called with every `ProgressEvent`."""

    def __init__(self) -> None:
        self._done = self._failed = 0
        self._handle: Any = None

    def __call__(self, event: ProgressEvent, /) -> None:
        """Show the event."""
        self._done += event.kind in ("found", "finished")
        self._failed += event.kind == "failed"
        text = f"{self._done} of {event.total} trials done"
        text += f", {self._failed} failed" if self._failed else ""
        if self._done + self._failed < event.total:
            text += f"; {event.planned.label}" if event.kind == "started" else ""
            text += "" if event.seconds_left is None else f"; {duration(event.seconds_left)} left"
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display({"text/plain": text}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": text}, raw=True)


def notebook_line() -> ProgressDisplay | None:
    """Return the line of a notebook's cell; None if this process is no notebook's kernel."""
    return NotebookLine() if in_notebook() else None
