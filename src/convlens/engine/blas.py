"""One thread for each BLAS call, while it matters.

convlens spreads lanes over threads itself. A BLAS that starts threads of its own underneath halves the speed, and
makes the last bits depend on their number. The limit is set when work begins and taken back when it ends, also for
libraries loaded in between.
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
    """Make threadpoolctl listen to this thread.

    Since 3.8 it lets one thread of a process limit OpenBLAS, the first that tried, and silently ignores all others. The
    lock here already sees to it that they do not quarrel.
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
