"""Every file of the page, by its address: what the server sends, and what `export` writes.

The page asks for nothing else, apart from the Train room, so the exported folder is the same page. What differs is one
file, ``api/lab.json``, which says whether a server is behind it, and lists the models and the other assets.
"""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from ..nn import Model, load
from ..version import __version__
from .shipped import FOLDER, read_index
from .stored_studies import study_files

CATALOGUE = "api/lab.json"
HOME = "index.html"
STATIC = Path(__file__).parent / "static"
FIRST_MODULES = ("app.js", "draw/room.js")
"""What the page runs first; all that these import is asked for at once, not only when an import is read."""
File: TypeAlias = "Path | bytes | Callable[[], bytes]"

_IMPORT = re.compile(r'^(?:import|export)\b[^;"]*\bfrom "(\.{1,2}/[^"]+)"', re.M)  # not import(), which loads later

# Not asked of the system: where its registry calls JavaScript plain text, browsers refuse to run it.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".safetensors": "application/octet-stream",
    ".bin": "application/octet-stream",
}


@dataclass(frozen=True)
class Site:
    """The files of the page.

    Parameters
    ----------
    files
        By address, relative to the page's: where the file is, its content, or what makes that when it is asked for.
    """

    files: Mapping[str, File] = field(repr=False)

    def read(self, address: str) -> bytes | None:
        """Return the content at an address; None if there is nothing. The empty address is the page's own."""
        found = self.files.get(address or HOME)
        if isinstance(found, Path):
            return found.read_bytes()
        return found() if callable(found) else found

    def addresses(self) -> Iterator[str]:
        """Yield all addresses in alphabetical order."""
        yield from sorted(self.files)


def media_type(address: str) -> str:
    """Return the media type of the file at an address, by its ending."""
    return MEDIA_TYPES.get(PurePosixPath(address or HOME).suffix, "application/octet-stream")


def site(models: Iterable[Path] = (), *, live: bool) -> Site:
    """Gather the files of the page.

    Parameters
    ----------
    models
        Saved models to show beside those that the package ships; the page opens on them.
    live
        Whether a server is behind the page.

    Raises
    ------
    ArtifactError
        If a file is not a saved model, or is damaged.

    Examples
    --------
    >>> page = site(live=False)
    >>> json.loads(page.read("api/lab.json"))["live"]
    False
    """
    files: dict[str, File] = {**study_files()}
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in MEDIA_TYPES:
            files[path.relative_to(STATIC).as_posix()] = path
    files[HOME] = _with_preloads
    assets = _assets(files)
    given: list[dict[str, Any]] = []
    taken = {one["name"] for one in assets["models"]}
    for path in models:
        name = _name(path, taken)
        taken.add(name)
        address = f"api/models/{name}.safetensors"
        given.append(_described(path, name, address, load(path)))
        files[address] = path
    catalogue = {**assets, "live": live, "version": __version__, "models": [*given, *assets["models"]]}
    files[CATALOGUE] = json.dumps(catalogue, allow_nan=False).encode()
    return Site(files)


def _with_preloads() -> bytes:
    """Return the page with a link to every module of its first view."""
    links = "".join(f'<link rel="modulepreload" href="{one}">\n' for one in imported(FIRST_MODULES))
    page = (STATIC / HOME).read_text(encoding="utf-8")
    return page.replace('<script type="module"', f'{links}<script type="module"', 1).encode()


def imported(modules: Iterable[str]) -> list[str]:
    """Return addresses of modules and of all that they import, directly or not, at once when they are loaded."""
    found: dict[str, None] = {}
    waiting = list(modules)
    while waiting:
        address = waiting.pop(0)
        if address in found:
            continue
        found[address] = None
        text = (STATIC / address).read_text(encoding="utf-8")
        folder = posixpath.dirname(address)
        waiting += [posixpath.normpath(posixpath.join(folder, one)) for one in _IMPORT.findall(text)]
    return list(found)


def _name(path: Path, taken: Collection[str]) -> str:
    """Return a name for a model that no other has, of letters that an address can have."""
    name = first = re.sub(r"[^\w.-]", "-", path.stem, flags=re.ASCII)
    for number in itertools.count(2):
        if name not in taken:
            break
        name = f"{first}-{number}"
    return name


def _described(path: Path, name: str, address: str, model: Model) -> dict[str, Any]:
    """Return what the page is told about a model before it asks for its bytes."""
    return {
        "name": name,
        "title": path.stem,
        "about": f"your model, from {path}",
        "parameters": model.program.parameter_count,
        "address": address,
        "bytes": path.stat().st_size,
    }


def _assets(files: dict[str, File]) -> dict[str, Any]:
    """Add the package's assets to the files, and return what the page is told of them."""
    index = read_index()
    for name in index["files"]:
        files[f"assets/{name}"] = FOLDER / name
    found: dict[str, Any] = _addressed({key: value for key, value in index.items() if key != "files"}, index["files"])
    return found


def _addressed(value: Any, files: Mapping[str, Any]) -> Any:
    """Return a copy in which every object that names a file of the assets has its address and bytes, too."""
    if isinstance(value, list):
        return [_addressed(one, files) for one in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _addressed(one, files) for key, one in value.items()}
    if "file" in copy:
        copy |= {"address": f"assets/{copy['file']}", "bytes": files[copy["file"]]["bytes"]}
    return copy
