"""Whether the pages in a folder already show what they would be written to show: drawing takes most of the time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

from ..figures import Picture
from ..plain import canonical

RESULTS = "results.json"
KEY = "page"
_TIMES = ("seconds", "started")  # of the call: they differ where nothing else does
_PACKAGE = Path(__file__).parents[1]
_SOURCES = ("report", "figures", "wording.py")


def made_from(found: Mapping[str, Any], wanted: Sequence[Picture]) -> str:
    """Return the SHA-256 of all that pages are made from: results, pictures, and the code that draws them."""
    pictures = [[one.name, one.heading, one.caption, one.alt, one.draw is not None] for one in wanted]
    text = canonical([_without_times(found), pictures, _code(), matplotlib.__version__])
    return hashlib.sha256(text.encode()).hexdigest()


def sha256s(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of every file, by its name."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def files_made_from(folder: Path, key: str) -> list[Path] | None:
    """Return the files in a folder that were made from this; None if they were not, or one is missing or changed."""
    try:
        page = json.loads((folder / RESULTS).read_bytes())[KEY]
        same = page["made_from"] == key
        files = {folder / name: kept for name, kept in page["files"].items()}
        if same and all(hashlib.sha256(path.read_bytes()).hexdigest() == kept for path, kept in files.items()):
            return [*files, folder / RESULTS]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # no page yet, or one of an older version
    return None


def _without_times(found: Any) -> Any:
    """Return the results without the times of the call, at the top and in each study."""
    if not isinstance(found, Mapping):
        return found
    kept = {name: value for name, value in found.items() if name not in _TIMES}
    if "studies" in kept:
        kept["studies"] = {name: _without_times(study) for name, study in kept["studies"].items()}
    return kept


def _code() -> str:
    """Return the SHA-256 of the code that makes pages, templates included."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        place = _PACKAGE / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()
