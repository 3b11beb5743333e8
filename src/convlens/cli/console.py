"""Consoles that cannot show every character, and readers that close the pipe."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from typing import TextIO

_PLAIN = {"−": "-", "–": "-", "—": "-", "×": "x", "→": "->", "∞": "inf", "✓": "yes", "✗": "no", "…": "...", "·": "."}


def show_everything() -> None:
    """Let no character fail on standard output and error, in any encoding, such as cp1252 or ASCII.

    Symbols that convlens uses become their plain form, any other character a backslash escape.
    """
    codecs.register_error("convlens-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a test's buffer and a process without a console lack it
            stream.reconfigure(errors="convlens-plain")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(one, one) for one in failed)
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end


def reader_has_gone(error: OSError) -> bool:
    """Return whether an error means that the output pipe is closed; on Windows it is EINVAL."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def discard(stream: TextIO) -> None:
    """Discard the remaining output, so that flushing it at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
