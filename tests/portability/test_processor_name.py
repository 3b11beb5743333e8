"""The processor's name, as Linux gives it on common machines, and as other systems do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from convlens.train import provenance

X86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\n\nprocessor\t: 1\n"
GRAVITON = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd40\n"
LARGE_AND_SMALL = "CPU implementer : 0x41\nCPU part : 0xd03\nCPU implementer : 0x41\nCPU part : 0xd08\n"
STRANGE = "CPU implementer\t: 0x61\nCPU part\t: 0x022\nCPU implementer\t: 0x99\nCPU part\t: 0x1\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (X86, "Intel(R) Xeon(R) CPU @ 2.20GHz"),
        (2 * GRAVITON, "Neoverse V1"),
        (LARGE_AND_SMALL, "Cortex-A53 + Cortex-A72"),
        (STRANGE, "Apple part 0x022 + ARM maker 0x99 part 0x1"),
    ],
)
def test_linux(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert provenance.processor_name(tmp_path / "cpuinfo") == name


def test_macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sysctl(command: list[str], **_: object) -> object:
        assert command == ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return SimpleNamespace(stdout="Apple M2\n")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", sysctl)
    assert provenance.processor_name(tmp_path / "none") == "Apple M2"


def test_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Key:
        def __enter__(self) -> Key:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=0, OpenKey=lambda _root, _path: Key(), QueryValueEx=lambda _key, _name: (" Intel i7 ", 1)
    )
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert provenance.processor_name(tmp_path / "none") == "Intel i7"


def test_a_system_that_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance.platform, "processor", lambda: "")
    assert provenance.processor_name(tmp_path / "none") == "unknown"
