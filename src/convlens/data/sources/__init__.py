"""Where data come from: one file a source, and the tables of them all.

To add a data set with a name, write a file like `mnist.py` that ends in a `Source` and enter it in `SOURCES`.
To add a kind of file or folder, write a file like `npz_file.py` that ends in a `Format` and enter it in `FORMATS`.
"""

from __future__ import annotations

from . import csv_file, fashion_mnist, idx_folder, image_folder, mnist, npz_file
from .source import Asked, Format, Listing, Source, VerifiedFile

SOURCES: dict[str, Source] = {source.name: source for source in (mnist.SOURCE, fashion_mnist.SOURCE)}
# the first that recognises a file or folder reads it
FORMATS: tuple[Format, ...] = (idx_folder.FORMAT, csv_file.FORMAT, npz_file.FORMAT, image_folder.FORMAT)

__all__ = ["FORMATS", "SOURCES", "Asked", "Format", "Listing", "Source", "VerifiedFile"]
