"""Unpacking an archive that anybody may have made.

`tarfile.extractall` follows what an archive says, and its filters have had holes (CVE-2025-4517). Here each header
is read alone, and only what `package` writes is taken: regular files of known names, each once, with the checksums of
the manifest. Links, devices, absolute paths, ``..``, and headers that extend others are refused, and so is an archive
that becomes far larger than it is, or holds anything after its end; memory and disk are bounded by `Limits`, whatever
an archive claims.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ...errors import ArtifactError, OutputError
from ...files import checked_path
from ...plain import JSON
from .package import MANIFEST, NAMES

_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20  # bytes read at a time
_MANIFEST_BYTES = 1 << 20
_ADVICE = "make it with: convlens sagemaker package"


@dataclasses.dataclass(frozen=True)
class Limits:
    """How large an archive may become.

    Attributes
    ----------
    size
        Bytes of all that it holds.
    ratio
        How many times larger than the archive that may be, beyond `slack`.
    slack
        Bytes that any archive may hold: weights that are all equal are compressed a thousandfold.
    """

    size: int = 2 << 30
    ratio: int = 100
    slack: int = 16 << 20

    def of(self, compressed: int) -> int:
        """Return how many bytes an archive of this length may hold."""
        return min(self.size, max(self.slack, self.ratio * compressed))


def unpack(archive: str | os.PathLike[str], folder: str | os.PathLike[str], limits: Limits | None = None) -> list[Path]:
    """Unpack a model's archive into a new folder, and check it.

    Parameters
    ----------
    archive
        A ``model.tar.gz`` that `package` wrote, or that claims to be one.
    folder
        Where to: it must be empty, or not exist. After an error it is as it was.
    limits
        How large the archive may become; by default 2 GiB, and 100 times its length.

    Returns
    -------
    list[Path]
        The files, in their order in the archive.

    Raises
    ------
    ArtifactError
        If the archive is missing, damaged, too large, or holds anything but the files of a package with the checksums
        of its manifest.
    OutputError
        If the folder is not empty, or cannot be written.
    """
    archive, folder = checked_path(archive, "an archive"), checked_path(folder, "a folder")
    made = _made(folder)
    try:
        _unpack(archive, folder, limits or Limits())
        files = check_unpacked(folder, archive)
    except BaseException as error:
        for left in (folder,) if made else folder.iterdir():  # it was empty before
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if isinstance(error, EOFError | gzip.BadGzipFile | zlib.error):
            raise ArtifactError(f"{archive} is damaged ({error}); {_ADVICE}") from error
        if isinstance(error, OSError):
            raise OutputError(f"cannot unpack {archive} into {folder}: {error.strerror or error}") from error
        raise
    return files


def check_unpacked(folder: Path, source: Path | None = None) -> list[Path]:
    """Check that a folder holds the files of a package, as its manifest says; return them.

    Parameters
    ----------
    folder
        The folder.
    source
        What a message names instead, such as the archive that the files are of.

    Raises
    ------
    ArtifactError
        If a file is missing, or has not the checksum in the manifest.
    """
    source, files = source or folder, {name: folder / name for name in NAMES}
    lacking = [name for name, path in files.items() if not path.is_file()]
    if lacking:
        raise ArtifactError(f"{source} lacks {', '.join(lacking)} of a model's archive; {_ADVICE}")
    wanted = _sums(files[MANIFEST], source)
    for name, path in files.items():
        if name == MANIFEST:
            continue
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != wanted.get(name):
                raise ArtifactError(f"{name} in {source} is damaged: it has not the checksum in {MANIFEST}; {_ADVICE}")
    return list(files.values())


def _made(folder: Path) -> bool:
    """Make the folder; return whether it did not exist."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir() or any(folder.iterdir()):
            raise OutputError(f"{folder} is not an empty folder; name another one") from None
        return False
    except OSError as error:
        raise OutputError(f"cannot make {folder}: {error.strerror or error}; choose another place") from error
    return True


def _unpack(archive: Path, folder: Path, limits: Limits) -> None:
    """Write the files of an archive into a folder."""
    try:
        stream = archive.open("rb")
    except OSError as error:
        raise ArtifactError(f"cannot read {archive}: {error.strerror or error}; name a model's archive") from error
    names: set[str] = set()
    with stream, gzip.GzipFile(fileobj=stream) as content:
        left = most = limits.of(os.fstat(stream.fileno()).st_size)
        for name, size in _headers(archive, content):
            if name in names:
                raise ArtifactError(f"{archive} holds {name} twice; {_ADVICE}")
            if size > left:
                raise ArtifactError(f"{archive} claims more than {most:,} bytes; {_ADVICE}")
            left -= size
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            _copy(archive, content, path, size)
            names.add(name)
        _check_end(archive, content, stream)


def _headers(archive: Path, content: gzip.GzipFile) -> Iterator[tuple[str, int]]:
    """Yield name and size of each file; in between, exactly its bytes are to be read. Ends at the first empty block."""
    while (block := _exactly(archive, content, _BLOCK)).strip(b"\0"):
        try:
            entry = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise ArtifactError(f"{archive} is damaged ({error}); {_ADVICE}") from error
        regular = entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE)  # isreg() takes sparse files too
        if entry.name not in NAMES or not regular or entry.size < 0:
            what = "a file" if regular else "no regular file"
            raise ArtifactError(f"{archive} holds {entry.name[:100]!r}, {what}; it holds only {', '.join(NAMES)}")
        yield entry.name, entry.size
        _exactly(archive, content, -entry.size % _BLOCK)


def _check_end(archive: Path, content: gzip.GzipFile, stream: BinaryIO) -> None:
    """Check that only zeros follow the empty block, up to a whole record, and that the file ends with them.

    A file of one gzip member ends with the number of bytes that it holds (RFC 1952). Python reads on where another
    member follows, and past zeros.
    """
    rest = content.read(tarfile.RECORDSIZE)
    stream.seek(-4, os.SEEK_END)
    whole = stream.read() == (content.tell() % 2**32).to_bytes(4, "little")
    if rest.strip(b"\0") or not whole:
        raise ArtifactError(f"{archive} holds something after its end; {_ADVICE}")


def _copy(archive: Path, content: gzip.GzipFile, path: Path, size: int) -> None:
    with path.open("xb") as into:
        for start in range(0, size, _PIECE):
            into.write(_exactly(archive, content, min(_PIECE, size - start)))


def _exactly(archive: Path, content: gzip.GzipFile, size: int) -> bytes:
    """Read this many bytes; ArtifactError if there are fewer."""
    found = content.read(size)
    if len(found) != size:
        raise ArtifactError(f"{archive} is damaged: it is cut off; {_ADVICE}")
    return found


def _sums(manifest: Path, source: Path) -> dict[str, JSON]:
    """Return the checksum of each file that a manifest names."""
    try:
        if manifest.stat().st_size > _MANIFEST_BYTES:
            raise ValueError(f"longer than {_MANIFEST_BYTES:,} bytes")
        files = json.loads(manifest.read_bytes())["files"]
        return {name: about["sha256"] for name, about in files.items()}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ArtifactError(f"{MANIFEST} in {source} is damaged, or no manifest ({error}); {_ADVICE}") from error
