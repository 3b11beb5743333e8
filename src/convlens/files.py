"""Atomic writing: a reader sees the old file or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from .errors import ConfigurationError, OutputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


_ABANDONED = 3600.0  # seconds without a change after which, where there are no locks, a temporary file is a leftover


def checked_path(path: object, what: str) -> Path:
    """Return a path as a `Path`.

    Parameters
    ----------
    path
        A string or a path object.
    what
        What it names, for the message: ``"a model's file"``.

    Raises
    ------
    ConfigurationError
        If it is of another type, empty, or holds a null character, which no system allows.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        given = repr(path) if isinstance(path, str | bytes | None) else f"a value of type {type(path).__name__}"
        raise ConfigurationError(f"{what} is named by a string or a pathlib.Path, not {given}")
    return Path(text)


def write_atomically(path: Path, contents: bytes | memoryview) -> None:
    """Write a file whole; see `replacing`.

    Raises
    ------
    OutputError
        If the folder does not exist or cannot be written, or the disk is full. A file already at `path` is untouched.
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
    """Yield a temporary file beside `path`, and its path; after the block it is synced to disk and renamed to `path`.

    If the block fails, the temporary file is removed and a file already at `path` is untouched. A process killed
    within the block leaves its temporary file; the next one that writes here removes it (without ``fcntl``, as on
    Windows, once it is an hour old). Raises OSError.
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
    if "\0" in str(path):
        raise OutputError(f"cannot write {str(path)!r}: no name of a file holds a null character; choose another name")
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    try:
        with tempfile.TemporaryFile(dir=path.parent):  # without a name where the system can: a kill leaves nothing
            pass
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; choose another place") from error


def require_distinct(outputs: Iterable[Path], inputs: Iterable[Path] = ()) -> None:
    """Raise OutputError now if one output would overwrite another, or a file that is read.

    Two names of one file count as the same: ``./x`` and ``x``, links, and names that differ in case alone where the
    file system ignores it.
    """
    known: list[Path] = []
    for path in outputs:
        if any(same_file(path, other) for other in known):
            raise OutputError(f"two outputs would be written to one file, {path}; give each a name of its own")
        known.append(path)
    for path in inputs:
        for output in known:
            if same_file(path, output):
                raise OutputError(f"cannot write {output}: it is read too, and would be lost; choose another name")


def same_file(one: Path, other: Path) -> bool:
    """Return whether two paths name the same file, which need not exist yet."""
    with suppress(OSError, RuntimeError):  # neither exists, or one is a loop of links
        if one.samefile(other):
            return True
    one, other = _resolved(one), _resolved(other)
    if one == other:
        return True
    return one.parent == other.parent and _folded(one.name) == _folded(other.name) and _ignores_case(one.parent)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links, which writing will report
        return path.absolute()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _ignores_case(folder: Path) -> bool:
    """Return whether ``x`` and ``X`` are one file in a folder; only a probe can tell."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".case") as probe:
            return Path(probe.name).with_name(Path(probe.name).name.swapcase()).exists()
    except OSError:  # not writable, which is reported elsewhere
        return False


def make_folder(path: Path) -> None:
    """Make a folder with its parents; OutputError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path}: {error.strerror or error}; choose another place") from error


def _open_temporary(path: Path) -> tuple[int, str]:
    """Return a new file beside `path`, open and locked: a lock ends with its process, so a locked file is in use."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        if fcntl is None:
            return descriptor, name
        with suppress(OSError):  # a system without locks, where nobody removes anything either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, name
        os.close(descriptor)  # another process took it for a leftover before it was locked


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files of `path` whose writers were killed; those still being written stay."""
    names: list[str] = []
    with suppress(OSError):  # no such folder, which making the file will report; or one that cannot be listed
        names = os.listdir(path.parent)  # noqa: PTH208 - names are enough
    for name in names:
        if name.startswith(f".{path.name}.") and name.endswith(".part"):
            with suppress(OSError):  # locked, gone already, or another user's
                _remove_leftover(path.parent / name)


def _remove_leftover(path: Path) -> None:
    """Remove one temporary file if nobody is still writing it."""
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
    """Return the user's cache folder (it may not exist yet), or None where the user has none."""
    if chosen := os.environ.get("CONVLENS_CACHE"):
        return Path(chosen)
    from platformdirs import user_cache_dir  # imported when needed: the import is slow

    folder = Path(user_cache_dir("convlens"))
    # A user without a home would get a folder called "~" right here.
    return folder if folder.is_absolute() else None
