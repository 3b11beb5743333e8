"""``python -m convlens``, and the command ``convlens``: started here, so that Ctrl-C is one line from the beginning."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from .signals import heeded


def main() -> None:
    """Run the command line."""
    for number in heeded():
        signal.signal(number, _stop)
    from .cli.main import main as run

    run()


def _stop(number: int, frame: FrameType | None) -> None:
    """End at once. An exception could be swallowed by what an import runs, and there is nothing yet to save."""
    del number, frame
    os.write(sys.stderr.fileno(), b"convlens: stopped before it began; repeat the command\n")
    os._exit(130)


if __name__ == "__main__":
    main()
