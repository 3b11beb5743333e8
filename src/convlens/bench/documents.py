"""Update the tables in README and docs from a result: ``python -m convlens.bench.documents RESULT DOCUMENT...``.

A document marks the place of a table by a pair of comments, ``<!-- bench: readme -->`` (or ``all``) and
``<!-- end of bench -->``; this program writes the text between them, and a test compares it with the committed result.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import write_atomically
from .run import read
from .tables import markdown, readme

VIEWS = {"readme": readme, "all": markdown}
PLACE = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- end of bench -->)", re.S)


def renewed(text: str, result: Mapping[str, Any]) -> str:
    """Return a document with its tables updated from a result."""
    return PLACE.sub(lambda found: f"{found[1]}{VIEWS[found[2]](result)}{found[3]}", text)


def main() -> None:
    """Update the tables of the documents named on the command line."""
    result = read(Path(sys.argv[1]))
    for path in map(Path, sys.argv[2:]):
        write_atomically(path, renewed(path.read_text(encoding="utf-8"), result).encode())


if __name__ == "__main__":
    main()
