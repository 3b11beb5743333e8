"""Fetch the libraries that the page uses, from npm, by version and checksum: ``python -m convlens.lab.vendor``.

They are committed (``static/vendor/``, and axe-core for the tests in ``tests/lab/vendor/``), so users need neither npm
nor the internet; whoever updates one changes its row here and runs this. Nothing is built: files are copied as they
are, except that ``preact`` is imported by its address here, because a browser knows no package names.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..files import make_folder, write_atomically

STATIC = Path(__file__).parent / "static" / "vendor"
TESTS = Path(__file__).parents[3] / "tests" / "lab" / "vendor"


@dataclass(frozen=True)
class NpmPackage:
    """One package of npm.

    Parameters
    ----------
    name, version, sha256
        What is fetched, and the checksum of its archive.
    folder
        Where its files go.
    files
        The name here of each file of the archive.
    replaced
        Texts in the files, and what they become.
    """

    name: str
    version: str
    sha256: str
    folder: Path
    files: dict[str, str]
    replaced: tuple[tuple[str, str], ...] = ()


PACKAGES = (
    NpmPackage(
        "preact", "11.2.0", "3c4456766bd32b6b534d52bf4e9c2a29b33e7eedf6e96ed479300ba1a7888ebf", STATIC,
        {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "hooks.js", "LICENSE": "preact-LICENSE.txt"},
        (('from"preact"', 'from"./preact.js"'), ("//# sourceMappingURL=preact.mjs.map", ""),
         ("//# sourceMappingURL=hooks.mjs.map", "")),
    ),
    NpmPackage(
        "htm", "3.1.1", "2425b9bee11409177bcabc7f32e319926fc6690c1701c0b257c88bdff2d5ba90", STATIC,
        {"dist/htm.module.js": "htm.js", "LICENSE": "htm-LICENSE.txt"},
    ),
    NpmPackage(
        "uplot", "1.6.32", "4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d", STATIC,
        {"dist/uPlot.esm.js": "uPlot.js", "dist/uPlot.min.css": "uPlot.css", "LICENSE": "uPlot-LICENSE.txt"},
    ),
    NpmPackage(
        "axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745", TESTS,
        {"axe.min.js": "axe.min.js", "LICENSE": "axe-LICENSE.txt", "LICENSE-3RD-PARTY.txt": "axe-OTHERS.txt"},
    ),
)  # fmt: skip


def main() -> None:
    """Fetch every package and write its files."""
    for package in PACKAGES:
        write_files(package, fetched(package))
        print(f"{package.name} {package.version}: {', '.join(package.files.values())}")  # noqa: T201


def fetched(package: NpmPackage) -> bytes:
    """Return a package's archive, as the registry that npm is set up for sends it.

    Raises
    ------
    DataError
        If it does not have the checksum above.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603
        archive = (Path(folder) / done.stdout.split()[-1]).read_bytes()
    if hashlib.sha256(archive).hexdigest() != package.sha256:
        raise DataError(f"{package.name} {package.version} does not have the checksum that is written in {__file__}")
    return archive


def write_files(package: NpmPackage, archive: bytes) -> None:
    """Write a package's files from its archive."""
    make_folder(package.folder)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for name, here in package.files.items():
            member = files.extractfile(f"package/{name}")
            assert member is not None
            text = member.read().decode()
            for old, new in package.replaced:
                text = text.replace(old, new)
            write_atomically(package.folder / here, text.encode())


if __name__ == "__main__":
    main()
