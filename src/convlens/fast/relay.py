"""Handing a script to another thread without Python: a *box*, a few words of memory that two threads look at.

Waking a thread that sleeps takes 50 to 100 microseconds, and Python's lock must be handed over besides. So a thread
that has run a script looks for the next one for a little while, in compiled code, before it sleeps; and whoever waits
for it looks likewise. That is what OpenMP's threads do.

The words of a box (int64, each in a cache line of its own):

=========  ==========================================================================
POSTED     number of scripts handed over
DONE       number of scripts run
SCRIPT     address of the words of the script, and behind it how many they are
CALLED     how often the thread was called back to Python
ASLEEP     1 where it does not look: it must be woken
LOOKS      how often a thread looks before it sleeps
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
POSTED, DONE, SCRIPT, CALLED, ASLEEP, LOOKS = (place * _APART for place in range(6))
PATIENCE = 3e-4  # seconds that a thread looks before it sleeps
_TRIED = 1_000  # looks that are timed, once: a processor takes 5 to 50 nanoseconds for one


class Box:
    """An empty box, at which nobody looks; compiled functions are given its address."""

    def __init__(self) -> None:
        self.words = np.zeros(6 * _APART, np.int64)
        self.words[ASLEEP] = 1
        self.words[LOOKS] = looks_before_sleep()
        self._as_parameter_ = self.words.ctypes.data


@cache
def looks_before_sleep() -> int:
    """Return how many looks take about `PATIENCE` here; of three timings the shortest, because others may disturb."""
    words = np.zeros(6 * _APART, np.int64)
    words[POSTED], words[LOOKS] = 1, _TRIED  # handed over, and nobody runs it
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
    """Let the processor rest a moment in a loop that waits.

    ARM's own hint (yield) does nothing on most of its processors; an instruction barrier is what x86's pause is.
    """
    if is_x86(w):
        w.call("llvm.x86.sse2.pause", ir.VoidType())
    elif is_arm(w):
        w.call("llvm.aarch64.isb", ir.VoidType(), ir.Constant(ir.IntType(32), 15))


@native(SIZE, WORDS, SIZE, SIZE)
def post(words: Any, script: int, length: int) -> int:
    """Hand over a script; return whether the thread must be woken, as 1 or 0."""
    words[SCRIPT], words[SCRIPT + 1] = script, length
    _write(words, POSTED, _read(words, POSTED) + 1)
    return int(_read(words, ASLEEP) != 0)


@native(NOTHING, WORDS)
def call_back(words: Any) -> None:
    """Call the thread back to Python."""
    _write(words, CALLED, _read(words, CALLED) + 1)


@native(NOTHING, WORDS, SIZE)
def serve(words: Any, called: int) -> None:
    """Run what is handed over, until there is nothing for a while or the thread is called back.

    `called` is how often it was before.
    """
    _write(words, ASLEEP, 0)
    looks = 0
    while True:
        if _read(words, POSTED) != _read(words, DONE):
            run_at(words[SCRIPT], words[SCRIPT + 1])
            _write(words, DONE, _read(words, POSTED))
            looks = 0
        elif looks < words[LOOKS] and _read(words, CALLED) == called:
            _pause()
            looks += 1
        else:
            _write(words, ASLEEP, 1)
            # whoever hands over writes first and then reads ASLEEP, so one of the two sees the other
            if _read(words, POSTED) == _read(words, DONE):
                return
            _write(words, ASLEEP, 0)


@native(SIZE, WORDS)
def finished(words: Any) -> int:
    """Look for a while whether all that was handed over has run; return 1 or 0."""
    for _ in range(words[LOOKS]):
        if _read(words, POSTED) == _read(words, DONE):
            return 1
        _pause()
    return 0
