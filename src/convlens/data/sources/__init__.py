"""Where data come from: one module per source, and two tables of them. CONTRIBUTING.md says how to add one."""

from __future__ import annotations

from . import csv_file, fashion_mnist, idx_folder, image_folder, mnist, npz_file
from .source import Format, Like, Listing, Request, Source, VerifiedFile

# named data sets
_NAMED: tuple[Source, ...] = (
    mnist.SOURCE,
    fashion_mnist.SOURCE,
)
SOURCES: dict[str, Source] = {source.name: source for source in _NAMED}

# formats of files and folders; the first that recognises a path reads it
FORMATS: tuple[Format, ...] = (
    idx_folder.FORMAT,
    image_folder.FORMAT,
    csv_file.FORMAT,
    npz_file.FORMAT,
)

__all__ = ["FORMATS", "SOURCES", "Format", "Like", "Listing", "Request", "Source", "VerifiedFile"]
