"""Ctrl-C without half-done steps; being told to end (SIGTERM) or losing the terminal (SIGHUP) is the same."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from ..signals import heeded


class InterruptGuard:
    """While entered, the first Ctrl-C only sets `requested`; a second one interrupts at once, as usual.

    Signals reach the main thread only; elsewhere the guard does nothing. One that the process was started to ignore,
    as `nohup` does, is ignored.
    """

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> InterruptGuard:
        if threading.current_thread() is threading.main_thread():
            for number in heeded():
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal.signal gave back
