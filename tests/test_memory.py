"""How much memory there is: by imitation of systems and containers, and for real under a limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from convlens import memory
from convlens.errors import ConfigurationError

GIB = 1 << 30


def test_this_machine_has_some() -> None:
    there = memory.available()
    assert there is None or 0 < there < 1 << 50


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"memory.max": "4294967296\n", "memory.current": "3221225472\n",
          "memory.stat": "anon 1\ninactive_file 536870912\n"},
         3 * GIB // 2),
        ({"memory.max": "max\n", "memory.current": "1\n", "memory.stat": ""}, None),
        ({"memory/memory.limit_in_bytes": "4294967296", "memory/memory.usage_in_bytes": "1073741824",
          "memory/memory.stat": "total_inactive_file 0"}, 3 * GIB),
        ({}, None),
    ],
    ids=["cgroup 2", "no limit", "cgroup 1", "no container"],
)  # fmt: skip
def test_a_container_leaves_less(
    files: dict[str, str], expected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, contents in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(contents)
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    assert memory._container() == expected


def test_what_is_too_large_is_refused_with_both_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: 3 * GIB)
    memory.require(3 * GIB, "it", "choose another")
    with pytest.raises(ConfigurationError, match=r"^it needs 23 GiB of memory, and 3\.0 GiB are available; choose an"):
        memory.require(23 * GIB, "it", "choose another")
    monkeypatch.setattr(memory, "available", lambda: None)  # a system that does not say
    memory.require(23 * GIB, "it", "choose another")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_limit_of_the_process_counts() -> None:
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))\n"
        "from convlens import memory; print(memory.available() < 1 << 31)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
