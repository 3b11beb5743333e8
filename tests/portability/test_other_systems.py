"""What the benchmark does on Windows and macOS, simulated on other systems."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from convlens.__main__ import main
from convlens.bench import peak_memory
from convlens.bench.environment import interpreter
from tests.faults.forks import environment

ROOT = Path(__file__).parents[2]

# takes away what Windows has not: modules, and names of os and signal
WITHOUT = """
import subprocess, sys
for name in ("resource", "fcntl", "pwd", "grp", "termios", "pty"):
    sys.modules[name] = None
import os, signal
for name in ("fork", "killpg", "getuid", "setsid", "sched_getaffinity", "sysconf"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "pthread_sigmask", "alarm"):
    if hasattr(signal, name):
        delattr(signal, name)
"""


def test_a_virtual_environments_python() -> None:
    assert interpreter(Path("e"), "win32") == Path("e/Scripts/python.exe")
    assert interpreter(Path("e"), "darwin") == interpreter(Path("e"), "linux") == Path("e/bin/python")


def test_peak_memory_where_linux_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    there = peak_memory.peak_memory()
    assert 10 < peak_memory.peak_memory(tmp_path / "none") < 100 * there
    monkeypatch.setattr(resource, "getrusage", lambda _who: SimpleNamespace(ru_maxrss=3 << 20))
    assert peak_memory.peak_memory(tmp_path / "none") == 3 << 10
    monkeypatch.setattr(sys, "platform", "darwin")
    assert peak_memory.peak_memory(tmp_path / "none") == 3


def test_peak_memory_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(_process: Any, counters: Any, size: int) -> int:
        assert size == ctypes.sizeof(counters._obj) == 2 * 4 + 8 * ctypes.sizeof(ctypes.c_size_t)
        counters._obj.peak = 150 << 20
        return 1

    kernel = SimpleNamespace(GetCurrentProcess=lambda: -1, K32GetProcessMemoryInfo=measure)
    monkeypatch.setattr(ctypes, "WinDLL", lambda _name: kernel, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert peak_memory.peak_memory(tmp_path / "none") == 150


@pytest.mark.parametrize("module", ["run", "peer_process", "time_to_accuracy_process", "documents"])
def test_the_benchmark_needs_nothing_that_windows_has_not(module: str) -> None:
    code = f"{WITHOUT}\nimport convlens.bench.{module}"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("before", "after"), [(None, "1"), ("4", "4")])
def test_the_command_limits_accelerate(monkeypatch: pytest.MonkeyPatch, before: str | None, after: str) -> None:
    monkeypatch.setenv("VECLIB_MAXIMUM_THREADS", before or "")
    if before is None:
        monkeypatch.delenv("VECLIB_MAXIMUM_THREADS")
    seen = []
    monkeypatch.setattr("convlens.__main__.interrupt_when_asked", lambda: None)
    monkeypatch.setattr("convlens.cli.main.main", lambda: seen.append(os.environ["VECLIB_MAXIMUM_THREADS"]))
    main()
    assert seen == [after]


def test_installing_needs_no_compiler() -> None:
    """What docs/installing.md says."""
    names = [path.name for path in (ROOT / "src").rglob("*") if path.suffix in (".c", ".cpp", ".pyx", ".rs", ".f90")]
    assert not names
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["build-system"]["requires"] == ["hatchling>=1.27"]
