"""One HTTP request while it is handled, and the reply to it."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .answers import to_json
from .media import JSON
from .refusal import Refusal, busy

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .app import App

_GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DIGITS = 15  # of a length
_CLOSE = (b"connection", b"close")
_LINGER = 2.0  # seconds in which a client may send the rest of a refused body, and so come to read why

Arrived: TypeAlias = Callable[[], bytes | None]

_numbers = itertools.count(1)
_process = f"{os.getpid():x}-{time.time_ns() & 0xFFFFFFFF:08x}"


class Reply(NamedTuple):
    """A reply: its body, the media type of that, the status, and further headers."""

    body: bytes
    media_type: str = JSON
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_reply(value: object, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """Return a reply that holds plain data as JSON."""
    return Reply(to_json(value), JSON, status, headers)


class Exchange:
    """One HTTP request.

    Parameters
    ----------
    scope, receive
        As ASGI gives them.
    app
        The application that handles it.
    arrived
        Returns the whole body if it is there already: waiting for it takes an event, a task and a timer. Else, None.

    Attributes
    ----------
    id
        The request's own, of its header X-Request-Id, or a new one.
    route
        The path of its operation, in the table of operations; empty until one is found.
    note
        What the log says about it, by name.
    """

    def __init__(self, scope: Scope, receive: Receive, app: App, arrived: Arrived = lambda: None) -> None:
        self.scope, self._receive, self.app, self._arrived = scope, receive, app, arrived
        self.started = time.perf_counter()
        self.route = ""
        self.note: dict[str, Any] = {}
        self.held = 0  # bytes of its body
        self._unread = scope["method"] == "POST"  # other methods have no body that anyone reads
        self._headers: dict[bytes, bytes] = dict(scope["headers"])  # of several of one name, the last
        given = self.header(b"x-request-id")
        self.id = given if given and _GIVEN_ID.fullmatch(given) else f"{_process}-{next(_numbers):x}"

    def header(self, name: bytes) -> str | None:
        """Return a header of the request, or None."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def parameters(self) -> dict[str, str]:
        """The parts of the path that are named in the table of operations."""
        found: dict[str, str] = self.scope.get("path_params", {})
        return found

    async def body(self) -> bytes:
        """Return the body.

        Raises
        ------
        Refusal
            413 if it is too large, whether it says so before or not; 408 if it comes too slowly; 415 if it is
            compressed; 503 if all bodies together are too large; 400 if the connection ends.
        """
        limit = self.app.settings.largest_body
        if (encoding := self.header(b"content-encoding")) not in (None, "", "identity"):
            raise Refusal(415, f"a body is sent as it is, not in the encoding {encoding!r}")
        claimed = self.header(b"content-length") or "0"
        if not claimed.isdecimal() or len(claimed) > _DIGITS or int(claimed) > limit:
            raise Refusal(413, f"a body has at most {limit:,} bytes, not {claimed[:_DIGITS]}; send fewer images")
        if self._unread and (whole := self._arrived()) is not None:
            self._unread = False
            return self._held(whole)
        chunks = []
        try:
            async with asyncio.timeout(self.app.settings.patience):
                while self._unread:
                    chunks.append(self._held(await self._chunk()))
        except TimeoutError as error:
            raise Refusal(
                408, f"the body did not come within {self.app.settings.patience:g} s; send it again"
            ) from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._unread = False
            raise Refusal(400, "the connection ended before the body did")
        self._unread = message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    def _held(self, chunk: bytes) -> bytes:
        """Return part of a body, counted; Refusal if it is too much."""
        limit = self.app.settings.largest_body
        if self.app.held + len(chunk) > self.app.settings.held:
            raise busy("the bodies of other requests fill the memory for them")
        self.held += len(chunk)
        self.app.held += len(chunk)
        if self.held > limit:
            raise Refusal(413, f"a body has at most {limit:,} bytes, and this one has more; send fewer images")
        return chunk

    async def send(self, reply: Reply, send: Send, *, close: bool) -> None:
        """Send the reply; if part of the body is unread, end the connection after it."""
        headers = [
            (b"content-length", str(len(reply.body)).encode()),
            (b"x-request-id", self.id.encode()),
            *reply.headers,
        ]
        if reply.body:
            headers.append((b"content-type", reply.media_type.encode()))
        if close or self._unread:
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body, "more_body": self._unread})
        if self._unread:
            await self._linger()
            await send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        """Receive the rest of a refused body and forget it: ending at once would destroy the reply on its way."""
        try:
            async with asyncio.timeout(_LINGER):
                while self._unread:
                    message = await self._receive()
                    self._unread = message["type"] == "http.request" and message.get("more_body", False)
        except TimeoutError:
            pass
