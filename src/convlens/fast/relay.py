"""Handing a script to another thread without Python: a *box*, a few words of memory that two threads poll.

Waking a sleeping thread takes 50 to 100 microseconds, and the GIL must be handed over as well. So a thread that has run
a script polls for the next one for a while, in compiled code, before it sleeps; and the thread that waits for it polls
likewise, as OpenMP's threads do.

The words of a box (int64, each in its own cache line):

=========  ==========================================================================
POSTED     number of scripts handed over
DONE       number of scripts run
SCRIPT     address of the script's words, followed by their number
CALLED     how often the thread was called back to Python
ASLEEP     1 if the thread is not polling and must be woken
POLLS      how often a thread polls before it sleeps
=========  ==========================================================================
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import numpy as np
from llvmlite import ir

from .native import instruction, native
from .script import run_at
from .signatures import NOTHING, SIZE, WORDS
from .subnormal import is_arm, is_x86

_APART = 16  # words: two lines, because processors fetch them in pairs
POSTED, DONE, SCRIPT, CALLED, ASLEEP, POLLS = (place * _APART for place in range(6))
PATIENCE = 3e-4  # seconds that a thread polls before it sleeps
_TRIED = 1_000  # polls in a timing: one takes 5 to 50 nanoseconds, depending on the processor


class Box:
    """An empty box, which no thread polls; compiled functions are given its address."""

    def __init__(self) -> None:
        self.words = np.zeros(6 * _APART, np.int64)
        self.words[ASLEEP] = 1
        self.words[POLLS] = polls_before_sleep()
        self._as_parameter_ = self.words.ctypes.data


@cache
def polls_before_sleep() -> int:
    """Return how many polls take about `PATIENCE` here, by the shortest of three timings."""
    words = np.zeros(6 * _APART, np.int64)
    words[POSTED], words[POLLS] = 1, _TRIED  # handed over, but no thread runs it
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        finished(words.ctypes.data)
        seconds.append(time.perf_counter() - begun)
    return max(1, round(PATIENCE / max(min(seconds), 1e-9) * _TRIED))


@instruction(SIZE, WORDS, SIZE)
def _read(w: Any, words: Any, index: Any) -> Any:
    return w.builder.load_atomic(w.builder.gep(words, [index]), "seq_cst", 8)


@instruction(NOTHING, WORDS, SIZE, SIZE)
def _write(w: Any, words: Any, index: Any, value: Any) -> None:
    w.builder.store_atomic(value, w.builder.gep(words, [index]), "seq_cst", 8)


@instruction(NOTHING)
def _pause(w: Any) -> None:
    """Pause the processor for a moment in a loop that waits.

    ARM's own hint (yield) does nothing on most processors; an instruction barrier is the equivalent of x86's pause.
    """
    if is_x86(w):
        w.call("llvm.x86.sse2.pause", ir.VoidType())
    elif is_arm(w):
        w.call("llvm.aarch64.isb", ir.VoidType(), ir.Constant(ir.IntType(32), 15))


@native(SIZE, WORDS, SIZE, SIZE)
def post(words: Any, script: int, length: int) -> int:
    """Hand over a script; return 1 if the thread must be woken, else 0."""
    words[SCRIPT], words[SCRIPT + 1] = script, length
    _write(words, POSTED, _read(words, POSTED) + 1)
    return int(_read(words, ASLEEP) != 0)


@native(NOTHING, WORDS)
def call_back(words: Any) -> None:
    """Call the thread back to Python."""
    _write(words, CALLED, _read(words, CALLED) + 1)


@native(NOTHING, WORDS, SIZE)
def serve(words: Any, called: int) -> None:
    """Run the scripts handed over, until none comes for a while or the thread is called back.

    `called` is the number of earlier calls back.
    """
    _write(words, ASLEEP, 0)
    polls = 0
    while True:
        if _read(words, POSTED) != _read(words, DONE):
            run_at(words[SCRIPT], words[SCRIPT + 1])
            _write(words, DONE, _read(words, POSTED))
            polls = 0
        elif polls < words[POLLS] and _read(words, CALLED) == called:
            _pause()
            polls += 1
        else:
            _write(words, ASLEEP, 1)
            # `post` writes POSTED and then reads ASLEEP, so one of the two sees the other
            if _read(words, POSTED) == _read(words, DONE):
                return
            _write(words, ASLEEP, 0)


@native(SIZE, WORDS)
def finished(words: Any) -> int:
    """Poll for a while until all scripts handed over have run; return 1 if they have, else 0."""
    for _ in range(words[POLLS]):
        if _read(words, POSTED) == _read(words, DONE):
            return 1
        _pause()
    return 0
