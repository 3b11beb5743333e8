"""How much memory this process can still have, and refusing what needs more before it is allocated.

Systems promise memory that they do not have, and end the process when it is used; so a large array is asked for here
first.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

from .errors import ConfigurationError

LARGE = 1 << 26  # bytes, 64 MiB: less is not worth asking the system
_GROUP = Path("/sys/fs/cgroup")  # of a container


def available() -> int | None:
    """Return the bytes that this process can still have; None where the system does not say.

    It is the least of what the machine has free (Linux, Windows; on macOS, all that it has), what the process's
    container leaves, and what its limit of address space leaves.
    """
    found = [_machine(), _container(), _limit()]
    return min((size for size in found if size is not None), default=None)


def require(needed: int, what: str, advice: str) -> None:
    """Raise ConfigurationError if `what` needs more bytes than there are; the message ends with the advice.

    Parameters
    ----------
    needed
        Bytes.
    what
        What needs them: the beginning of the sentence.
    advice
        What to do.
    """
    if needed < LARGE:
        return
    there = available()
    if there is not None and needed > there:
        raise ConfigurationError(f"{what} needs {size(needed)} of memory, and {size(there)} are available; {advice}")


def size(count: float) -> str:
    """Return a number of bytes in words.

    >>> size(3 << 30), size(70 << 20), size(6.4e11)
    ('3.0 GiB', '70 MiB', '596 GiB')
    """
    for unit, bytes_of in (("TiB", 1 << 40), ("GiB", 1 << 30)):
        if count >= bytes_of:
            value = count / bytes_of
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{count / (1 << 20):.0f} MiB"


def _machine() -> int | None:
    if sys.platform == "win32":
        return _windows()
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free, swap = (next(int(line.split()[1]) for line in lines if line.startswith(name))
                      for name in ("MemAvailable:", "SwapFree:"))  # fmt: skip
        return (free + swap) * 1024
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _container() -> int | None:
    """Return what a container's limit leaves, by cgroup 2 or 1; its file cache counts as free."""
    for limit, used, statistics, cache in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        with contextlib.suppress(OSError, ValueError):  # no such file, or "max": no limit
            most, now = (int((_GROUP / name).read_text(encoding="ascii")) for name in (limit, used))
            rows = dict(line.split() for line in (_GROUP / statistics).read_text(encoding="ascii").splitlines())
            return max(0, most - now + int(rows.get(cache, 0)))
    return None


def _limit() -> int | None:
    """Return what the process's limit of address space leaves (``ulimit -v``)."""
    if sys.platform == "win32":
        return None
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return None
    used = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    return max(0, most - used)


def _windows() -> int | None:
    """Return the free memory by ``GlobalMemoryStatusEx``: lengths and load, then six figures, the second of them."""

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_uint32), ("load", ctypes.c_uint32), ("figures", ctypes.c_uint64 * 7)]

    status = Status(length=ctypes.sizeof(Status))
    windows = getattr(ctypes, "windll", None)
    if windows is None or not windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.figures[1])
