"""The signals that ask a process to stop: Ctrl-C (SIGINT), the system's request (SIGTERM), a closed terminal (SIGHUP).

All of convlens's handling of these *stop signals* is here. They end the command line from its first line on
(`interrupt_when_asked`); training finishes its step first (`StopRequest`); children that only compute never see them
(`blocked`); and a process that is already ending ignores them (`ignore`). A process that was started to ignore one, as
by `nohup`, continues. Windows has Ctrl-C alone.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType

STOPPED_CODE = 130
STOPPED_LINE = "stopped; what was saved is kept; repeat the command to resume or start again"

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is not on every system
_AGAIN_SECONDS = 0.02  # by then whatever swallowed the interrupt has returned


def heeded() -> list[signal.Signals]:
    """Return the stop signals that this process does not ignore.

    One that a program around Python handles in C is left to it: Python could not give it back.
    """
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) not in (signal.SIG_IGN, None)]


def ignore() -> None:
    """Ignore the stop signals from now on, in a process that is ending anyway."""
    for number in heeded():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def blocked() -> Iterator[None]:
    """Block the stop signals: a process started meanwhile never sees one; this one does afterwards. Not on Windows."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, heeded())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class StopRequest:
    """Inside the context, the first stop signal only sets `made`; a second one interrupts at once, as usual.

    Signals reach only the main thread; in another thread this does nothing.
    """

    def __init__(self) -> None:
        self.made = False
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> StopRequest:
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
        self.made = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal.signal gave back


def interrupt_when_asked() -> None:
    """Let each stop signal end this process from now on: by a KeyboardInterrupt in the main thread, or at once.

    An exception does not always propagate. During an import, a library's C code may clear or replace it; nothing is
    half-written there, so the process ends at once. In a finaliser or a callback, Python can only print it; so the
    signal is sent again a moment later.
    """
    usual, asked = sys.unraisablehook, signal.SIGINT

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if _importing(frame):
            with suppress(OSError):  # the terminal may be gone
                os.write(2, f"convlens: {STOPPED_LINE}\n".encode())
            os._exit(STOPPED_CODE)
        asked = signal.Signals(number)
        raise KeyboardInterrupt

    def swallowed(what: sys.UnraisableHookArgs) -> None:
        if not issubclass(what.exc_type, KeyboardInterrupt):
            usual(what)
            return
        again = threading.Timer(_AGAIN_SECONDS, _send, [asked])
        again.daemon = True
        again.start()

    sys.unraisablehook = swallowed
    for number in heeded():
        signal.signal(number, interrupt)


def _send(number: signal.Signals) -> None:
    """Send a signal to the main thread, waking it where the system can."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(number)


def _importing(frame: FrameType | None) -> bool:
    """Return whether a frame runs within an import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
