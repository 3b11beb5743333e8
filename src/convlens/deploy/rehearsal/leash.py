"""Runs a command and ends it when whoever holds this process's standard input lets go: even by being killed.

``python leash.py COMMAND...``. Standard library only, and nothing of convlens, so that it starts at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE = 10.0  # seconds between SIGTERM and SIGKILL; SageMaker gives 30


def main(command: list[str]) -> int:
    """Run a command in a session of its own, and return its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - the caller's
    for asked in (signal.SIGINT, signal.SIGTERM):  # whoever started it decides, through standard input
        signal.signal(asked, signal.SIG_IGN)  # not earlier: the command would inherit it
    threading.Thread(target=_watch, args=(child,), daemon=True).start()
    status = child.wait()
    _signal(child, signal.SIGKILL)  # whatever it started and left behind
    return status if status >= 0 else 128 - status


def _watch(child: subprocess.Popen[bytes]) -> None:
    """End the command once standard input is at its end."""
    while os.read(0, 1024):
        pass
    _signal(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    _signal(child, signal.SIGKILL)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
