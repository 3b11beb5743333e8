"""How much of the machine other processes take: what disturbs a timing."""

from __future__ import annotations

import os
import time
from pathlib import Path

DISTURBED = 0.1  # share of the machine used by other processes above which a timing is disturbed


def busy_seconds() -> float | None:
    """Return the busy seconds of all processors, including time stolen by the host; None except on Linux."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    idle, waiting, guests = 3, 4, (8, 9)  # guest time is already part of user time
    counted = (int(ticks) for place, ticks in enumerate(fields) if place not in (idle, waiting, *guests))
    return sum(counted) / os.sysconf("SC_CLK_TCK")


class Watch:
    """Measures the share of the machine that others take, from its creation on.

    Parameters
    ----------
    children
        Whether the processes that this one has started and waited for count as its own.
    """

    def __init__(self, *, children: bool = False) -> None:
        self._children = children
        self._begun, self._busy, self._own = time.perf_counter(), busy_seconds(), self._own_seconds()

    def _own_seconds(self) -> float:
        used = os.times()
        return time.process_time() + (used.children_user + used.children_system if self._children else 0.0)

    def others(self) -> float | None:
        """Return the share, between 0 and 1; None where the system does not report it."""
        busy, spent = busy_seconds(), time.perf_counter() - self._begun
        if busy is None or self._busy is None or not spent:
            return None
        others = busy - self._busy - (self._own_seconds() - self._own)
        return min(1.0, max(0.0, others / (spent * (os.cpu_count() or 1))))


def others_now(seconds: float = 1.0) -> float | None:
    """Return the share of the machine that others take while this process sleeps."""
    watch = Watch()
    time.sleep(seconds)
    return watch.others()
