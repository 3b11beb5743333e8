"""What a console cannot show is written in other words, and a reader who has gone is no error."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from typing import TextIO

_PLAIN = {"−": "-", "–": "-", "—": "-", "×": "x", "→": "->", "∞": "inf", "✓": "yes", "✗": "no", "…": "...", "·": "."}


def show_everything() -> None:
    """Let no character fail on standard output and error, whatever their encoding, such as cp1252 or ASCII.

    A sign of our own becomes its plain form, any other character its escape, as in Python's texts.
    """
    codecs.register_error("convlens-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # neither a test's buffer nor a process without a console has it
            stream.reconfigure(errors="convlens-plain")


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(one, one) for one in failed)
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end


def reader_has_gone(error: OSError) -> bool:
    """Return whether an error says that nobody reads the output any more; Windows calls it an invalid argument."""
    return isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)


def discard(stream: TextIO) -> None:
    """Let what is still to be written go nowhere, so that leaving does not fail over it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
