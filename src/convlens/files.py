"""Writing files so that a reader sees the old one or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from .errors import OutputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def write_atomically(path: Path, contents: bytes | memoryview) -> None:
    """Write a file whole: to a temporary one beside it, synced to disk, then renamed over it.

    A process that is killed while it writes leaves its temporary file; the next one that writes here removes it.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written, or the disk is full. What stood at `path` before still
        stands.
    """
    temporary: str | None = None
    try:
        _remove_leftovers(path)
        descriptor, temporary = _open_temporary(path)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(contents)
            stream.flush()
            os.fsync(stream.fileno())
            Path(temporary).chmod(0o666 & ~_umask())
            if fcntl is not None:  # the lock is held until the file has its name
                Path(temporary).replace(path)
        if fcntl is None:
            Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; choose another place, or make room"
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


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
    """Remove temporary files of `path` whose writers were killed; those of living writers are locked, and stay."""
    if fcntl is None:
        return
    names: list[str] = []
    with suppress(OSError):  # no such folder, which making the file will say; or one that cannot be listed
        names = os.listdir(path.parent)  # noqa: PTH208 - names are all it takes
    for name in names:
        if name.startswith(f".{path.name}.") and name.endswith(".part"):
            with suppress(OSError):  # locked, gone already, or another user's
                descriptor = os.open(path.parent / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    (path.parent / name).unlink()
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
