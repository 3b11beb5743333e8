"""What a deployment has made, written down before it is made.

An entry is written before the call that makes the thing, and marked after it. So whatever happens in between, the next
run knows what may be there, goes on, and removes exactly what no finished deployment uses.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from ...errors import ConvlensError, DeploymentError
from ...files import make_folder, write_atomically
from ...plain import check_keys, choose
from .resources import KINDS

FORMAT = 1
FOLDER = Path("out/sagemaker")


class EntryState(StrEnum):
    """How far an entry is."""

    INTENDED = "intended"  # the call that makes it may have been made
    MADE = "made"
    SETTLED = "settled"  # belongs to a deployment that is complete


@dataclass(frozen=True)
class JournalEntry:
    """A thing: its kind (`resources.KINDS`), its name, and how far it is."""

    kind: str
    name: str
    state: EntryState

    def __post_init__(self) -> None:
        choose(self.kind, KINDS, "kind of thing")
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a name is a text, not {self.name!r}")
        object.__setattr__(self, "state", EntryState(self.state))


class Journal:
    """The journal of one endpoint, in a file.

    Parameters
    ----------
    path
        The file; it need not exist.

    Raises
    ------
    DeploymentError
        If the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: tuple[JournalEntry, ...] = _read(path)

    @classmethod
    def of(cls, folder: Path, account: str, region: str, endpoint: str) -> Journal:
        """Return the journal of an endpoint in a folder of journals."""
        return cls(folder / f"{account}-{region}-{endpoint}.json")

    def has(self, kind: str, name: str) -> bool:
        """Return whether it was made by a deployment of ours, or may have been."""
        return any((one.kind, one.name) == (kind, name) for one in self.entries)

    def mark(self, kind: str, name: str, state: EntryState) -> None:
        """Write down that a thing is so far."""
        others = [one for one in self.entries if (one.kind, one.name) != (kind, name)]
        self._write((*others, JournalEntry(kind, name, state)))

    def forget(self, kind: str, name: str) -> None:
        """Write down that a thing is gone; the file goes with the last one."""
        self._write(tuple(one for one in self.entries if (one.kind, one.name) != (kind, name)))

    def unsettled(self) -> list[JournalEntry]:
        """Return what belongs to no complete deployment, last made first."""
        return [one for one in reversed(self.entries) if one.state is not EntryState.SETTLED]

    def _write(self, entries: tuple[JournalEntry, ...]) -> None:
        if entries:
            make_folder(self.path.parent)
            content = {"format": FORMAT, "entries": [asdict(one) for one in entries]}
            write_atomically(self.path, (json.dumps(content, indent=2) + "\n").encode())
        else:
            self.path.unlink(missing_ok=True)
        self.entries = entries


def _read(path: Path) -> tuple[JournalEntry, ...]:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DeploymentError(f"cannot read the journal {path}: {error.strerror or error}") from error
    try:
        content = json.loads(text)
        check_keys(("format", "entries"), content, "journal")
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}, not {FORMAT}")
        for one in content["entries"]:
            check_keys(JournalEntry, one, "journal: entry")
        return tuple(JournalEntry(**one) for one in content["entries"])
    except (ConvlensError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DeploymentError(
            f"the journal {path} is damaged: {error}; move it away, and look for what it listed with "
            "convlens sagemaker status"
        ) from error
