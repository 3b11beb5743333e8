"""Run commands in a terminal of a given width: a real one, by a pseudo-terminal."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def in_terminal(command: Sequence[str], columns: int, folder: Path | None = None, **environment: str) -> str:
    """Run a command whose output, errors and input are a terminal; return all that it printed, without colours."""
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "FORCE_COLOR")}
    full = {**kept, "TERM": "xterm", "NO_COLOR": "1", **environment}
    with subprocess.Popen(command, cwd=folder, env=full, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        found = b""
        try:
            while part := os.read(ours, 65536):
                found += part
        except OSError:  # Linux reports the end of a terminal as an error
            pass
        process.wait(60)
    os.close(ours)
    return found.decode("utf-8", "replace").replace("\r\n", "\n")


if __name__ == "__main__":
    sys.stdout.write(in_terminal([sys.executable, "-m", "convlens", *sys.argv[2:]], int(sys.argv[1])))
