"""Unpacked data, kept once per user and memory-mapped: a second load takes almost no time.

The cache is optional: where it cannot be written, everything stays in memory. A copy that has changed is made again.
The folder is `convlens.files.cache_folder`.

Each copy has a record beside it: its SHA-256, size and time of writing. Size and time are compared at every
opening; if the time differs (a copied or touched file), the SHA-256 is compared too.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import OutputError
from ..files import cache_folder, write_atomically
from ..typing import UInt8
from .identity import file_sum


def unpacked(name: str, sha256: str, make: Callable[[], UInt8]) -> UInt8:
    """Return content by its SHA-256: mapped from the cache, or made and kept there.

    Parameters
    ----------
    name
        The content's name, with which the file's name begins.
    sha256
        Of the content.
    make
        Returns the content as flat bytes, already verified. Called when there is no intact copy.

    Returns
    -------
    UInt8
        Flat and read-only; memory-mapped where a cache could be written.
    """
    path = copy_path(name, sha256)
    if path is None:
        return make()
    kept = _opened(path, sha256)
    if kept is not None:
        return kept
    content = make()
    with contextlib.suppress(OSError, OutputError):  # no space, permission or folder: use the copy in memory
        _keep(path, sha256, content)
        return _mapped(path)
    return content


def check_copy(name: str, sha256: str) -> str | None:
    """Compute the SHA-256 of a kept copy in full; a damaged one is deleted, and made again when next needed.

    Returns
    -------
    str or None
        The sum found, or None if there is no copy.
    """
    path = copy_path(name, sha256)
    try:
        if path is None:
            return None
        found = file_sum(path)
        if found != sha256:
            path.unlink()
    except OSError:
        return None
    return found


def copy_path(name: str, sha256: str) -> Path | None:
    """Return the path of this content's copy, whether or not it exists; None if there is no cache folder."""
    folder = cache_folder()
    return None if folder is None else folder / f"{name}-{sha256[:16]}"


def _record_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _opened(path: Path, sha256: str) -> UInt8 | None:
    """Map a kept copy if it has not changed."""
    try:
        state = path.stat()
        record = json.loads(_record_path(path).read_bytes())
        if record["sha256"] != sha256 or record["size"] != state.st_size:
            return None
        if record["written_ns"] != state.st_mtime_ns:
            if file_sum(path) != sha256:
                return None
            with contextlib.suppress(OSError, OutputError):  # in a read-only cache, hash it every time
                _write_record(path, sha256)
        return _mapped(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, sha256: str, content: UInt8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.data)
    _write_record(path, sha256)


def _write_record(path: Path, sha256: str) -> None:
    state = path.stat()
    record = {"sha256": sha256, "size": state.st_size, "written_ns": state.st_mtime_ns}
    write_atomically(_record_path(path), json.dumps(record).encode())


def _mapped(path: Path) -> UInt8:
    """Map a file read-only, as an ordinary array that keeps the mapping alive."""
    return np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
