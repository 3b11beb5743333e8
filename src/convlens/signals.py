"""The signals that ask a process to stop: Ctrl-C, the system's request to end, the terminal gone."""

from __future__ import annotations

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is not on every system


def heeded() -> list[signal.Signals]:
    """Return those that are not ignored: a process started by `nohup`, or in the background, goes on."""
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
