"""Writing files so that a reader sees the old one or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from .errors import OutputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


_ABANDONED = 3600.0  # seconds without a change; where no lock says who still writes, older ones are left over


def write_atomically(path: Path, contents: bytes | memoryview) -> None:
    """Write a file whole; see `replacing`.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written, or the disk is full. What stood at `path` before still
        stands.
    """
    try:
        with replacing(path) as (stream, _):
            stream.write(contents)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; choose another place, or make room"
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a temporary file beside `path`, with its own path; after the block it is synced to disk and takes its name.

    If the block fails, the file is removed and what stood at `path` still stands. A process that is killed within it
    leaves its temporary file; the next one that writes here removes it (where the system has no ``fcntl``, as Windows:
    once it is an hour old). Raises OSError.
    """
    _remove_leftovers(path)
    descriptor, name = _open_temporary(path)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream, temporary
            stream.flush()
            os.fsync(stream.fileno())
            temporary.chmod(0o666 & ~_umask())
            if fcntl is not None:  # the lock is held until the file has its name
                temporary.replace(path)
        if fcntl is None:  # Windows renames no open file
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def require_writable(path: Path) -> None:
    """Raise OutputError now, before hours of work, if a file could not be written at `path`."""
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    try:
        with tempfile.TemporaryFile(dir=path.parent):  # without a name where the system can: a kill leaves nothing
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; choose another place") from error


def make_folder(path: Path) -> None:
    """Make a folder with its parents; OutputError if that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path}: {error.strerror or error}; choose another place") from error


def _open_temporary(path: Path) -> tuple[int, str]:
    """Return a new file beside `path`, open and locked: a lock ends with its process, so it tells who still writes."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        if fcntl is None:
            return descriptor, name
        with suppress(OSError):  # a system without locks, where nobody removes anything either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, name
        os.close(descriptor)  # another process took it for a left-over before it was locked


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files of `path` whose writers were killed; those of living writers stay."""
    names: list[str] = []
    with suppress(OSError):  # no such folder, which making the file will say; or one that cannot be listed
        names = os.listdir(path.parent)  # noqa: PTH208 - names are all it takes
    for name in names:
        if name.startswith(f".{path.name}.") and name.endswith(".part"):
            with suppress(OSError):  # locked, gone already, or another user's
                _remove_leftover(path.parent / name)


def _remove_leftover(path: Path) -> None:
    """Remove one temporary file, if nobody writes it any more."""
    if fcntl is None:
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink()
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)


def _umask() -> int:
    """Return the process's umask; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; not every system can open a folder."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def cache_folder() -> Path | None:
    """Return the user's folder for what can be made again (it may not exist yet), or None where there is no place."""
    if chosen := os.environ.get("CONVLENS_CACHE"):
        return Path(chosen)
    from platformdirs import user_cache_dir  # imported when needed: it is slow beside what it does

    folder = Path(user_cache_dir("convlens"))
    # A user without a home would get a folder called "~" right here.
    return folder if folder.is_absolute() else None
