"""Compiled code, kept on disk for the next process.

It is in the user's cache folder (or the one that ``CONVLENS_CACHE`` names), in a folder named by a hash of the sources,
the versions of Numba and Python, and the processor: after a change of any of them, functions are compiled anew. Each
function has a file: an SHA-256, then the object file; a damaged one is compiled again. Files are written atomically,
and processes that compile the same function write the same bytes, so any number of them may compile at once. Where
nothing can be written, compiled code serves this process alone, and a message says so.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..files import cache_folder, write_atomically
from .linker import processor

_DIGEST = hashlib.sha256().digest_size


def find(function: Callable[..., Any]) -> bytes | None:
    """Return a function's object file, or None if it must be compiled."""
    path = _path(function)
    if path is None or not path.is_file():
        return None
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(code).digest() != digest:
        _say_once(f"Compiled code in {path.parent} is damaged: compiling it again.")
        return None
    return code


def keep(function: Callable[..., Any], code: bytes) -> None:
    """Keep a function's object file; where that fails, as on a full disk, it still serves this process."""
    path = _path(function)
    if path is not None:
        try:
            write_atomically(path, hashlib.sha256(code).digest() + code)
        except OutputError as error:
            reason = getattr(error.__cause__, "strerror", None) or error
            _say_once(f"Compiled code cannot be kept in {path.parent}: {reason}.")


def _path(function: Callable[..., Any]) -> Path | None:
    folder = folder_of_compiled()
    source = _hash_of(function.__code__.co_filename)
    return folder / f"{function.__module__}.{function.__qualname__}-{source}.o" if folder else None


@cache
def folder_of_compiled() -> Path | None:
    """Return the folder for compiled code, created and known to be writable; None where nothing can be written."""
    folder = cache_folder()
    if folder is None:
        return None
    folder = folder / "compiled" / _version()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def _version() -> str:
    """Return a hash of all that compiled code depends on, except sources outside this package."""
    digest = hashlib.sha256(" ".join((version("numba"), platform.python_version(), *processor())).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _hash_of(source: str) -> str:
    return hashlib.sha256(Path(source).read_bytes()).hexdigest()[:8]


@cache
def _say_once(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
