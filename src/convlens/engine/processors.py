"""How many processors a process may use: those that it may run on, and the share of time that its group is given."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_processors() -> int:
    """Return the number of processors that this process may use: its affinity, or less where a quota gives less.

    A quota, as containers have, is rounded up: of two and a half processors, a third thread has the half.
    """
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    share = quota()
    return len(affinity) if share is None else max(1, min(len(affinity), math.ceil(share)))


def quota(groups: Path = _GROUPS, own: Path = _OWN) -> float | None:
    """Return how many processors' time Linux gives to this process's control group; None without a limit.

    Parameters
    ----------
    groups
        Where control groups are mounted.
    own
        The file that names this process's groups.

    Notes
    -----
    A group has no more than the groups that it is in, so the least of them counts. Source: the kernel's
    admin-guide/cgroup-v2 (cpu.max: "quota period" or "max period") and scheduler/sched-bwc (version 1).
    """
    shares = [share for folder in _folders(groups, own) if (share := _share(folder)) is not None]
    return min(shares, default=None)


def _folders(groups: Path, own: Path) -> Iterator[Path]:
    """Yield the folders of the process's groups that rule its processors, each with those above it."""
    try:
        lines = own.read_text().splitlines()
    except (OSError, ValueError):  # no Linux, or nothing mounted
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        for root in (groups / controllers, groups / "cpu") if controllers else (groups, groups / "unified"):
            # in a container the path may be the host's and not be there; then the root is the group itself
            folder = root.joinpath(*(part for part in path.split("/") if part not in ("", "..")))
            yield from (one for one in (folder, *folder.parents) if one == root or root in one.parents)


def _share(folder: Path) -> float | None:
    """Return a group's own limit, in processors."""
    try:
        if (folder / "cpu.max").exists():
            limit, period = (folder / "cpu.max").read_text().split()
        else:
            limit, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        share = float(limit) / float(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
        return None
    return share if share > 0 else None
