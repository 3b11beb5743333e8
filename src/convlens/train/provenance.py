"""Provenance of a result: versions and hardware."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from ..engine import available_threads
from ..version import NUMERICS_VERSION, __version__


def versions() -> dict[str, Any]:
    """Return the versions that decide a result's bits."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "convlens": __version__,
        "numerics": NUMERICS_VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
    }


def hardware() -> dict[str, Any]:
    """Return the hardware that the result was computed on."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "available": available_threads(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """Return the processor's name; Linux has it in a file, other systems in the platform module."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
