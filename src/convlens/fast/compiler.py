"""Compiling with Numba: once for each version of convlens and each kind of processor, then kept on disk (`kept`).

Every function is given the types of its arguments, so it is compiled when its module is imported and never during
work.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numba
from numba import types
from numba.core import event
from numba.core.ccallback import CFunc

from ..signals import heeded
from .kept import cache_of_compiled, kept_on_disk

NOTHING, SIZE, NUMBER, FLAG = types.void, types.intp, types.float32, types.boolean
FLOATS, DOUBLES, INDICES = types.float32[::1], types.float64[::1], types.int32[::1]
LABELS = types.Array(types.int64, 1, "C", readonly=True)  # they may lie in a mapped file; others serve as well

# No "fastmath": a sum is added up as it is written, whatever LLVM thinks of it. What is compiled as a function of its
# own, and once more as a part of its caller, would otherwise have two orders, and a process that compiles other bits
# than one that finds everything on disk. Vectors are written out by hand, so nothing is slower for it.
_OPTIONS: dict[str, Any] = {"error_model": "numpy"}

# Compiled together with whoever calls it, and kept with them, not apart.
helper: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(nogil=True, **_OPTIONS)


def compiled(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function for the given types of arguments and result; it runs without Python's lock."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        make = numba.njit(nogil=True, **_OPTIONS)(function)
        _keep(make, function)
        make.compile(result(*arguments))
        make.disable_compile()
        done: Callable[..., Any] = make
        return done

    return decorate


def native(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], CFunc]:
    """Compile a function that is called by its address."""

    def decorate(function: Callable[..., Any]) -> CFunc:
        make = CFunc(function, (arguments, result), locals={}, options=_OPTIONS)
        _keep(make, function)
        make.compile()
        return make

    return decorate


def _keep(make: Any, function: Callable[..., Any]) -> None:
    """Have what is compiled kept on disk, where there is a place for it."""
    place = kept_on_disk(function)
    if place is not None:
        make._cache = place


class _Notice(event.Listener):
    """Says, at the first function that is really compiled, that this takes a while; and at the end how long it took."""

    def __init__(self) -> None:
        self.started: float | None = None
        self.stopped: list[BaseException] = []

    def on_start(self, _event: event.Event) -> None:
        """Begin, unless a signal has asked to stop."""
        if self.stopped:
            raise self.stopped[0]
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
    """Say so on the error stream if anything inside has to be compiled, and let Ctrl-C end it."""
    notice = _Notice()
    with event.install_listener("numba:compile", notice), _stoppable(notice.stopped):
        yield
    notice.close()


@contextmanager
def _stoppable(raised: list[BaseException]) -> Iterator[None]:
    """See that what a signal raises gets out; note it in `raised`.

    It may be raised in a function that LLVM calls, where Python can only print it and go on, to an error of no meaning.
    """
    before = {number: signal.getsignal(number) for number in heeded()}

    def handle(number: int, frame: FrameType | None) -> None:
        usual = before[signal.Signals(number)]
        assert callable(usual)
        try:
            usual(number, frame)
        except BaseException as error:
            raised.append(error)
            raise

    def lost(what: sys.UnraisableHookArgs) -> None:
        if what.exc_value not in raised:
            hook(what)

    hook, main = sys.unraisablehook, threading.current_thread() is threading.main_thread()
    taken = [number for number, usual in before.items() if main and callable(usual)]
    try:
        sys.unraisablehook = lost
        for number in taken:
            signal.signal(number, handle)
        yield
    except Exception:
        if not raised:
            raise
    finally:
        sys.unraisablehook = hook
        for number in taken:
            signal.signal(number, before[number])
    if raised:
        raise raised[0]
