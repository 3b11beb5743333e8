"""All trainings of a folder: at most as many at once as there are cores, each in a process of its own; others wait."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ...engine.processors import available_processors
from ...errors import ConfigurationError, nearest
from ...files import fcntl, make_folder
from .configuration import requested
from .extension import extended
from .session import ACTIVE, Session, sessions_in

COMMANDS = ("pause", "step", "resume", "stop")
_CLOSING = 8.0  # seconds for processes to save their trainings


def default_folder() -> Path:
    """Return the folder for trainings among the user's data; it may not exist yet.

    Raises
    ------
    ConfigurationError
        If the user has none.
    """
    from platformdirs import user_data_dir  # imported when needed: the import is slow

    folder = Path(user_data_dir("convlens"))
    if not folder.is_absolute():
        raise ConfigurationError("there is no folder for a user's data here; name one: convlens lab --folder FOLDER")
    return folder / "trainings"


class Sessions:
    """The trainings of a folder.

    Parameters
    ----------
    folder
        None: `default_folder`. It is made when the first training is.
    most
        Trainings at a time; None: as many as there are cores.
    """

    def __init__(self, folder: Path | None = None, most: int | None = None) -> None:
        self._folder, self._most = folder, most or available_processors()
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._waiting: deque[tuple[str, bool]] = deque()  # names, and whether to pause before the first step
        self._paused: set[str] = set()
        self._settled: set[str] = set()  # trainings that have ended, and that no process here has had since
        self._lock, self._closed = threading.RLock(), False
        self._held: BinaryIO | None = None

    @property
    def folder(self) -> Path:
        """Where they are."""
        if self._folder is None:
            self._folder = default_folder()
        return self._folder

    def all(self) -> list[Session]:
        """Return every training, oldest first; those whose process is gone without a word have been marked."""
        found = sessions_in(self.folder)
        with self._lock:
            if found and self._holds():
                for session in found:
                    known = session.name in self._workers or session.name in self._settled or self._queued(session.name)
                    if not known and session.settle():
                        self._settled.add(session.name)
        return found

    def get(self, name: str) -> Session:
        """Return a training by name.

        Raises
        ------
        ConfigurationError
            If there is none.
        """
        for session in sessions_in(self.folder):
            if session.name == name:
                return session
        raise ConfigurationError(f"there is no training {name!r} here; it may have been deleted in another tab")

    def create(self, given: Mapping[str, Any]) -> list[Session]:
        """Make trainings, one for each seed, and start them as soon as there is a free core.

        Parameters
        ----------
        given
            What `requested` takes, and whether each is to be ``paused`` before its first step.

        Raises
        ------
        ConfigurationError, DataError
            If it cannot be trained; the message says why.
        """
        self._require_folder()
        paused = given.get("paused", False)
        if not isinstance(paused, bool):
            raise ConfigurationError(f"paused is true or false, not {paused!r}")
        wanted = requested({key: value for key, value in given.items() if key != "paused"})
        wanted[0].check()
        with self._lock:
            made = [Session.create(self.folder, one) for one in wanted]
            for session in made:
                self._wait(session, paused=paused)
        return made

    def command(self, name: str, word: str) -> None:
        """Pause a training, take one step of a paused one, resume one that is not under way, or stop one.

        Raises
        ------
        ConfigurationError
            If there is no such training or command, or it does not go with the training's state.
        """
        if word not in COMMANDS:
            raise ConfigurationError(f"unknown command {word!r}{nearest(word, COMMANDS)}")
        self._require_folder()
        session = self.get(name)
        with self._lock:
            state, has_process = session.state(), name in self._workers
            if word == "stop" and self._queued(name):
                self._waiting = deque(one for one in self._waiting if one[0] != name)
                if not has_process:
                    session.tell("stopped", "You stopped it before it began.")
                    return
            if has_process and word != "resume" and state in ACTIVE and not self._queued(name):
                self._send(session, word, state)
            elif word == "resume" and state not in ("finished", "waiting", "running"):
                self._wait(session)
            else:
                raise ConfigurationError(f"a training that is {state} cannot {_said(word)}")
            self._start_next()

    def extend(self, name: str, epochs: object) -> None:
        """Train one that has ended further, up to a number of epochs in all.

        Raises
        ------
        ConfigurationError
            If there is no such training, it has not ended, or `extended` says why it cannot be.
        """
        self._require_folder()
        session = self.get(name)
        with self._lock:
            state = session.state()
            if state in ACTIVE:
                raise ConfigurationError(f"a training that is {state} cannot be extended; let it end, or stop it")
            session.extend(extended(session, epochs))
            self._wait(session)

    def delete(self, name: str) -> None:
        """End a training and remove its folder."""
        self._require_folder()
        session = self.get(name)
        with self._lock:
            self._waiting = deque(one for one in self._waiting if one[0] != name)
            worker = self._workers.pop(name, None)
            self._paused.discard(name)
        if worker is not None:
            worker.kill()
            worker.wait()
        shutil.rmtree(session.folder, ignore_errors=True)
        with self._lock:
            self._start_next()

    def close(self) -> None:
        """End all processes; each saves its training first, and says that it was interrupted."""
        with self._lock:
            self._closed = True
            workers = list(self._workers.values())
            for name, _ in self._waiting:
                with suppress(ConfigurationError):
                    self.get(name).tell("interrupted", "The lab was closed before it began; resume starts it.")
            self._waiting.clear()
        for worker in workers:
            with suppress(OSError):
                assert worker.stdin is not None
                worker.stdin.close()
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(_CLOSING)
        if self._held is not None:
            self._held.close()

    def _send(self, session: Session, word: str, state: str) -> None:
        if word == "step" and state != "paused":
            raise ConfigurationError(f"a training that is {state} takes no single steps; pause it first")
        if word == "pause":
            self._paused.add(session.name)
        elif word == "stop":
            self._paused.discard(session.name)
        self._write(session.name, word)

    def _write(self, name: str, word: str) -> None:
        pipe = self._workers[name].stdin
        assert pipe is not None
        with suppress(OSError):  # it has just ended, which its watcher will see
            pipe.write(word.encode() + b"\n")

    def _wait(self, session: Session, *, paused: bool = False) -> None:
        session.tell("waiting")
        self._settled.discard(session.name)
        self._waiting.append((session.name, paused))
        self._start_next()

    def _start_next(self) -> None:
        """Start trainings that wait, while there are free cores; one whose last process is just ending has to wait."""
        for entry in list(self._waiting):
            name, paused = entry
            if self._closed or len(self._workers.keys() - self._paused) >= self._most:
                return
            if name in self._workers and name not in self._paused:
                continue
            self._waiting.remove(entry)
            if name in self._workers:
                self._paused.discard(name)
                self._write(name, "resume")
            else:
                self._launch(self.get(name), paused=paused)

    def _queued(self, name: str) -> bool:
        return any(name == other for other, _ in self._waiting)

    def _launch(self, session: Session, *, paused: bool) -> None:
        wanted = 1 + len(self._workers.keys() - self._paused) + len(self._waiting)
        threads = max(1, available_processors() // min(self._most, wanted))  # however many: the bits are the same
        command = [sys.executable, "-m", "convlens.lab.training.worker", str(session.folder), str(threads)]
        with session.errors.open("wb") as errors:
            worker = subprocess.Popen(  # noqa: S603 - this interpreter, and our own module
                [*command, *(["paused"] if paused else [])], stdin=subprocess.PIPE, stdout=errors, stderr=errors,
                start_new_session=True, bufsize=0,
            )  # fmt: skip
        self._workers[session.name] = worker
        if paused:
            self._paused.add(session.name)
        threading.Thread(target=self._watch, args=(session, worker), daemon=True).start()

    def _watch(self, session: Session, worker: subprocess.Popen[bytes]) -> None:
        """Wait for the end of a process; say why it ended, if it did not say so itself; start the next one."""
        code = worker.wait()
        assert worker.stdin is not None
        worker.stdin.close()
        with self._lock:
            if self._workers.get(session.name) is not worker:
                return  # deleted
            del self._workers[session.name]
            self._paused.discard(session.name)
            if session.state() in ACTIVE and not self._queued(session.name):
                session.journal.repair()
                session.tell("failed", _ended(session, code))
            self._start_next()

    def _holds(self) -> bool:
        """Return whether this lab has the folder for itself, and take it if it is free."""
        if self._held is None:
            make_folder(self.folder)
            stream = (self.folder / "lock").open("ab")
            if fcntl is not None:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    stream.close()
                    return False
            self._held = stream
        return True

    def _require_folder(self) -> None:
        with self._lock:
            if not self._holds():
                raise ConfigurationError(
                    f"another lab has the trainings in {self.folder}; use its page, or start this one with another "
                    "folder: convlens lab --folder FOLDER"
                )


def _said(word: str) -> str:
    return {"pause": "be paused", "step": "take a step", "resume": "be resumed", "stop": "be stopped"}[word]


def _ended(session: Session, code: int) -> str:
    """Return, as a sentence, how a process ended that did not say so itself."""
    how = f"was killed (signal {-code}), perhaps because memory was short" if code < 0 else f"ended with code {code}"
    lines = session.errors.read_text(errors="replace").strip().splitlines() if session.errors.exists() else []
    saw = f": {lines[-1][:300]}" if lines and code > 0 else ""
    return f"Its process {how}{saw}. Resume goes on from where it was last saved."
