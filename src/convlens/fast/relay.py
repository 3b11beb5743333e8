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
STATE      whether the thread polls: see below
POLLS      how often a thread polls before it sleeps
=========  ==========================================================================

A thread that polls is AWAKE, one that must be woken is ASLEEP, or WOKEN once somebody has called it. Before scripts
that wait for one another are handed over, each thread is ASKED, and answers that it is READY: it runs at this moment,
and is not waiting for a processor. It does not fall asleep then; only who asked it makes it AWAKE again.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import numpy as np

from .atomic import APART, pause, read, replace, words_at, write
from .native import helper, native
from .script import run_at
from .signatures import NOTHING, SIZE, WORDS

POSTED, DONE, SCRIPT, CALLED, STATE, POLLS = (place * APART for place in range(6))
AWAKE, ASLEEP, WOKEN, ASKED, READY = range(5)
PATIENCE = 3e-4  # seconds that a thread polls before it sleeps
BOXES = 3  # where in the table of `run_together` its boxes begin
_PATIENT = 100  # times as long does a thread poll before it sleeps, as another one waits for its answer
_TRIED = 1_000  # polls in a timing: one takes 5 to 50 nanoseconds, depending on the processor


class Box:
    """An empty box, which no thread polls; compiled functions are given its address."""

    def __init__(self) -> None:
        self.words = np.zeros(6 * APART, np.int64)
        self.words[STATE] = ASLEEP
        self.words[POLLS] = polls_before_sleep()
        self._as_parameter_ = self.words.ctypes.data


@cache
def polls_before_sleep() -> int:
    """Return how many polls take about `PATIENCE` here, by the shortest of three timings."""
    words = np.zeros(6 * APART, np.int64)
    words[POSTED], words[POLLS] = 1, _TRIED  # handed over, but no thread runs it
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        finished(words.ctypes.data)
        seconds.append(time.perf_counter() - begun)
    return max(1, round(PATIENCE / max(min(seconds), 1e-9) * _TRIED))


@helper
def _post(words, script, length):  # type: ignore[no-untyped-def]
    words[SCRIPT], words[SCRIPT + 1] = script, length
    write(words, POSTED, read(words, POSTED) + 1)


@native(SIZE, WORDS, SIZE, SIZE)
def post(words: Any, script: int, length: int) -> int:
    """Hand over a script; return 1 if the thread must be woken, else 0."""
    _post(words, script, length)
    return int(replace(words, STATE, ASLEEP, WOKEN))


@native(SIZE, WORDS)
def wake(words: Any) -> int:
    """Return 1 if the thread must be woken, else 0."""
    return int(replace(words, STATE, ASLEEP, WOKEN))


@native(NOTHING, WORDS)
def await_waking(words: Any) -> None:
    """Poll for a while until the thread that was woken polls."""
    for _ in range(words[POLLS]):
        if read(words, STATE) != WOKEN:
            return
        pause()


@native(NOTHING, WORDS)
def call_back(words: Any) -> None:
    """Call the thread back to Python."""
    write(words, CALLED, read(words, CALLED) + 1)


@native(NOTHING, WORDS, SIZE)
def serve(words: Any, called: int) -> None:
    """Run the scripts handed over, until none comes for a while or the thread is called back.

    `called` is the number of earlier calls back.
    """
    write(words, STATE, AWAKE)
    polls = 0
    while True:
        if read(words, POSTED) != read(words, DONE):
            run_at(words[SCRIPT], words[SCRIPT + 1])
            write(words, DONE, read(words, POSTED))
            polls = 0
        elif polls < words[POLLS] and read(words, CALLED) == called:
            if read(words, STATE) == ASKED:
                replace(words, STATE, ASKED, READY)
            pause()
            polls += 1
        elif replace(words, STATE, AWAKE, ASLEEP):
            # `post` writes POSTED and then reads STATE, so one of the two sees the other
            if read(words, POSTED) == read(words, DONE) or not replace(words, STATE, ASLEEP, AWAKE):
                return
        else:
            replace(words, STATE, ASKED, READY)


@helper
def _finished(words):  # type: ignore[no-untyped-def]
    for _ in range(words[POLLS]):
        if read(words, POSTED) == read(words, DONE):
            return 1
        pause()
    return 0


@native(SIZE, WORDS)
def finished(words: Any) -> int:
    """Poll for a while until all scripts handed over have run; return 1 if they have, else 0."""
    return _finished(words)  # type: ignore[no-any-return]


@helper
def _are_ready(table):  # type: ignore[no-untyped-def]
    """Ask all threads; return whether they are ready. If not, none of them has been asked."""
    asked = 0
    while asked < table[0]:
        words = words_at(table[BOXES + 3 * asked])
        if read(words, POSTED) != read(words, DONE) or not replace(words, STATE, AWAKE, ASKED):
            break
        asked += 1
    ready = asked == table[0]
    polls = 0
    for i in range(asked):
        words = words_at(table[BOXES + 3 * i])
        while ready and read(words, STATE) != READY:
            pause()
            polls += 1
            ready = polls * _PATIENT < words[POLLS]
    if not ready:
        for i in range(asked):
            write(words_at(table[BOXES + 3 * i]), STATE, AWAKE)
    return ready


@native(SIZE, WORDS)
def run_together(table: Any) -> int:
    """Hand over scripts to threads that are all ready, run another one here, and wait for a while.

    Return 0 if a thread is not ready: then none of the scripts has run. Return 1 if all have run, 2 if some still run.
    The table has the number of threads, address and length of the script to run here, and for each thread the address
    of its box, and address and length of its script.
    """
    if not _are_ready(table):
        return 0
    for i in range(table[0]):
        place = BOXES + 3 * i
        words = words_at(table[place])
        _post(words, table[place + 1], table[place + 2])
        write(words, STATE, AWAKE)
    run_at(table[1], table[2])
    for i in range(table[0]):
        if not _finished(words_at(table[BOXES + 3 * i])):
            return 2
    return 1
