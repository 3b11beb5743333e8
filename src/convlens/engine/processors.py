"""How many processors a process may use: by its affinity, and by the quota of its control group."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_processors() -> int:
    """Return the number of processors that this process may use: its affinity, or its quota if that is less.

    A quota, as containers have, is rounded up: with two and a half processors, a third thread can use the half.
    """
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    share = quota()
    return len(affinity) if share is None else max(1, min(len(affinity), math.ceil(share)))


def quota(groups: Path = _GROUPS, own: Path = _OWN) -> float | None:
    """Return the quota of this process's control group on Linux, in processors; None without a limit.

    Parameters
    ----------
    groups
        Where control groups are mounted.
    own
        The file that names this process's groups.

    Notes
    -----
    A group has no more than the groups that contain it, so the smallest quota counts. Source: the kernel's
    admin-guide/cgroup-v2 (cpu.max: "quota period" or "max period") and scheduler/sched-bwc (version 1).
    """
    shares = [share for folder in _folders(groups, own) if (share := _share(folder)) is not None]
    return min(shares, default=None)


def _folders(groups: Path, own: Path) -> Iterator[Path]:
    """Yield the folders of the process's groups that control processor time, each followed by its parents."""
    try:
        lines = own.read_text().splitlines()
    except (OSError, ValueError):  # not Linux, or nothing mounted
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        for root in (groups / controllers, groups / "cpu") if controllers else (groups, groups / "unified"):
            # in a container the path may be the host's, and not exist here; then the root is the group itself
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
