"""The quota of a control group, of either version, from fake files."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from convlens import engine
from convlens.engine import lanes, processors


def make(folder: Path, own: str, files: dict[str, str]) -> float | None:
    for name, content in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    (folder / "own").write_text(own)
    return processors.quota(folder / "groups", folder / "own")


V1 = "5:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n"
CASES: dict[str, tuple[str, dict[str, str], float | None]] = {
    "no files": ("0::/\n", {}, None),
    "no limit": ("0::/\n", {"cpu.max": "max 100000"}, None),
    "in a container": ("0::/\n", {"cpu.max": "150000 100000"}, 1.5),
    "another period": ("0::/\n", {"cpu.max": "20000 10000"}, 2.0),
    "a slice": ("0::/user.slice/mine\n", {"user.slice/mine/cpu.max": "50000 100000"}, 0.5),
    "the slice above": (
        "0::/user.slice/mine\n",
        {"user.slice/mine/cpu.max": "400000 100000", "user.slice/cpu.max": "300000 100000", "other/cpu.max": "1 100"},
        3.0,
    ),
    "the path of the host": ("0::/docker/abc\n", {"cpu.max": "200000 100000"}, 2.0),
    "a path from outside": ("0::/../../mine\n", {"mine/cpu.max": "200000 100000"}, 2.0),
    "damaged": ("0::/\n", {"cpu.max": "lots"}, None),
    "version 1": (
        V1,
        {"cpu,cpuacct/docker/a/cpu.cfs_quota_us": "250000", "cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000"},
        2.5,
    ),
    "version 1, in a container": (V1, {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1.0),
    "version 1, no limit": (V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
    "version 1, another controller": (
        "5:memory,cpuset:/a\n",
        {"memory,cpuset/a/cpu.cfs_quota_us": "1000", "memory,cpuset/a/cpu.cfs_period_us": "100000"},
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("own", "files", "expected"), CASES.values(), ids=CASES)
def test_quota(tmp_path: Path, own: str, files: dict[str, str], expected: float | None) -> None:
    assert make(tmp_path, own, files) == expected


def test_a_system_without_control_groups(tmp_path: Path) -> None:
    assert processors.quota(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize("share", [None, 0.2, 1.0, 1.2, 2.5, 1000.0])
def test_threads_by_default_are_what_the_process_may_use(monkeypatch: pytest.MonkeyPatch, share: float | None) -> None:
    monkeypatch.setattr(processors, "quota", lambda: share)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 4, 5}, raising=False)
    expected = 3 if share is None else min(3, math.ceil(share))
    assert processors.available_processors() == expected
    assert engine.available_threads() == lanes.thread_count(None) == expected
