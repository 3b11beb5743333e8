"""Provenance of a result: versions and hardware."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..engine import available_threads
from ..version import NUMERICS_VERSION, __version__

# Linux names ARM processors by numbers. Source: the kernel's arch/arm64/include/asm/cputype.h.
ARM_MAKERS = {
    "0x41": "ARM", "0x46": "Fujitsu", "0x48": "HiSilicon", "0x4e": "NVIDIA", "0x51": "Qualcomm", "0x61": "Apple",
    "0xc0": "Ampere",
}  # fmt: skip
ARM_PARTS = {
    ("0x41", "0xd03"): "Cortex-A53", ("0x41", "0xd05"): "Cortex-A55", ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72", ("0x41", "0xd0b"): "Cortex-A76", ("0x41", "0xd0c"): "Neoverse N1",
    ("0x41", "0xd40"): "Neoverse V1", ("0x41", "0xd49"): "Neoverse N2", ("0x41", "0xd4f"): "Neoverse V2",
    ("0x41", "0xd83"): "Neoverse V3AE", ("0x41", "0xd84"): "Neoverse V3", ("0x41", "0xd8e"): "Neoverse N3",
}  # fmt: skip


def versions() -> dict[str, Any]:
    """Return the versions on which a result's bits depend."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "convlens": __version__,
        "numerics": NUMERICS_VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
    }


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return the version of convlens and, in a checkout, its commit: ``0.1.0, commit 18f44b7``.

    With changes that are not committed it says so.
    """
    folder = Path(__file__).parents[3]
    if not (folder / ".git").exists():
        return __version__
    with suppress(OSError, subprocess.SubprocessError):
        commit, changed = (
            subprocess.run(["git", "-C", folder, *what], check=True, capture_output=True, text=True, timeout=5).stdout  # noqa: S603, S607
            for what in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain", "--untracked-files=no", "src"])
        )
        return f"{__version__}, commit {commit.strip()}{' with changes' if changed.strip() else ''}"
    return __version__


def hardware() -> dict[str, Any]:
    """Return the hardware that the result was computed on."""
    return {
        "processor": processor_name(),
        "processors": os.cpu_count(),
        "available": available_threads(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name as the system gives it, else "unknown".

    Parameters
    ----------
    cpuinfo
        Linux's file about its processors.
    """
    return _linux_name(cpuinfo) or _macos_name() or _windows_name() or platform.processor() or "unknown"


def _linux_name(cpuinfo: Path) -> str:
    """Return the name in Linux's file: on x86 it is written out; on ARM there are numbers for maker and part."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    fields = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    names = [value for name, value in fields if name == "model name" and value]
    if names:
        return names[0]
    makers = [value for name, value in fields if name == "CPU implementer"]
    parts = [value for name, value in fields if name == "CPU part"]
    cores = dict.fromkeys(_arm_name(*numbers) for numbers in zip(makers, parts, strict=False))
    return " + ".join(cores)  # there may be large and small cores


def _arm_name(maker: str, part: str) -> str:
    return ARM_PARTS.get((maker, part), f"{ARM_MAKERS.get(maker, f'ARM maker {maker}')} part {part}")


def _macos_name() -> str:
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        with suppress(OSError, subprocess.SubprocessError):
            return subprocess.run(command, check=False, capture_output=True, text=True, timeout=5).stdout.strip()  # noqa: S603
    return ""


def _windows_name() -> str:
    if sys.platform == "win32":
        import winreg

        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return ""
