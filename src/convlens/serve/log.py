"""The log: one JSON object a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import Any, TextIO

_SECONDS = 0.1  # lines are written together, because each call of the system takes as long as ten lines
_MOST = 256  # lines that wait


class Log:
    """Writes events to a stream, a few together; outside an event loop, at once.

    Parameters
    ----------
    stream
        Where to; None: nowhere.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._due: asyncio.TimerHandle | None = None
        self._encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=str).encode

    def event(self, event: str, **fields: Any) -> None:
        """Write an event, its time in UTC first; values that are None are left out."""
        if self._stream is None:
            return
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        known = {name: value for name, value in fields.items() if value is not None}
        self._lines.append(self._encode({"time": f"{stamp}.{int(now % 1 * 1000):03d}Z", "event": event, **known}))
        if len(self._lines) >= _MOST:
            self.flush()
        elif self._due is None:
            try:
                self._due = asyncio.get_running_loop().call_later(_SECONDS, self.flush)
            except RuntimeError:  # no loop is running
                self.flush()

    def flush(self) -> None:
        """Write what waits. A reader that has gone does not stop the server."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        lines, self._lines = self._lines, []
        if lines and self._stream is not None:
            with contextlib.suppress(OSError, ValueError):  # ValueError: the stream is closed
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()


class ToLog(logging.Handler):
    """Passes warnings of a library, uvicorn's, on to a log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.event("warning", source=record.name, message=record.getMessage())
