"""The signals that ask a process to stop: Ctrl-C, the system's request to end, the terminal gone."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

STOPPED_CODE = 130
STOPPED_LINE = "stopped; what was saved stands, and repeating the command goes on or begins again"

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is not on every system
_AGAIN_SECONDS = 0.02  # by then whatever swallowed the interrupt has returned


def heeded() -> list[signal.Signals]:
    """Return those that are not ignored: a process started by `nohup`, or in the background, goes on."""
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def interrupt_when_asked() -> None:
    """Have each of them end this process, from now on: by a KeyboardInterrupt in the main thread, or at once.

    An exception does not always get out. What is raised during an import may be cleared or renamed by the C code of a
    library, and nothing is half-written there: the process ends at once. What is raised in a finaliser or a callback,
    Python can only print: the signal is given again, a moment later.
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
        again = threading.Timer(_AGAIN_SECONDS, _give, [asked])
        again.daemon = True
        again.start()

    sys.unraisablehook = swallowed
    for number in heeded():
        signal.signal(number, interrupt)


def _give(number: signal.Signals) -> None:
    """Give a signal to the main thread, which it also wakes where the system has such signals."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)
    else:
        _thread.interrupt_main(number)


def _importing(frame: FrameType | None) -> bool:
    """Tell whether what runs is run by an import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
