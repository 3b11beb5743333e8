"""uvicorn's connection, with what it lacks: bounds on heads, on slow clients, and on the number of connections."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from .answers import to_json

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .app import App

LARGEST_HEAD = 32 * 2**10  # bytes of the request line and the headers
_CHUNK = re.compile(rb"\n([0-9a-fA-F]{1,16})(?:[ \t]*;[^\n]*)?\r\n\Z")  # a line with the size of a chunk: RFC 9112, 7.1
_LAST = 0.1  # seconds in which a connection's last request is still read, once the server listens no more
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FIELD = 32  # bytes that each header counts for beside its own, as in HTTP/2: RFC 9113, section 10.5.1


class Connection(HttpToolsProtocol):
    """A connection whose client must be neither slow nor talkative.

    httptools refuses what could be read in two ways, such as two lengths of a body. The settings are those of the
    application, `App`.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._app: App = self.app
        self.app = self._run
        self._settings = self._app.settings
        self._in_head = False  # after its first byte, before its last
        self._head = 0  # bytes of the head so far
        self._chunk: int | None = None  # bytes so far of the chunk that is not complete
        self._last = b"\n"  # byte of what has been received
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._settings.connections:
            self._refuse(503, "there are too many connections; try again in a second", b"retry-after: 1\r\n")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        self._forget_stuck()
        self.app = self._app  # of which nothing holds this connection
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self.loop.call_later(self._settings.patience, self.transport.abort)

    def resume_writing(self) -> None:
        self._forget_stuck()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._chunk is not None and self._chunk < len(data):
            self._check_chunk(self._last + data[: len(data) - self._chunk])
        self._last = data[-1:]
        if self._in_head and self._late is None:  # most heads come whole, and need no timer
            self._expect_head()

    def on_chunk_header(self) -> None:
        self._chunk = 0

    def on_body(self, body: bytes) -> None:
        if self._chunk is not None:
            self._chunk += len(body)
        super().on_body(body)

    def on_chunk_complete(self) -> None:
        self._chunk = None

    def _check_chunk(self, before: bytes) -> None:
        """Refuse a chunk that claims too much, by what came before its first byte; httptools does not tell its size."""
        claimed, limit = _CHUNK.search(before[-80:]), self._settings.largest_body
        if claimed and int(claimed[1], 16) > limit and not self.cycle.response_started and not self.pipeline:
            self._refuse(413, f"a body has at most {limit:,} bytes, and a chunk of this one claims more")

    def _run(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Run the application for a request; `self.cycle` may be that of a later one."""
        cycle: RequestResponseCycle = receive.__self__  # type: ignore[attr-defined]
        cycle.transport = _Together(cycle.transport, has_body=scope["method"] != "HEAD")
        return self._app(scope, receive, send, partial(_arrived, cycle))

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:  # its next request may be on its way, or even here
            self.loop.call_later(_LAST, super().shutdown)
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()  # closing would wait for a client that does not read

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head = True, 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + _FIELD)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._forget_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head > LARGEST_HEAD:
            self._refuse(431, f"the request's line and headers have more than {LARGEST_HEAD:,} bytes; send fewer")
        else:
            self._refuse(400, f"{msg.rstrip('.')}: it is not HTTP/1.1, or could be read in two ways")

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > LARGEST_HEAD:
            raise ValueError("the head is too large")  # uvicorn then calls `send_400_response`

    def _expect_head(self) -> None:
        self._late = self.loop.call_later(self._settings.patience, self._give_up)

    def _forget_head(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _forget_stuck(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _give_up(self) -> None:
        self._late = None
        self._refuse(408, f"the request did not come within {self._settings.patience:g} s; send it again")

    def _refuse(self, status: int, message: str, header: bytes = b"") -> None:
        """Send a refusal without the application, and end the connection."""
        if self.transport.is_closing():
            return
        body = to_json({"error": message, "request_id": ""})
        head = STATUS_LINE[status] + header + b"content-type: application/json\r\nconnection: close\r\n"
        self.transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
        self.transport.close()


class _Together(asyncio.Transport):
    """What a reply is written to: its head waits for its body, so that both go, and wake the client, at once.

    uvicorn writes the two one after the other.
    """

    def __init__(self, transport: asyncio.Transport, *, has_body: bool) -> None:
        super().__init__()
        self._transport = transport
        self._head: bytes | None = None if has_body else b""  # what waits; nothing, once it has been written

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._head is not None:
            self._transport.write(self._head + data)
            self._head = b""
        elif data == _CONTINUE:
            self._transport.write(data)
        else:
            self._head = bytes(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        if self._head:  # the application failed before the body
            self._transport.write(self._head)
        self._transport.close()


def _arrived(cycle: RequestResponseCycle) -> bytes | None:
    """Return the whole body of a cycle if it is there already; None if one has to wait for it."""
    if cycle.more_body:
        return None
    body, cycle.body = bytes(cycle.body), bytearray()
    return body
