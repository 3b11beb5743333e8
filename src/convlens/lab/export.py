"""Write the page as a folder of static files, which any web server can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OutputError
from ..files import make_folder, write_atomically
from .site import CATALOGUE, site


@dataclass(frozen=True)
class Export:
    """What was written: the folder, the number of files, and their bytes in all."""

    folder: Path
    files: int
    bytes: int


def export(folder: Path, models: Sequence[Path] = ()) -> Export:
    """Write the page with its models to a folder.

    Parameters
    ----------
    folder
        A new or empty folder, or one that holds an earlier export, whose files are replaced.
    models
        Saved models to show beside those that the package ships.

    Raises
    ------
    OutputError
        If the folder holds anything else, or cannot be written.
    ArtifactError
        If a file is not a saved model, or is damaged.
    """
    if folder.is_file():
        raise OutputError(f"{folder} is a file; name a folder for the page")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CATALOGUE).is_file():
        raise OutputError(f"{folder} holds other files, which the page could overwrite; name a new or empty folder")
    page, size, number = site(models, live=False), 0, 0
    for address in page.addresses():
        content = page.read(address)
        if content is None:  # deleted since it was listed
            continue
        place = folder / address
        make_folder(place.parent)
        write_atomically(place, content)
        size, number = size + len(content), number + 1
    return Export(folder, number, size)
