"""The process that serves: it listens on one socket, and ends in order when it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import TextIO

import uvicorn

from ..errors import ConvlensError
from ..signals import StopRequest
from ..sockets import http_address, listening_socket, port_of
from .app import App
from .connection import Connection
from .log import ToLog
from .settings import Settings

_TURNS = 3  # of the event loop, in which asyncio makes connections of the sockets that it has accepted
_OBJECTS = 100_000  # made since the last look for cycles, before the next; Python's own number is some hundreds


def run(
    models: Sequence[str | PathLike[str]],
    settings: Settings | None = None,
    *,
    started: Callable[[str], None] = lambda _: None,
    stream: TextIO | None = None,
) -> None:
    """Serve models until the process is asked to stop, then finish every request that was accepted.

    SIGTERM and Ctrl-C ask for that; a second one stops at once.

    Parameters
    ----------
    models
        Their files; the first is the default.
    settings
        Addresses, limits and times.
    started
        Called with the address, such as ``http://127.0.0.1:8080``, once it listens. It is ready a little later.
    stream
        Where the log goes: by default, standard error.

    Raises
    ------
    ArtifactError
        If a file is missing, damaged or not a model.
    ConfigurationError
        If there is no model, two have one name, or the port cannot be used.
    ConvlensError
        If an engine fails as it is warmed up.
    """
    settings = settings or Settings()
    app = App.of(models, settings, sys.stderr if stream is None else stream)
    with listening_socket(settings.host, settings.port) as listener:
        address = http_address(settings.host, port_of(listener))

        def listening() -> None:
            app.log.event("listening", address=address, models=list(app.models))
            started(address)

        with _warnings_to(app), _rare_collections():
            DrainingServer(app, listening).run(sockets=[listener])
    if app.inference.failure is not None:
        raise ConvlensError(f"a model cannot be served: {app.inference.failure}") from app.inference.failure


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which stops in two steps: first it is not ready any more, and a little later it is deaf.

    In between, it still answers, and every reply ends its connection: so no client is cut off.

    Parameters
    ----------
    app
        What it serves.
    listening
        Called once it listens.
    """

    def __init__(self, app: App, listening: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            interface="asgi3",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=math.ceil(app.settings.patience),
            timeout_graceful_shutdown=math.ceil(app.settings.drain),
        )
        super().__init__(config)
        self._app, self._listening = app, listening
        self._asked = StopRequest()
        self._deaf_at = math.inf
        self._requests = 0  # answered until the last tick
        app.inference.alone = lambda: len(self.server_state.tasks) == 1  # uvicorn's: a task for each request

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        with self._asked:
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening()

    async def on_tick(self, counter: int) -> bool:
        stop = await super().on_tick(counter) or self._asked.made
        if self._app.inference.failure is not None:
            return True
        if stop and not self._app.inference.draining:
            self._app.drain()
            self._deaf_at = time.monotonic() + self._app.settings.grace
        quiet = not self.server_state.connections and self.server_state.total_requests == self._requests
        self._requests = self.server_state.total_requests
        return stop and (quiet or time.monotonic() >= self._deaf_at)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take over the connections that wait at the sockets, which would be cut off with these; then end."""
        loop, sockets = asyncio.get_running_loop(), sockets or []
        for one in sockets:
            with contextlib.suppress(NotImplementedError):  # on Windows
                loop.remove_reader(one)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        waiting = [client for one in sockets for client in _waiting_at(one)]
        for server in self.servers:
            server.close()
        for client in waiting:
            await loop.connect_accepted_socket(
                lambda: Connection(self.config, self.server_state, self.lifespan.state), client
            )
        await super().shutdown(sockets)


def _waiting_at(listener: socket.socket) -> Iterator[socket.socket]:
    """Accept every connection that waits at a socket."""
    with contextlib.suppress(OSError):  # BlockingIOError, if there is none
        while True:
            yield listener.accept()[0]


@contextlib.contextmanager
def _warnings_to(app: App) -> Iterator[None]:
    """Write uvicorn's warnings to the log, as JSON."""
    logger, handler = logging.getLogger("uvicorn"), ToLog(app.log)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles of garbage rarely, and not among what is there for good, such as the models.

    A JSON body of two million short lists makes many objects and no cycle. At Python's own pace, looking for cycles
    takes three quarters of the time of reading it, during which nobody else is answered, not even /ping.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
