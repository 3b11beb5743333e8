"""Compiling with Numba: once for each version of convlens and each kind of processor, then kept on disk.

Every function is given the types of its arguments, so it is compiled when its module is imported and never during
work. Compiled code is kept in the user's cache folder (or what ``CONVLENS_CACHE`` names), in a folder named by the
sources' hash: a new version compiles anew and cannot meet old code. Numba writes each file whole, under a name of
its own first, so several processes may compile at the same time. Where nothing can be written, compiled code serves
for this process alone, and that is said.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import event

from ..files import cache_folder

NOTHING, SIZE, NUMBER, FLAG = types.void, types.intp, types.float32, types.boolean
FLOATS, DOUBLES, INDICES = types.float32[::1], types.float64[::1], types.int32[::1]
LABELS = types.Array(types.int64, 1, "C", readonly=True)  # they may lie in a mapped file; others serve as well

# Sums may be taken in any order and products fused with them, so that loops use vector registers. Infinities and
# NaN keep their meaning: a training that diverges must show it.
FREEDOM = {"reassoc", "contract", "arcp", "nsz"}


_OPTIONS: dict[str, Any] = {"fastmath": FREEDOM, "error_model": "numpy"}

# Compiled together with whoever calls it, and kept with them, not apart.
helper: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(nogil=True, **_OPTIONS)


def compiled(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for the given types of arguments and result; it runs without Python's lock."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        with _cache() as kept:
            done: Callable[..., Any] = numba.njit(result(*arguments), nogil=True, cache=kept, **_OPTIONS)(function)
        return done

    return decorate


def native(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function that is called by its address."""

    def decorate(function: Callable[..., Any]) -> Any:
        with _cache() as kept:
            return numba.cfunc(result(*arguments), cache=kept, **_OPTIONS)(function)

    return decorate


@contextmanager
def _cache() -> Iterator[bool]:
    """Point Numba to the folder for compiled code; False where there is none."""
    folder, before = cache_of_compiled(), numba.config.CACHE_DIR
    numba.config.CACHE_DIR = "" if folder is None else str(folder)
    try:
        yield folder is not None
    finally:
        numba.config.CACHE_DIR = before


@cache
def cache_of_compiled() -> Path | None:
    """Return the folder for compiled code, made and tried out; None where nothing can be written."""
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
    """Return a hash of all that compiled code depends on, beside the processor, which Numba itself looks after."""
    told = hashlib.sha256(f"{numba.__version__} {platform.python_version()}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        told.update(source.read_bytes())
    return told.hexdigest()[:16]


class _Notice(event.Listener):
    """Says, at the first function that is really compiled, that this takes a while; and at the end how long it took."""

    def __init__(self) -> None:
        self.started: float | None = None

    def on_start(self, _event: event.Event) -> None:
        if self.started is None:
            self.started = time.perf_counter()
            how_often = "once" if cache_of_compiled() else "in every process: no folder for compiled code is writable"
            sys.stderr.write(f"Compiling the fast engine ({how_often}; about 20 seconds) ...\n")
            sys.stderr.flush()

    def on_end(self, _event: event.Event) -> None:
        """Nothing: many functions follow one another."""

    def close(self) -> None:
        """Say how long it took, if there was anything to compile."""
        if self.started is not None:
            sys.stderr.write(f"Compiled in {time.perf_counter() - self.started:.0f} s.\n")


@contextmanager
def announced() -> Iterator[None]:
    """Say so on the error stream if anything inside has to be compiled."""
    notice = _Notice()
    with event.install_listener("numba:compile", notice):
        yield
    notice.close()
