"""Where data come from: one file a source, and this table of them all.

To add a data set with a name, write a file like `mnist.py` that ends in a `Source` and enter it in `SOURCES`.
To add a kind of folder, write a file like `idx_folder.py` that ends in a `FolderFormat` and enter it in
`FOLDER_FORMATS`.
"""

from __future__ import annotations

from . import idx_folder, mnist
from .source import FolderFormat, Listing, Source, VerifiedFile

SOURCES: dict[str, Source] = {source.name: source for source in (mnist.SOURCE,)}
FOLDER_FORMATS: tuple[FolderFormat, ...] = (idx_folder.FORMAT,)  # the first that recognises a folder reads it

__all__ = ["FOLDER_FORMATS", "SOURCES", "FolderFormat", "Listing", "Source", "VerifiedFile"]
