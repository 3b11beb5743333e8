"""The Python that peers run in: a virtual environment of their own, so that torch and JAX stay out of the user's.

It sees the packages of the environment that convlens runs in (a ``.pth`` file adds them behind its own), so NumPy and
Numba are the same versions, and only the peers are installed. What cannot be installed is named with the reason.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import OutputError
from ..files import cache_folder

# by these names: the plain name "torch" is the CPU's build where an index says so
REQUIREMENTS = {"torch": "torch==2.13.0", "jax": "jax", "sklearn": "scikit-learn"}
INSTALL_SECONDS = 1800.0

_BORROW = "convlens-bench.pth"


@dataclass(frozen=True)
class Environment:
    """Where peers run.

    Attributes
    ----------
    python
        Its interpreter.
    missing
        What is not there, by module, and why.
    """

    python: Path
    missing: dict[str, str] = field(default_factory=dict)


def default_folder() -> Path:
    """Return the user's folder for the environment; one for each version of Python."""
    folder = cache_folder()
    if folder is None:
        raise OutputError("there is no cache folder for this user; name a place with --environment FOLDER")
    return folder / f"bench-python{sys.version_info.major}.{sys.version_info.minor}"


def prepare(folder: Path, say: Callable[[str], None]) -> Environment:
    """Make the environment, or take the one that is there, and install what it lacks.

    Where it cannot be made at all, peers run in convlens's own Python: those of convlens, and what is installed there.
    """
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    try:
        if not python.exists():
            say(f"making an environment for the peers in {folder}")
            venv.create(folder, with_pip=True)
        _borrow(folder)
    except (OSError, subprocess.SubprocessError) as error:
        reason = f"no environment could be made in {folder}: {_reason(error)}"
        return Environment(Path(sys.executable), _absent(Path(sys.executable), reason))
    failed = {}
    for module, requirement in REQUIREMENTS.items():
        if not _has(python, module):
            say(f"installing {requirement}")
            if reason := _install(python, requirement):
                failed[module] = reason
    return Environment(python, failed)


def _borrow(folder: Path) -> None:
    """Let the environment see the packages that convlens uses, behind its own."""
    [packages] = list(folder.glob("lib/python3*/site-packages")) or [folder / "Lib" / "site-packages"]
    here = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    line = "import site; " + "; ".join(f"site.addsitedir({path!r})" for path in here) + "\n"
    place = packages / _BORROW
    if here and (not place.exists() or place.read_text(encoding="utf-8") != line):
        place.write_text(line, encoding="utf-8")


def _absent(python: Path, reason: str) -> dict[str, str]:
    return {module: reason for module in REQUIREMENTS if not _has(python, module)}


def _has(python: Path, module: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], check=False, capture_output=True).returncode == 0  # noqa: S603


def _install(python: Path, requirement: str) -> str:
    """Install one package; return why that failed, or nothing."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_SECONDS)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        return f"{requirement} cannot be installed: {_reason(error)}"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines or ["pip gave no reason"]
    return f"{requirement} cannot be installed: {errors[-1].removeprefix('ERROR:').strip()}"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
