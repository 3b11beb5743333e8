"""Meetings: a place in several scripts that run at the same time, which none passes before all have reached it.

So threads can share one image: each computes some of a kernel's results, and reads all of them after the meeting. Each
script counts the meetings that it has reached in a word of its own, and waits for the others' counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .atomic import APART, address_to_give_way, give_way, pause, read, words_at, write
from .relay import polls_before_sleep
from .script import Call, entry
from .signatures import Labels

_POLLS_SHARE = 10  # of the polls before a thread sleeps: then it gives way to others, one of which may be awaited


@entry
def _meet(counts: Labels, address: int, mine: int, polls: int, other: int) -> None:
    words = words_at(address)
    reached = read(words, mine * APART) + 1
    write(words, mine * APART, reached)
    for place in range(0, len(counts), APART):
        tried = 0
        while read(words, place) < reached:
            tried += 1
            if tried < polls:
                pause()
            else:
                give_way(other)


class Meeting:
    """A meeting of several scripts, as often as they call it; all of them run, every time."""

    def __init__(self, scripts: int) -> None:
        memory = np.zeros((scripts + 1) * APART, np.int64)
        first = -memory.ctypes.data // 8 % APART
        self._counts = memory[first : first + scripts * APART]

    def calls(self) -> Iterable[Call]:
        """Return the call of each script."""
        polls, other = polls_before_sleep() // _POLLS_SHARE, address_to_give_way()
        for mine in range(len(self._counts) // APART):
            yield _meet(self._counts, self._counts.ctypes.data, mine, polls, other)
