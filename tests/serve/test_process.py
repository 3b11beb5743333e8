"""A real process on a real socket: what only uvicorn and the system decide."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import models, nn
from convlens.errors import ArtifactError, ConfigurationError
from convlens.serve import App, Settings, run
from convlens.serve.served import Models
from convlens.serve.server import DrainingServer
from convlens.sockets import listening_socket, port_of

from .client import npy, served_at

CODE = """
import sys
from convlens.serve import App, Settings, run
from convlens.serve.served import Models
settings = Settings(port=0, queue=4, patience=1.0, grace=0.5, largest_body=2**20, connections=60)
run([sys.argv[1]], settings, started=lambda address: print(address, flush=True))
"""
IMAGE = npy(np.zeros((28, 28), np.uint8))
HEAD = b"POST /invocations HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-npy\r\n"
REQUEST = HEAD + b"content-length: %d\r\n\r\n" % len(IMAGE) + IMAGE


class Server:
    """A server process; its log says where it listens."""

    def __init__(self, log: Path, *command: str) -> None:
        self.log = log
        with log.open("w") as stream:
            self.process = subprocess.Popen([sys.executable, *command], stderr=stream)
        while not (address := next((one["address"] for one in self.entries() if one["event"] == "listening"), "")):
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.05)
        self.port = int(address.rsplit(":", 1)[1])
        while not self.ask(b"GET /ping HTTP/1.1\r\nhost: a\r\n\r\n").startswith(b"HTTP/1.1 200"):
            time.sleep(0.05)

    def ask(self, *parts: bytes | float) -> bytes:
        """Send parts, numbers being pauses, and return what comes until the server pauses or ends."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            for part in parts:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)
            connection.settimeout(5)
            found = b""
            while not whole(found) and (more := connection.recv(2**16)):
                found += more
            return found

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]


def whole(reply: bytes) -> bool:
    head, _, body = reply.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0].split(b":")[1])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("serve") / "digits.safetensors"
    nn.Model(models.build("baseline", seed=0).layers, (28, 28, 1), seed=0).save(path)
    return path


@pytest.fixture(scope="module")
def server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("log") / "log", "-W", "error", "-c", CODE, str(model))
    yield found
    found.process.kill()
    found.process.wait()


@pytest.mark.parametrize(
    ("status", "parts"),
    [
        (200, [REQUEST]),
        (200, [REQUEST[:30], 0.1, REQUEST[30:200], 0.1, REQUEST[200:]]),
        (200, [HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(IMAGE), IMAGE)]),
        (400, [HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"]),
        (400, [HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n12345"]),
        (400, [b"nonsense\r\n\r\n"]),
        (400, [b"GET \xff HTTP/1.1\r\nhost: a\r\n\r\n"]),
        (400, [b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n"]),
        (431, [b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 10_000 + b"\r\n"]),
        (431, [b"GET /%s HTTP/1.1\r\n" % (b"a" * 40_000)]),
        (413, [HEAD + b"content-length: 1048577\r\n\r\n" + bytes(1048577)]),
        (413, [HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"10000\r\n%s\r\n" % bytes(2**16) * 20 + b"0\r\n\r\n"]),
        (408, [HEAD]),
        (408, [HEAD + b"content-length: 912\r\n\r\n" + IMAGE[:100]]),
        (408, []),
    ],
    ids=[
        "whole", "in pieces", "chunked", "both lengths", "two lengths", "no HTTP", "no ASCII", "no path", "long head",
        "long path", "large", "large in chunks", "slow head", "slow body", "silent",
    ],
)  # fmt: skip
def test_one_connection(server: Server, status: int, parts: list[bytes | float]) -> None:
    reply = server.ask(*parts)
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), reply[:300]
    if status != 200:
        assert b"connection: close" in head
        assert len(json.loads(body)["error"]) > 20
    assert server.ask(REQUEST).startswith(b"HTTP/1.1 200")


async def crowd(port: int, clients: int, going: list[bool], *, leave: bool = False) -> list[int]:
    """Ask again and again, each client with its own connection; 0 stands for a request that got no whole reply."""

    async def client() -> list[int]:
        statuses: list[int] = []
        while going:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:  # it listens no more: not accepted
                if leave:
                    return statuses
                continue
            try:
                while going:
                    writer.write(REQUEST)
                    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
                    await asyncio.wait_for(reader.readexactly(int(length.split(b":")[1])), 30)
                    statuses.append(int(head[9:12]))
                    assert statuses[-1] != 503 or b"retry-after: 1" in head.lower()
                    if b"connection: close" in head.lower():
                        break
            except (asyncio.IncompleteReadError, ConnectionError):
                statuses.append(0)
            finally:
                writer.close()
        return statuses

    return [one for statuses in await asyncio.gather(*(client() for _ in range(clients))) for one in statuses]


def resident(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read as Linux gives it")
def test_a_crowd_gets_answers_or_503_and_memory_is_bounded(server: Server) -> None:
    going = [True]

    async def run() -> tuple[list[int], list[bytes]]:
        asking = asyncio.create_task(crowd(server.port, 50, going))
        pings = []
        for _ in range(5):
            await asyncio.sleep(0.2)
            ping = b"GET /ping HTTP/1.1\r\nhost: a\r\n\r\n"
            pings.append(await asyncio.wait_for(asyncio.to_thread(server.ask, ping), 20))
        going.clear()
        return await asking, pings

    before = resident(server.process.pid)
    statuses, pings = asyncio.run(run())
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert all(one.startswith(b"HTTP/1.1 200") for one in pings)
    assert resident(server.process.pid) - before < 64 * 2**20


def test_connections_are_bounded(server: Server) -> None:
    opened = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(60)]
    try:
        assert b" 503 " in server.ask(b"").partition(b"\r\n")[0]
    finally:
        for one in opened:
            one.close()


COMMANDS = {signal.SIGTERM: ["-W", "error", "-c", CODE], signal.SIGINT: ["-m", "convlens", "serve", "--port", "0"]}


@pytest.mark.parametrize("number", COMMANDS)
def test_every_accepted_request_is_answered_when_it_is_asked_to_stop(
    model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    server = Server(tmp_path / "log", *COMMANDS[number], str(model))
    going = [True]

    async def run() -> list[int]:
        asking = asyncio.create_task(crowd(server.port, 12, going, leave=True))
        await asyncio.sleep(0.5)
        server.process.send_signal(number)
        return await asyncio.wait_for(asking, 60)

    statuses = asyncio.run(run())
    assert server.process.wait(30) == 0
    assert len(statuses) > 12
    assert set(statuses) <= {200, 503}
    events = [one["event"] for one in server.entries() if one["event"] != "request"]
    assert events == ["listening", "ready", "draining", "stopped"]


class Ending(DrainingServer):
    """Ends while one client has connected, and another's connection has not even been accepted; both have asked."""

    def __init__(self, app: App, address: tuple[str, int]) -> None:
        super().__init__(app)
        self.address, self.clients = address, list[socket.socket]()

    async def on_tick(self, counter: int) -> bool:
        del counter
        if not self._app.inference.ready:
            return False
        self.clients.append(socket.create_connection(self.address, 10))
        if len(self.clients) < 2:
            return False
        self._app.drain()
        for one in self.clients:
            one.sendall(REQUEST)
        return True  # the sockets are closed before the event loop turns


def test_who_has_asked_before_the_end_is_answered(served: Models) -> None:
    with listening_socket("127.0.0.1", 0) as listener:
        server = Ending(App(served, stream=None), ("127.0.0.1", port_of(listener)))
        server.run(sockets=[listener])
    for one in server.clients:
        with one:
            assert one.recv(2**16).startswith(b"HTTP/1.1 200")


def test_a_client_that_does_not_read_is_cut_off(served: Models) -> None:
    body = npy(np.zeros((4000, 8, 8, 3), np.uint8))  # the answer has twice the 64 KiB that asyncio keeps
    app = App(served, Settings(patience=0.5, grace=0.1), stream=None)
    with served_at(app, send_buffer=4096) as address, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(20)
        client.connect(("127.0.0.1", int(address.rsplit(":", 1)[1])))
        client.sendall(
            HEAD.replace(b"/invocations", b"/models/colours/invoke") + b"content-length: %d\r\n\r\n" % len(body)
        )
        client.sendall(body + b"GET /ping HTTP/1.1\r\nhost: a\r\n\r\n")  # else, it is cut off because it asks nothing
        while not app.metrics.text().count(b'status="200"'):  # counted once it is written to asyncio's buffer
            time.sleep(0.05)
        time.sleep(1.5)
        found = b""
        with contextlib.suppress(ConnectionError):
            while more := client.recv(2**16):
                found += more
    assert found.startswith(b"HTTP/1.1 200")
    assert not whole(found)


def test_what_cannot_be_served_is_one_sentence(server: Server, model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"cannot listen on port {server.port} .*choose another with --port"):
        run([model], Settings(port=server.port))
    with pytest.raises(ArtifactError, match=r"nothing\.safetensors"):
        run([tmp_path / "nothing.safetensors"])
