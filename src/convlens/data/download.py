"""Download one file: verified before it is kept, and written atomically."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from ..errors import DataError, OutputError
from ..files import make_folder, replacing

_TIMEOUT = 30.0  # seconds without a byte
_CHUNK = 2**18


def download(
    urls: Sequence[str], target: Path, *, check: Callable[[Path], object], largest: int, otherwise: str
) -> None:
    """Download a file from the first mirror that has it.

    Parameters
    ----------
    urls
        Mirrors, tried in order.
    target
        Where to keep it; its folder is created. An existing file is replaced only by a verified one.
    check
        Called with the path of the downloaded file before it is kept; raises DataError if it is not the right one.
    largest
        Maximum size in bytes; a mirror that sends more is abandoned.
    otherwise
        Advice for the message when no mirror has the file.

    Raises
    ------
    DataError
        If no mirror can be reached, or none has the right file.
    OutputError
        If the file cannot be written.
    """
    make_folder(target.parent)
    problems = []
    for url in urls:
        try:
            with replacing(target) as (file, path):
                _receive(url, file, largest)
                _check(path, url, check)
        except DataError as error:
            problems.append(str(error))
        except OSError as error:
            raise OutputError(
                f"cannot write {target}: {error.strerror or error}; move away what is there, make room, or name "
                "another folder in CONVLENS_CACHE"
            ) from error
        else:
            return
    raise DataError(f"{target.name} cannot be downloaded: {'; '.join(problems)}. Without a download: {otherwise}")


def _check(path: Path, url: str, check: Callable[[Path], object]) -> None:
    """Check the downloaded file; a message names its URL instead of its temporary path."""
    try:
        check(path)
    except DataError as error:
        raise DataError(str(error).replace(str(path), url)) from error


def _receive(url: str, file: BinaryIO, largest: int) -> None:
    """Write the content of a URL to a file; DataError if it cannot be read or is too large."""
    from http.client import HTTPException
    from urllib.request import urlopen

    left = largest
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - the URLs are ours
            while piece := answer.read(min(_CHUNK, left + 1)):
                left -= len(piece)
                if left < 0:
                    raise DataError(f"{url} sends more than {largest:,} bytes")
                _write(file, piece)
    except (OSError, HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url} cannot be read ({reason})") from error
    _write(file, b"")


def _write(file: BinaryIO, piece: bytes) -> None:
    """Write a piece, or flush if it is empty; raises OutputError, because OSError means the network here."""
    try:
        file.write(piece)
        if not piece:
            file.flush()
    except OSError as error:
        raise OutputError(
            f"cannot write the download: {error.strerror or error}; make room, or name another folder in CONVLENS_CACHE"
        ) from error
