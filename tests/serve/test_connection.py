"""A connection without a socket: what is written at a time, what waits for what, and what is refused at once."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
import uvicorn
from uvicorn.server import ServerState

from convlens.serve import Settings
from convlens.serve.connection import Connection

from .client import Client, npy

IMAGE = npy(np.zeros((28, 28), np.uint8))
HEAD = b"POST /invocations HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-npy\r\n"
REQUEST = HEAD + b"content-length: %d\r\n\r\n" % len(IMAGE) + IMAGE
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
PING = b"GET /ping HTTP/1.1\r\nhost: a\r\n\r\n"


class Wire(asyncio.Transport):
    """What a connection writes to; `written` has an entry for each call."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data:
            self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Server:
    """Connections to an application, of one uvicorn; to be made while the application's loop runs."""

    def __init__(self, client: Client) -> None:
        self.app, self.state = client.app, ServerState()
        self.app.inference.alone = lambda: len(self.state.tasks) == 1
        self.config = uvicorn.Config(
            self.app, http=Connection, ws="none", lifespan="off", log_config=None, proxy_headers=False
        )
        self.config.load()

    def connection(self) -> tuple[Connection, Wire]:
        found, wire = Connection(self.config, self.state, {}), Wire()
        found.connection_made(wire)
        return found, wire


async def replied(wire: Wire, replies: int = 1) -> list[bytes]:
    """Wait for a number of writes, at most a few seconds."""
    async with asyncio.timeout(10):
        while len(wire.written) < replies:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    return wire.written


@pytest.mark.parametrize(
    ("request_", "writes", "status"),
    [
        (REQUEST, 1, 200),
        (PING, 1, 200),
        (b"GET /nothing HTTP/1.1\r\nhost: a\r\n\r\n", 1, 404),
        (b"HEAD /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n", 1, 200),
    ],
    ids=["prediction", "empty", "refusal", "head only"],
)
def test_head_and_body_of_a_reply_go_together(client: Client, request_: bytes, writes: int, status: int) -> None:
    async def ask() -> list[bytes]:
        connection, wire = Server(client).connection()
        connection.data_received(request_)
        return await replied(wire, writes)

    [reply] = client.run(ask())
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert (b"content-length: %d" % len(body) in head) != request_.startswith(b"HEAD")


def test_a_client_that_asks_whether_to_go_on_is_told_before_the_reply(client: Client) -> None:
    async def ask() -> list[bytes]:
        connection, wire = Server(client).connection()
        connection.data_received(HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(IMAGE))
        assert await replied(wire) == [b"HTTP/1.1 100 Continue\r\n\r\n"]
        connection.data_received(IMAGE)
        return await replied(wire, 2)

    _, reply = client.run(ask())
    assert reply.startswith(b"HTTP/1.1 200 OK\r\n")
    assert reply.endswith(b"}")


def test_an_application_that_fails_within_its_reply_loses_no_head(client: Client) -> None:
    async def fail(_: object, __: object, send: Callable[..., Awaitable[None]], ___: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        raise ZeroDivisionError

    async def ask() -> Wire:
        connection, wire = Server(client).connection()
        connection._app = fail  # type: ignore[assignment]
        connection.data_received(PING)
        await replied(wire)
        return wire

    wire = client.run(ask())
    assert wire.written == [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"]
    assert wire.closed


def test_a_request_that_is_alone_and_whole_is_answered_in_one_turn_without_a_timer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> int:
        loop = asyncio.get_running_loop()
        timers: list[object] = []
        call_at = loop.call_at
        connection, wire = Server(client).connection()
        connection.data_received(REQUEST)
        await replied(wire)
        monkeypatch.setattr(loop, "call_at", lambda *given, **named: timers.append(given) or call_at(*given, **named))
        for number in range(2, 5):
            connection.data_received(REQUEST)
            await asyncio.sleep(0)
            assert len(wire.written) == number
            await asyncio.sleep(0)
        return len(timers)

    for one in client.app.models.values():
        one.image_seconds = 0.0  # quick on any machine
    timers = client.run(ask())
    assert timers <= 3 + 1  # uvicorn's, until the next request, and the log's


def test_requests_that_come_in_one_turn_are_predicted_together(client: Client) -> None:
    async def ask() -> list[bytes]:
        server = Server(client)
        opened = [server.connection() for _ in range(3)]
        for connection, _ in opened:
            connection.data_received(REQUEST)
        return [(await replied(wire))[0] for _, wire in opened]

    for one in client.app.models.values():
        one.image_seconds = 0.0
    assert all(one.startswith(b"HTTP/1.1 200") for one in client.run(ask()))
    text = client.get("/metrics").body.decode()
    assert 'convlens_batch_images_count{model="digits"} 1.0' in text
    assert 'convlens_batch_images_sum{model="digits"} 3.0' in text


def test_requests_in_one_packet_are_answered_in_turn_each_with_its_own_body(client: Client) -> None:
    async def ask() -> list[bytes]:
        connection, wire = Server(client).connection()
        connection.data_received(REQUEST.replace(IMAGE, bytes(len(IMAGE))) + REQUEST + PING)
        return await replied(wire, 3)

    assert [one[9:12] for one in client.run(ask())] == [b"400", b"200", b"200"]


@pytest.mark.parametrize("client", [Settings(patience=0.2)], indirect=True)
def test_a_later_head_must_not_be_slow_either(client: Client) -> None:
    async def ask() -> list[bytes]:
        connection, wire = Server(client).connection()
        connection.data_received(REQUEST)
        await replied(wire)
        connection.data_received(REQUEST[:20])
        return await replied(wire, 2)

    assert client.run(ask())[1].startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    ("packets", "status"),
    [
        ([CHUNKED + b"fffffffffff\r\n"], 413),
        ([CHUNKED + b"fffffffffff\r\nabc"], 413),
        ([CHUNKED, b"FFFFFFFFFFF;name=value\r\n"], 413),
        ([CHUNKED + b"3\r\nabc\r\n", b"FFFFFFFFFFF\r\n"], 413),
        ([CHUNKED + b"3\r\nabc\r\nFFFFFFFFFFF\r\n"], 413),
        ([CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(IMAGE), IMAGE)], 200),
        ([CHUNKED + b"%x\r\n%s" % (len(IMAGE), IMAGE), b"\r\n", b"0\r\n\r\n"], 200),
        ([CHUNKED + b"%x;a=" % len(IMAGE), b"fffffffffff\r\n" + IMAGE[:9], IMAGE[9:] + b"\r\n0\r\n\r\n"], 200),
        ([CHUNKED + b"11\r\nffffff\r\nfffffffff", b"\r\n0\r\n\r\n"], 400),  # what looks like a size is content
        ([CHUNKED + b"18\r\nffffff\r\nfffffffffff\r\n", b"fff\r", b"\n0\r\n\r\n"], 400),
    ],
)
def test_a_chunk_that_claims_too_much_is_refused_at_once(client: Client, packets: list[bytes], status: int) -> None:
    async def ask() -> Wire:
        connection, wire = Server(client).connection()
        for packet in packets:
            connection.data_received(packet)
            await asyncio.sleep(0)
        await replied(wire)
        return wire

    wire = client.run(ask())
    assert wire.written[0].startswith(b"HTTP/1.1 %d " % status)
    assert len(wire.written) == 1
    assert wire.closed == (status == 413)


def test_requests_leave_no_cycles(client: Client) -> None:
    """As garbage is collected rarely while the server runs."""

    async def ask() -> int:
        connection, wire = Server(client).connection()
        named = REQUEST.replace(b"/invocations", b"/models/digits/invoke")
        await answered(connection, wire, 2, REQUEST, named)
        gc.collect()
        gc.disable()
        try:
            await answered(connection, wire, 40, REQUEST, named, PING)
            return gc.collect()
        finally:
            gc.enable()

    async def answered(connection: Connection, wire: Wire, number: int, *requests: bytes) -> None:
        for index in range(number):
            connection.data_received(requests[index % len(requests)])
            while not wire.written:
                await asyncio.sleep(0)
            wire.written.clear()

    assert client.run(ask()) < 40


def test_a_connection_that_has_ended_is_gone(client: Client) -> None:
    async def ask() -> bool:
        connection, wire = Server(client).connection()
        connection.data_received(REQUEST)
        await replied(wire)
        gone = weakref.ref(connection)
        gc.disable()
        try:
            connection.connection_lost(None)
            del connection
            await asyncio.sleep(0.01)
            return gone() is None
        finally:
            gc.enable()

    assert client.run(ask())
