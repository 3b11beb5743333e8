"""A peer's process from outside. It is never waited for longer than it lives, nor longer than its time limit."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import ConvlensError

PREPARE_SECONDS, MEASURE_SECONDS = 240.0, 60.0  # limits: compiling takes long, a round does not


class PeerLost(ConvlensError):  # noqa: N818 - an event, and named as one
    """A peer that cannot go on; the message is the reason."""


class Worker:
    """One process that answers lines of JSON (see `convlens.bench.peer_process`).

    Parameters
    ----------
    command
        What to start.
    environment
        Variables that it gets besides this process's own.

    Raises
    ------
    PeerLost
        Here and from `receive`: if the process cannot be started, dies, falls silent, or says that it cannot.
    """

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._pending = b""
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C is for us; what the peer starts can be ended with it
            )
        except OSError as error:
            self._errors.close()
            raise PeerLost(f"cannot be started: {error}") from error

    def ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        """Send a request and return the answer, which may take so many seconds."""
        self.send(request)
        return self.receive(limit)

    def send(self, request: dict[str, Any]) -> None:
        """Send a request."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died, which reading finds out, with the reason
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def receive(self, limit: float) -> dict[str, Any]:
        """Wait for the answer to what was sent."""
        line = self._line(time.monotonic() + limit, f"no answer within {limit:.0f} s")
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise PeerLost(f"answered {line[:60]!r}, which is no JSON") from None
        if "error" in answer:
            raise PeerLost(answer["error"])
        return answer

    def _line(self, deadline: float, too_late: str) -> bytes:
        """Return the next line that the process writes."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self.close()
                    raise PeerLost(too_late)
                chunk = os.read(self.process.stdout.fileno(), 1 << 16)
                if not chunk:
                    raise PeerLost(self._last_words())
                self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _last_words(self) -> str:
        """Say how the process ended, and the last line of what it wrote about that."""
        code = self.process.wait()
        how = f"ended by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"ended with code {code}"
        self._errors.seek(0)
        words = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"{how}: {words[-1].strip()[:300]}" if words else how

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the process and whatever it has started."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._errors.close()


class Pool:
    """The processes of all peers: each started when first needed, and kept until it is dismissed.

    Parameters
    ----------
    command
        What starts a worker; the peer's name is added.
    environment
        Variables that workers get.
    """

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._command, self._environment = tuple(command), environment
        self._workers: dict[str, Worker] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._workers):
            self.dismiss(name)

    def worker(self, name: str) -> Worker:
        """Return the process of a peer, started anew if there is none that lives."""
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
