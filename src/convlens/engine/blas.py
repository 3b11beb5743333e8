"""Limits BLAS calls to one thread while an engine works.

convlens spreads lanes over threads itself. A BLAS that starts its own threads as well halves the speed, and makes the
last bits depend on their number. The limit is set when work begins and removed when it ends, also for libraries loaded
in between.

Apple's Accelerate, which NumPy's wheels for macOS use, has no such limit: it reads ``VECLIB_MAXIMUM_THREADS`` when it
is loaded. The command ``convlens`` sets that to 1; a program that imports convlens may do the same. Only the NumPy
engine and the interpreter need it: the compiled engine calls no BLAS.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController

_lock = threading.Lock()
_depth = 0
_limit: Any = None
_controller: tuple[int, ThreadpoolController] | None = None


def _current_controller() -> ThreadpoolController:
    """Return a controller of all BLAS libraries; looking for them takes milliseconds, so only after new imports."""
    global _controller  # a cache for the whole process, as the libraries are
    if _controller is None or _controller[0] != len(sys.modules):
        _controller = (len(sys.modules), ThreadpoolController())
    return _controller[1]


def _speak_for_all_threads() -> None:
    """Let threadpoolctl set limits from this thread.

    Since version 3.8 only the first thread that tries can limit OpenBLAS; calls from others are silently ignored.
    Here a lock already keeps threads apart.
    """
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Limit every BLAS of the process to one thread; nested and concurrent uses share one limit."""
    global _depth, _limit  # the limit is the process's
    with _lock:
        if _limit is None:
            _speak_for_all_threads()
            _limit = _current_controller().limit(limits=1, user_api="blas")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _speak_for_all_threads()
                _limit.restore_original_limits()
                _limit = None


def _begin_again() -> None:
    """In a forked process, forget the other threads' uses, which never end there; the limit goes with the next one."""
    global _depth
    _depth = 0
    _lock.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    # a lock that another thread holds while the process is copied would be held in the copy for ever
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_begin_again)
