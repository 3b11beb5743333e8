"""What is deployed: a model's file, which is packed first, or an archive that was packed before."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from .archive import unpack
from .package import MANIFEST, package
from .plan import Archive


def read_archive(path: Path) -> Archive:
    """Return the archive to deploy.

    Parameters
    ----------
    path
        A model's file, or a ``model.tar.gz`` that `package` made.

    Raises
    ------
    ArtifactError
        If it is neither, or is damaged.
    """
    with tempfile.TemporaryDirectory(prefix="convlens-") as folder:
        place = Path(folder)
        if not path.name.endswith(".tar.gz"):
            packed = package(path, place / "model.tar.gz")
            return Archive(packed.path.read_bytes(), packed.digest)
        unpack(path, place / "unpacked")
        manifest = (place / "unpacked" / MANIFEST).read_bytes()
        return Archive(path.read_bytes(), hashlib.sha256(manifest).hexdigest())
