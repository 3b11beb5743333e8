"""One training in its folder: configuration, journal, checkpoint, model, and what validation said after each epoch."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from ...errors import ArtifactError, ConvlensError
from ...files import fcntl, make_folder, write_atomically
from ...plain import canonical
from .configuration import Configuration
from .journal import Event, Journal

State: TypeAlias = Literal["waiting", "running", "paused", "finished", "stopped", "interrupted", "failed"]
ACTIVE = ("waiting", "running", "paused")
"""States in which a process has the training, or is going to; every other one is an end."""

_CONFIGURATION = "configuration.json"


class Session:
    """A training in its folder, whose name is its own: ``0012-3fa2``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name
        self.journal = Journal(folder / "journal.jsonl")
        self.checkpoint = folder / "training.checkpoint"
        self.model = folder / "model.safetensors"
        self.errors = folder / "errors.txt"  # what the process wrote to standard error

    @property
    def number(self) -> int:
        """Its number, as its name begins."""
        return int(self.name.partition("-")[0])

    @classmethod
    def create(cls, folder: Path, configuration: Configuration) -> Session:
        """Make the folder of a new training within `folder`."""
        number = 1 + max((one.number for one in sessions_in(folder)), default=0)
        session = cls(folder / f"{number:04}-{secrets.token_hex(2)}")
        make_folder(session.folder)
        write_atomically(session.folder / _CONFIGURATION, canonical(configuration.to_dict()).encode())
        session.journal.append(
            {
                "kind": "created",
                "at": _now(),
                "number": number,
                "configuration": configuration.to_dict(),
                "group": configuration.group,
            }
        )
        return session

    def configuration(self) -> Configuration:
        """Return what is trained.

        Raises
        ------
        ArtifactError
            If the file is damaged.
        """
        path = self.folder / _CONFIGURATION
        try:
            return Configuration.from_dict(json.loads(path.read_bytes()))
        except (OSError, ValueError, ConvlensError) as error:
            raise ArtifactError(f"{path} is damaged ({error}); delete this training and start it again") from error

    def extend(self, configuration: Configuration) -> None:
        """Give the training a configuration that goes further.

        The journal comes first: if the process is killed in between, the page offers the same extension again.
        """
        event = {"configuration": configuration.to_dict(), "group": configuration.group}
        self.journal.append({"kind": "extended", "at": _now(), **event})
        write_atomically(self.folder / _CONFIGURATION, canonical(configuration.to_dict()).encode())

    def tell(self, state: State, why: str = "") -> None:
        """Add a state to the journal, with the reason as a sentence."""
        self.journal.append({"kind": "state", "state": state, "why": why, "at": _now()})

    def state(self) -> State:
        """Return the last state."""
        states: list[State] = [event["state"] for event in self.journal.read()[0] if event.get("kind") == "state"]
        return states[-1] if states else "waiting"

    def summary(self) -> dict[str, Any]:
        """Return the training in short, as plain JSON: its last state and the last row of each kind of event."""
        last: dict[str, Event] = {}
        for event in self.journal.read()[0]:
            last[event["kind"]] = event
        begun = {**last.get("created", {}), **last.get("extended", {})}
        return {
            "name": self.name,
            **{key: begun.get(key) for key in ("number", "at", "group", "configuration")},
            **{key: last.get("state", {}).get(key, "") for key in ("state", "why")},
            "epoch": last.get("epoch"),
            "step": last.get("progress", {}).get("step", 0),
            "start": last.get("start"),
            "model": self.model.stat().st_size if self.model.exists() else None,
        }

    def predictions(self, epoch: int) -> Path:
        """Return the file with what validation's images were taken for after an epoch, counted from 1."""
        return self.folder / f"validation-{epoch:04}.npy"

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the training inside the context, as its process does; yields whether nobody else holds it."""
        with (self.folder / "lock").open("a") as stream:
            taken = True
            if fcntl is not None:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    taken = False
            yield taken  # the lock ends with the file, and with the process

    def settle(self) -> bool:
        """If a process had the training and is gone without a word, say so in the journal; return whether it ended."""
        if self.state() not in ACTIVE:
            return True
        with suppress(FileNotFoundError), self.locked() as free:
            if free and self.state() in ACTIVE:
                self.journal.repair()
                self.tell("interrupted", self.interruption())
            return free
        return False

    def interruption(self) -> str:
        """Return, as a sentence, what is left of a training whose process is gone."""
        if not self.checkpoint.exists():
            return "The lab ended before anything was saved; resume starts it again from the first step."
        return "The lab ended in mid-training; resume goes on from where it was saved, to the same result."


def sessions_in(folder: Path) -> list[Session]:
    """Return the trainings in a folder, oldest first; none if there is no such folder."""
    if not folder.is_dir():
        return []
    found = [Session(one) for one in folder.iterdir() if re.fullmatch(r"\d{4,9}-\w+", one.name, re.ASCII)]
    whole = [one for one in found if (one.folder / _CONFIGURATION).is_file()]
    return sorted(whole, key=lambda one: (one.number, one.name))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
