"""A published data set of four IDX files, each with the SHA-256 of its unpacked content pinned in the code."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...typing import UInt8
from .. import cache, idx
from ..examples import Examples
from ..identity import ContentSums, identity
from .source import VerifiedFile


@dataclasses.dataclass(frozen=True)
class PinnedFile:
    """One file, and the SHA-256 of its unpacked content.

    Attributes
    ----------
    name
        The file's name, in any folder.
    dimensions
        ``idx.IMAGES`` or ``idx.LABELS``.
    items
        Number of images or labels.
    sha256
        Of the unpacked content, so that compression does not matter.
    """

    name: str
    dimensions: int
    items: int
    sha256: str

    def unpack(self, folder: Path, advice: str) -> UInt8:
        """Read the file in full; DataError with this advice unless its SHA-256 is the pinned one."""
        return self.check(folder / self.name, advice)

    def check(self, path: Path, advice: str = "get it again") -> UInt8:
        """Read a file of any name; DataError with this advice unless its SHA-256 is the pinned one."""
        content = idx.read_content(path, self.dimensions)
        found = _sum(content)
        if found != self.sha256:
            raise DataError(
                f"{path}: is not the file that was published (SHA-256 of its content {found}, "
                f"expected {self.sha256}); {advice}"
            )
        return content

    def verified(self, folder: Path, place: str, advice: str) -> VerifiedFile:
        """Compute the SHA-256 and report; nothing is raised."""
        try:
            content = idx.read_content(folder / self.name, self.dimensions)
        except DataError as error:
            return VerifiedFile(self.name, "", self.sha256, ok=False, items=0, place=place, problem=str(error))
        found = _sum(content)
        items = len(idx.parse(content, self.dimensions, self.name))
        problem = "" if found == self.sha256 else f"not the file that was published; {advice}"
        return VerifiedFile(self.name, found, self.sha256, not problem, items, place, problem)


@dataclasses.dataclass(frozen=True)
class PinnedSet:
    """Four pinned files: training and test, images and labels.

    Attributes
    ----------
    prefix
        Prefix of the names of their unpacked copies in the cache, which all data sets share.
    train_images, train_labels, test_images, test_labels
        The files.
    """

    prefix: str
    train_images: PinnedFile
    train_labels: PinnedFile
    test_images: PinnedFile
    test_labels: PinnedFile

    @property
    def files(self) -> tuple[PinnedFile, ...]:
        """All four."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels

    def identity(self, class_names: Sequence[str]) -> str:
        """Return `Dataset.sha256` of the whole set, which follows from the pinned sums: no file is read."""
        train = ContentSums(self.train_images.sha256, self.train_labels.sha256)
        test = ContentSums(self.test_images.sha256, self.test_labels.sha256)
        return identity(train, test, class_names)

    def lies_in(self, folder: Path) -> bool:
        """Whether all four files are there; none is read."""
        return all((folder / file.name).is_file() for file in self.files)

    def examples(self, folder: Path, advice: str) -> tuple[Examples, Examples]:
        """Read training and test examples from a folder.

        Raises
        ------
        DataError
            If a file is missing or not the published one; `advice` says what to do.
        """
        return (
            self._examples("train", folder, self.train_images, self.train_labels, advice),
            self._examples("test", folder, self.test_images, self.test_labels, advice),
        )

    def _examples(self, name: str, folder: Path, images: PinnedFile, labels: PinnedFile, advice: str) -> Examples:
        # Only images are cached: unpacking labels takes less time than opening a file.
        content = cache.unpacked(self._copy(images), images.sha256, lambda: images.unpack(folder, advice))
        pixels = idx.parse(content, idx.IMAGES, images.name)[..., np.newaxis]
        numbers = idx.parse(labels.unpack(folder, advice), idx.LABELS, labels.name)
        return Examples(name, pixels, numbers, ContentSums(images.sha256, labels.sha256))

    def verified(self, folder: Path, place: str, advice: str) -> list[VerifiedFile]:
        """Compute the SHA-256 of the four files, and of their unpacked copies in the cache."""
        copies = [self._verified_copy(file) for file in self.files]
        return [file.verified(folder, place, advice) for file in self.files] + [copy for copy in copies if copy]

    def _verified_copy(self, file: PinnedFile) -> VerifiedFile | None:
        found = cache.check_copy(self._copy(file), file.sha256)
        if found is None:
            return None
        good = found == file.sha256
        problem = (
            "" if good else "the unpacked copy was damaged and has been deleted; it is made again when next needed"
        )
        return VerifiedFile(self._copy(file), found, file.sha256, good, file.items if good else 0, "cache", problem)

    def _copy(self, file: PinnedFile) -> str:
        """Return the name of a file's unpacked copy in the cache."""
        return self.prefix + file.name.removesuffix(".gz")


def _sum(content: UInt8) -> str:
    return hashlib.sha256(content.data).hexdigest()
