"""What a deployment has made, written down before it is made.

An entry is written before the call that makes the thing, and marked after it. So whatever happens in between, the next
run knows what may be there, goes on, and removes exactly what no finished deployment uses. One process at a time works
with a journal.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import ModuleType

from ...errors import ConvlensError, DeploymentError
from ...files import make_folder, write_atomically
from ...plain import check_keys, choose
from .resources import KINDS

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None

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
    @contextmanager
    def held(cls, folder: Path, account: str, region: str, endpoint: str) -> Iterator[Journal]:
        """Yield the journal of an endpoint in a folder of journals, which no other process works with meanwhile.

        Raises
        ------
        DeploymentError
            If another process does; the message says which, and since when.
        """
        path = folder / f"{account}-{region}-{endpoint}.json"
        with _locked(path.with_suffix(".lock"), f"the endpoint {endpoint}"):
            yield cls(path)

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


@contextmanager
def _locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock file, which says who holds it, and is removed afterwards. A lock ends with its process."""
    if fcntl is None:
        yield
        return
    make_folder(path.parent)
    descriptor = _taken(path, what)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is free: who opened it meanwhile sees that it has no name any more
        os.close(descriptor)


def _taken(path: Path, what: str) -> int:
    """Return the descriptor of a lock file that is locked, and has a name."""
    assert fcntl is not None
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise DeploymentError(
                f"cannot write in {path.parent}: {error.strerror or error}; choose another place with --journals"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
            os.close(descriptor)
            raise DeploymentError(
                f"{who} is at work on {what}; wait until it has ended, and repeat the command"
            ) from error
        except OSError:  # a system without locks
            pass
        if os.fstat(descriptor).st_nlink:
            os.ftruncate(descriptor, 0)
            now = f"{datetime.now().astimezone():%H:%M:%S}"
            os.write(descriptor, f"process {os.getpid()} on {platform.node()}, since {now},\n".encode())
            return descriptor
        os.close(descriptor)  # who held it has removed it meanwhile


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
