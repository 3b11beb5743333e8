"""Handing a script to another thread without Python: a *box*, a few words of memory that two threads poll.

Waking a sleeping thread takes 50 to 100 microseconds, and the GIL must be handed over as well. So a thread that has run
a script polls for the next one for a while, in compiled code, before it sleeps; and the thread that waits for it polls
likewise, as OpenMP's threads do.

A script handed over is run by the thread, or taken back by whoever handed it over and run there: so nobody waits for a
thread that sleeps, or cannot be woken any more. Handing over and waiting is one call of compiled code, which no signal
interrupts: after it, nobody reads or writes the scripts' arrays.

The words of a box (int64, each in its own cache line):

=========  ==========================================================================
WORK       whether there is a script: EMPTY, POSTED, or TAKEN by the thread
SCRIPT     address of the script's words, followed by their number
CALLED     how often the thread was called back to Python
STATE      whether the thread polls: see below
POLLS      how often a thread polls before it sleeps
=========  ==========================================================================

A thread that polls is AWAKE, else ASLEEP. Before scripts that wait for one another are handed over, each thread is
ASKED, and answers that it is READY: it runs at this moment, and is not waiting for a processor. It does not fall asleep
then, until it has taken a script, or who asked it makes it AWAKE again.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from .atomic import APART, address_to_give_way, give_way, pause, read, replace, words_at, write
from .native import helper, native
from .script import Script, run_at
from .signatures import NOTHING, SIZE, WORDS

WORK, SCRIPT, CALLED, STATE, POLLS = (place * APART for place in range(5))
EMPTY, POSTED, TAKEN = range(3)
AWAKE, ASLEEP, ASKED, READY = range(4)
PATIENCE = 3e-4  # seconds that a thread polls before it sleeps
BOXES = 4  # where in a table its boxes begin
_PATIENT = 100  # times as long does a thread poll before it sleeps, as another one waits for its answer
_TRIED = 1_000  # polls in a timing: one takes 5 to 50 nanoseconds, depending on the processor


class Box:
    """An empty box, which no thread polls; compiled functions are given its address."""

    def __init__(self) -> None:
        self.words = np.zeros(5 * APART, np.int64)
        self.words[STATE] = ASLEEP
        self.words[POLLS] = polls_before_sleep()
        self._as_parameter_ = self.words.ctypes.data


class Table:
    """Scripts to run at the same time: the first one here, the others by the threads that poll the boxes.

    Its words are the number of the others, address and length of the first script, the address of `atomic.give_way`'s
    function, and for each other script the address of its box, and its own address and length.
    """

    def __init__(self, scripts: Sequence[Script], boxes: Sequence[Box]) -> None:
        others = [
            word
            for box, script in zip(boxes, scripts[1:], strict=False)
            for word in (box._as_parameter_, *script.place)
        ]
        words = [len(scripts) - 1, *scripts[0].place, address_to_give_way(), *others]
        self._words, self._needed = np.array(words, np.int64), (scripts, boxes)
        self._as_parameter_ = ctypes.c_int64(self._words.ctypes.data)


@cache
def polls_before_sleep() -> int:
    """Return how many polls take about `PATIENCE` here, by the shortest of three timings."""
    words = np.zeros(5 * APART, np.int64)
    words[WORK], words[POLLS] = POSTED, _TRIED  # handed over, but no thread runs it
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        finished(words.ctypes.data)
        seconds.append(time.perf_counter() - begun)
    return max(1, round(PATIENCE / max(min(seconds), 1e-9) * _TRIED))


@native(NOTHING, WORDS)
def await_waking(words: Any) -> None:
    """Poll for a while until the thread polls."""
    for _ in range(words[POLLS]):
        if read(words, STATE) != ASLEEP:
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
        if read(words, WORK) == POSTED and replace(words, WORK, POSTED, TAKEN):
            write(words, STATE, AWAKE)
            run_at(words[SCRIPT], words[SCRIPT + 1])
            write(words, WORK, EMPTY)
            polls = 0
        elif polls < words[POLLS] and read(words, CALLED) == called:
            if read(words, STATE) == ASKED:
                replace(words, STATE, ASKED, READY)
            pause()
            polls += 1
        elif replace(words, STATE, AWAKE, ASLEEP):
            return
        else:
            replace(words, STATE, ASKED, READY)


@helper
def _finished(words):  # type: ignore[no-untyped-def]
    for _ in range(words[POLLS]):
        if read(words, WORK) == EMPTY:
            return 1
        pause()
    return 0


@native(SIZE, WORDS)
def finished(words: Any) -> int:
    """Poll for a while until a script handed over has run; return 1 if it has, else 0."""
    return _finished(words)  # type: ignore[no-any-return]


@helper
def _are_ready(table):  # type: ignore[no-untyped-def]
    """Ask all threads; return whether they are ready. If not, none of them has been asked."""
    asked = 0
    while asked < table[0]:
        if not replace(words_at(table[BOXES + 3 * asked]), STATE, AWAKE, ASKED):
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


@helper
def _run(table, takes_back):  # type: ignore[no-untyped-def]
    for i in range(table[0]):
        place = BOXES + 3 * i
        words = words_at(table[place])
        words[SCRIPT], words[SCRIPT + 1] = table[place + 1], table[place + 2]
        write(words, WORK, POSTED)
    run_at(table[1], table[2])
    for i in range(table[0]):
        place = BOXES + 3 * i
        words = words_at(table[place])
        if takes_back and replace(words, WORK, POSTED, EMPTY):
            run_at(table[place + 1], table[place + 2])
        elif not _finished(words):
            while read(words, WORK) != EMPTY:  # the thread may be waiting for this processor
                give_way(table[3])


@native(SIZE, WORDS)
def run_together(table: Any) -> int:
    """Run the scripts of a `Table`, which may wait for one another, and wait for all of them.

    Return 0 if a thread is not ready: then none of the scripts has run. Return 1 if all have.
    """
    if not _are_ready(table):
        return 0
    _run(table, False)
    return 1


@native(NOTHING, WORDS)
def run_all(table: Any) -> None:
    """Run the scripts of a `Table`, those here that no thread has taken meanwhile, and wait for all of them."""
    _run(table, True)
