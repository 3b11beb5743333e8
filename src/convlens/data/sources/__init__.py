"""Where data come from: one file a source, and the two tables of them all. CONTRIBUTING.md says how to add one."""

from __future__ import annotations

from . import csv_file, fashion_mnist, idx_folder, image_folder, mnist, npz_file
from .source import Format, Listing, Request, Source, VerifiedFile

# data sets with a name
_NAMED: tuple[Source, ...] = (
    mnist.SOURCE,
    fashion_mnist.SOURCE,
)
SOURCES: dict[str, Source] = {source.name: source for source in _NAMED}

# kinds of files and folders; the first that recognises one reads it
FORMATS: tuple[Format, ...] = (
    idx_folder.FORMAT,
    csv_file.FORMAT,
    npz_file.FORMAT,
    image_folder.FORMAT,
)

__all__ = ["FORMATS", "SOURCES", "Format", "Listing", "Request", "Source", "VerifiedFile"]
