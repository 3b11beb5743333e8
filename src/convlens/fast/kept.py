"""Compiled code, kept on disk for the next process.

It lies in the user's cache folder (or what ``CONVLENS_CACHE`` names), in a folder named by the hash of the sources, of
the versions of Numba and Python and of the processor: what is new compiles anew and cannot meet old code. Numba writes
each file whole, under a name of its own first, and two processes that compile the same function write the same, so any
number of them may compile at once. Numba believes what it reads; here a file of code begins with the SHA-256 of the
rest, and what is damaged is compiled again. Where nothing can be written, compiled code serves for this process alone,
and that is said.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from llvmlite import binding
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, UserProvidedCacheLocator

from ..files import cache_folder

_DIGEST = hashlib.sha256().digest_size


def kept_on_disk(function: Callable[..., Any]) -> Any:
    """Return the place on disk of a function's compiled code, or None where there is none that can be written."""
    folder = cache_of_compiled()
    if folder is None:
        return None
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        return _Cache(function)
    except RuntimeError:  # Numba's word for a folder that cannot be written
        _say_once(f"Compiled code cannot be kept: {folder} has a folder that cannot be written.")
        return None
    finally:
        numba.config.CACHE_DIR = before


@cache
def cache_of_compiled() -> Path | None:
    """Return the folder for compiled code, made and tried out; None where nothing can be written."""
    folder = cache_folder()
    if folder is None:
        return None
    folder = folder / "compiled" / _version()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def processor_features() -> str:
    """Return what the processor can do, as LLVM writes it; or what ``NUMBA_CPU_FEATURES`` says."""
    said: str | None = numba.config.CPU_FEATURES
    return binding.get_host_cpu_features().flatten() if said is None else said


def _version() -> str:
    """Return a hash of all that compiled code depends on."""
    processor = f"{numba.config.CPU_NAME or binding.get_host_cpu_name()} {processor_features()}"
    told = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {processor}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        told.update(source.read_bytes())
    return told.hexdigest()[:16]


@cache
def _say_once(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


class _Place(CompileResultCacheImpl):
    """Only the folder that was chosen: Numba would go on to the folder of the sources."""

    _locator_classes = [UserProvidedCacheLocator]  # noqa: RUF012 - as its base has it


class _File(IndexDataCacheFile):
    """Numba's two files of a function, an index and the code, that tell damage from sound code."""

    def load(self, key: Any) -> Any:
        try:
            return super().load(key)
        except Exception:  # noqa: BLE001 - a damaged file can raise anything
            self._warn()
            return None

    def _load_index(self) -> Any:
        try:
            return super()._load_index()
        except Exception:  # noqa: BLE001
            self._warn()
            return {}

    def _warn(self) -> None:
        _say_once(f"Compiled code in {Path(self._cache_path).parent} is damaged: compiling it again.")

    def _load_data(self, name: str) -> Any:
        path = Path(self._data_path(name))
        content = path.read_bytes()  # an OSError is no damage: the index is written before the code
        digest, code = content[:_DIGEST], content[_DIGEST:]
        if hashlib.sha256(code).digest() != digest:
            raise ValueError(f"wrong checksum of {path.name}")
        return pickle.loads(code)  # noqa: S301 - the user's own cache, as Numba reads it

    def _save_data(self, name: str, data: Any) -> None:
        code = self._dump(data)
        with self._open_for_write(self._data_path(name)) as stream:
            stream.write(hashlib.sha256(code).digest() + code)


class _Cache(FunctionCache):
    """Numba's cache of a function, on such files."""

    _impl_class = _Place

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = _File(self._cache_path, self._impl.filename_base, stamp)

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled; where that fails, as on a full disk, it still serves this process."""
        try:
            super().save_overload(signature, compiled)
        except OSError as error:
            _say_once(f"Compiled code cannot be kept in {Path(self._cache_path).parent}: {error.strerror or error}.")
