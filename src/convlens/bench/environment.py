"""A virtual environment for the peers, so that torch and JAX stay out of the user's.

It also sees the packages of the environment that convlens runs in (a ``.pth`` file adds them after its own), so NumPy
and Numba have the same versions, and only the peers are installed. A package that cannot be installed is reported with
the reason.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ConfigurationError, OutputError
from ..files import cache_folder

REQUIREMENTS = {
    "torch": "torch==2.13.0",
    "jax": "jax",
    "sklearn": "scikit-learn",
    "onnx": "onnx==1.23.2",
    "onnxruntime": "onnxruntime==1.32.0",
    "openvino": "openvino==2026.4.1",
}
# on disk, with what each of them needs
MIB = {"torch": 860, "jax": 390, "sklearn": 60, "onnx": 40, "onnxruntime": 80, "openvino": 180}
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"  # elsewhere, on Linux, torch brings gigabytes for GPUs
INSTALL_SECONDS = 1800.0

_BORROW = "convlens-bench.pth"


@dataclass(frozen=True)
class Environment:
    """The environment in which peers run.

    Attributes
    ----------
    python
        Its interpreter.
    missing
        Why a module is missing, by module.
    """

    python: Path
    missing: dict[str, str] = field(default_factory=dict)


def default_folder() -> Path:
    """Return the user's folder for the environment; one per version of Python."""
    folder = cache_folder()
    if folder is None:
        raise OutputError("there is no cache folder for this user; name one with --environment FOLDER")
    return folder / f"bench-python{sys.version_info.major}.{sys.version_info.minor}"


def prepare(folder: Path, say: Callable[[str], None]) -> Environment:
    """Create the environment, or use the existing one, and install what it lacks.

    If it cannot be created, peers run in convlens's own Python, as far as their libraries are installed there.
    """
    python = interpreter(folder)
    try:
        if not python.exists():
            say(f"making an environment for the peers in {folder}")
            venv.create(folder, with_pip=True)
        _borrow(folder)
    except (OSError, subprocess.SubprocessError) as error:
        reason = f"no environment could be made in {folder}: {_reason(error)}"
        return Environment(Path(sys.executable), _absent(Path(sys.executable), reason))
    failed = {}
    lacking = [module for module in REQUIREMENTS if not _has(python, module)]
    if lacking:
        size = sum(MIB.get(module, 0) for module in lacking)
        say(
            f"installing {', '.join(REQUIREMENTS[module] for module in lacking)} into {folder}: about "
            f"{size / 1024:.1f} GiB on disk, some minutes; only this once (the same command with "
            "--remove-environment removes it)"
        )
    for module in lacking:
        say(f"installing {REQUIREMENTS[module]}")
        if reason := _install(python, REQUIREMENTS[module]):
            failed[module] = reason
    return Environment(python, failed)


def remove(folder: Path) -> int:
    """Remove an environment that `prepare` made; return its size in bytes.

    Raises
    ------
    ConfigurationError
        If there is none in the folder: nothing else is ever removed.
    OutputError
        If it cannot be removed.
    """
    if not (folder / "pyvenv.cfg").is_file() or not any(folder.rglob(_BORROW)):
        raise ConfigurationError(f"{folder} holds no environment of convlens bench, so nothing is removed")
    size = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"cannot remove {folder}: {_reason(error)}") from error
    return size


def interpreter(folder: Path, platform: str = sys.platform) -> Path:
    """Return the path of a virtual environment's Python."""
    return folder / "Scripts" / "python.exe" if platform == "win32" else folder / "bin" / "python"


def _borrow(folder: Path) -> None:
    """Let the environment see the packages that convlens uses, after its own."""
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
    """Install one package; return the reason if that failed, else an empty string."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
    if requirement.startswith("torch") and sys.platform == "linux":
        command += ["--extra-index-url", CPU_BUILDS]
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
