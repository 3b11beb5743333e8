"""One thread for each BLAS call, while it matters.

convlens spreads lanes over threads itself. A BLAS that starts threads of its own underneath halves the speed, and
makes the last bits depend on their number. The limit is set when work begins and taken back when it ends, also for
libraries loaded in between.

Apple's Accelerate, which NumPy's wheels for macOS use, has no such limit: it reads ``VECLIB_MAXIMUM_THREADS`` when it
is loaded. The command ``convlens`` sets that to 1; a program that imports convlens may do the same. It matters to the
NumPy engine and the interpreter alone: the compiled engine calls no BLAS.
"""

from __future__ import annotations

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

    Since 3.8 only one thread of a process can limit OpenBLAS, the first that tries, and it ignores all others silently.
    The lock here already keeps them apart.
    """
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Limit every BLAS of the process to one thread; nested and concurrent uses share one limit."""
    global _depth, _limit  # the limit is the process's
    with _lock:
        if _depth == 0:
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
