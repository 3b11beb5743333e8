"""Start a peer's process, send it requests and wait for answers, each with a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any

from ..errors import ConvlensError

PREPARE_SECONDS, MEASURE_SECONDS = 240.0, 60.0  # time limits: compiling takes long, a round does not
READER_SECONDS = 1.0  # to wait for the end of a killed process's output

# Ctrl-C must reach only this process, which then ends its peers (and, where the system has sessions, their children).
APART: dict[str, Any]
if sys.platform == "win32":
    APART = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    APART = {"start_new_session": True}


class PeerLost(ConvlensError):  # noqa: N818 - an event rather than an error
    """A peer that cannot go on; the message is the reason."""


class Worker:
    """One process that answers lines of JSON (see `convlens.bench.peer_process`).

    Parameters
    ----------
    command
        What to start.
    environment
        Variables added to this process's own.

    Raises
    ------
    PeerLost
        Here and from `receive`: if the process cannot be started, dies, does not answer in time, or reports an error.
    """

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **(environment or {})},
                **APART,
            )
        except OSError as error:
            self._errors.close()
            raise PeerLost(f"cannot be started: {error}") from error
        self._reader = threading.Thread(target=self._read, name="convlens-peer-output", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        """Queue the lines that the process writes, and an empty one at the end.

        Runs in a thread, because not every system can wait for a pipe with a time limit.
        """
        assert self.process.stdout is not None
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            for line in self.process.stdout:
                self._lines.put(line)
        self._lines.put(b"")

    def ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        """Send a request and return the answer, waiting at most `limit` seconds."""
        self.send(request)
        return self.receive(limit)

    def send(self, request: dict[str, Any]) -> None:
        """Send a request."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it has died; `receive` reports the reason
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self, limit: float) -> dict[str, Any]:
        """Return the answer to a request, waiting at most `limit` seconds."""
        line = self._line(limit)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise PeerLost(f"answered {line[:60]!r}, which is not JSON") from None
        if "error" in answer:
            raise PeerLost(answer["error"])
        return answer

    def _line(self, limit: float) -> bytes:
        """Return the next line that the process writes."""
        try:
            line = self._lines.get(timeout=limit)
        except Empty:
            self.close()
            raise PeerLost(f"no answer within {limit:.0f} s") from None
        if not line.endswith(b"\n"):  # nothing, or a part of a line: the process has ended
            self._lines.put(b"")
            raise PeerLost(self._last_words())
        return line

    def _last_words(self) -> str:
        """Return how the process ended, and the last line of its error stream."""
        code = self.process.wait()
        how = f"ended by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"ended with code {code}"
        self._errors.seek(0)
        words = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"{how}: {words[-1].strip()[:300]}" if words else how

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        return self.process.poll() is None

    def close(self) -> None:
        """Kill the process and its children."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        self._reader.join(READER_SECONDS)
        for stream in (self.process.stdin, self.process.stdout):
            # a stream that is being read cannot be closed: a child of the peer still holds it
            if stream is not None and not (stream is self.process.stdout and self._reader.is_alive()):
                with contextlib.suppress(OSError):
                    stream.close()
        self._errors.close()


class PeerPool:
    """The processes of all peers, each started when first needed and kept until dismissed.

    Parameters
    ----------
    command
        What starts a worker; the peer's name is added.
    environment
        Environment variables for the workers.
    """

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._command, self._environment = tuple(command), environment
        self._workers: dict[str, Worker] = {}

    def __enter__(self) -> PeerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._workers):
            self.dismiss(name)

    def worker(self, name: str) -> Worker:
        """Return the process of a peer, starting it if it is not running."""
        if name in self._workers and not self._workers[name].alive:
            self.dismiss(name)
        if name not in self._workers:
            self._workers[name] = self.start(name)
        return self._workers[name]

    def start(self, name: str) -> Worker:
        """Start the process of a peer."""
        return Worker((*self._command, name), self._environment)

    def dismiss(self, name: str) -> None:
        """End the process of a peer."""
        if name in self._workers:
            self._workers.pop(name).close()
