"""Run the lab on this machine: find a port, open the browser, stop on Ctrl-C."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from ..sockets import LOOPBACK_ADDRESS, http_address, listening_socket, port_of
from .site import Site, site

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .training.sessions import Sessions

INSTALL = "pip install 'convlens[lab]'"
FIRST_PORT = 8750
_TRIES = 20  # ports after the first, before giving up


@dataclass(frozen=True)
class LabSettings:
    """How the lab is run.

    Parameters
    ----------
    host
        The address to listen on; None: this machine alone can reach it. With any other, everybody needs a token.
    port
        The port; None: the first free one from `FIRST_PORT` on. 0: any.
    browser
        Whether to open the page in a browser.
    folder
        Where its trainings are kept; None: among the user's data.

    Raises
    ------
    ConfigurationError
        If the port is not 0 to 65535.
    """

    host: str | None = None
    port: int | None = None
    browser: bool = True
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 0 <= self.port <= 65535:
            raise ConfigurationError(f"a port is a number from 0 to 65535, not {self.port}")

    @property
    def is_open(self) -> bool:
        """Whether other machines can reach it."""
        return self.host is not None and not _is_loopback(self.host)


def run(models: Sequence[Path] = (), settings: LabSettings | None = None, say: Callable[[str], None] = print) -> None:
    """Serve the lab until Ctrl-C.

    Parameters
    ----------
    models
        Saved models to show beside those that the package ships.
    settings
        How it is run.
    say
        Told the address, and a warning if other machines can reach it.

    Raises
    ------
    ArtifactError
        If a file is not a saved model, or is damaged.
    ConfigurationError
        If the packages that the lab needs are not installed, the port is taken, or the address is not this machine's.
    """
    settings = settings or LabSettings()
    token = secrets.token_urlsafe(24) if settings.is_open else None
    files, ending = site(models, live=True), threading.Event()
    try:
        from .training.sessions import Sessions

        sessions = Sessions(settings.folder)
        app = application(files, sessions, settings, token, ending.is_set)
    except ImportError as error:
        raise ConfigurationError(f"the lab needs packages that are not installed ({error.name}): {INSTALL}") from error
    with _listening(settings) as listener:
        address = _address(settings, port_of(listener))
        if settings.is_open:
            say("other machines can reach this lab, unencrypted; they need the token in its address")
        say(f"the lab is at {address}{f'?token={token}' if token else ''} (Ctrl-C ends it)")
        try:
            _serve(
                app, listener, f"{address}{f'?token={token}' if token else ''}" if settings.browser else None, ending
            )
        finally:
            sessions.close()


def application(
    files: Site, sessions: Sessions, settings: LabSettings, token: str | None, ended: Callable[[], bool]
) -> ASGIApp:
    """Return all that the server answers, behind its guard: the one place where rooms' routes are mounted.

    Parameters
    ----------
    files
        The page.
    sessions
        The trainings.
    settings
        How it is run.
    token
        What everybody must know; None where only this machine can ask.
    ended
        Whether the server is ending.
    """
    from .app import create_app
    from .guard import LOOPBACK, Access
    from .training.routes import routes

    named = {settings.host.lower()} if settings.host else set()  # such as 127.0.0.2, which is this machine alone too
    hosts = LOOPBACK | named | (_own_names(settings.host) if settings.is_open else set())
    return create_app(files, Access(hosts, token, addresses=settings.is_open), routes(sessions, ended))


def _serve(app: ASGIApp, listener: socket.socket, opened: str | None, ending: threading.Event) -> None:
    """Answer requests until a stop signal; `opened` is the address to open in a browser once it answers.

    `ending` is set when it comes, so that what streams for as long as the server runs can end.
    """
    import uvicorn

    class BrowserServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if opened is not None:  # in a thread of its own: some browsers return only when they are closed
                threading.Thread(target=webbrowser.open, args=(opened,), daemon=True).start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            ending.set()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app, http="httptools", ws="none", log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=2, h11_max_incomplete_event_size=None,
    )  # fmt: skip
    BrowserServer(config).run(sockets=[listener])


def _listening(settings: LabSettings) -> socket.socket:
    """Return a socket that listens where the settings say."""
    host = settings.host or LOOPBACK_ADDRESS
    if settings.port is not None:
        return listening_socket(host, settings.port)
    for port in range(FIRST_PORT, FIRST_PORT + _TRIES - 1):
        with contextlib.suppress(ConfigurationError):
            return listening_socket(host, port)
    return listening_socket(host, FIRST_PORT + _TRIES - 1)


def _address(settings: LabSettings, port: int) -> str:
    """Return the page's address, as a browser on this machine takes it."""
    host = settings.host or "localhost"
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "localhost"
    return f"{http_address(host, port)}/"


def _own_names(host: str | None) -> set[str]:
    """Return the names of this machine, in small letters."""
    name = socket.gethostname().lower()
    return {name, f"{name}.local", socket.getfqdn().lower(), (host or name).lower()}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
