"""Unpacking a model's archive where a container expects it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from ...errors import ArtifactError

_LARGEST, _MOST = 1 << 30, 1000  # bytes unpacked; members


def unpack(archive: bytes, folder: Path) -> None:
    """Unpack a ``model.tar.gz``: regular files with plain relative names, and nothing else.

    Raises
    ------
    ArtifactError
        If it is damaged, holds anything else, or is too large.
    """
    room = _LARGEST
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as stream:
            for number, member in enumerate(stream):
                parts = Path(member.name).parts
                room -= member.size
                if not member.isreg() or ".." in parts or Path(member.name).is_absolute():
                    raise ArtifactError(f"the archive holds {member.name!r}, which is not a plain file within it")
                if room < 0 or number >= _MOST:
                    raise ArtifactError("the archive is too large: at most 1 GiB in 1,000 files is unpacked")
                content = stream.extractfile(member)
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"" if content is None else content.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArtifactError(f"the archive is not a readable tar.gz ({error}); package the model again") from error
