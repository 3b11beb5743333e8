"""The peak memory of this process, on each system."""

from __future__ import annotations

import sys
from pathlib import Path

MIB = 1 << 20


def peak_memory(status: Path = Path("/proc/self/status")) -> float:
    """Return the peak resident memory of this process, in MiB.

    On Linux VmHWM is used, because ru_maxrss includes the parent process before exec.

    Parameters
    ----------
    status
        Linux's status file of the process.
    """
    try:
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MIB
    except OSError:
        pass
    return _windows_bytes() / MIB if sys.platform == "win32" else _unix_bytes() / MIB


def _unix_bytes() -> int:
    import resource  # Windows has none

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def _windows_bytes() -> int:
    """Return PeakWorkingSetSize of PROCESS_MEMORY_COUNTERS (psapi.h): two 32-bit fields, then eight of pointer size."""
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", ctypes.c_uint32),
            ("page_faults", ctypes.c_uint32),
            ("peak", ctypes.c_size_t),
            ("others", ctypes.c_size_t * 7),
        )

    counters = Counters(size=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    kernel.K32GetProcessMemoryInfo.argtypes = (wintypes.HANDLE, ctypes.POINTER(Counters), ctypes.c_uint32)
    kernel.K32GetProcessMemoryInfo(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.size)
    return int(counters.peak)
