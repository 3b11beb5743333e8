"""A client that calls the application as a server would, without a socket; and bodies to send."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from convlens.serve import App
from convlens.serve.server import Server, bound

NPY = "application/x-npy"


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def array(self) -> np.ndarray:
        return np.load(io.BytesIO(self.body), allow_pickle=False)


class Client:
    """Runs an application from its start to its end; `loop` may be used for several requests at once."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._runner = asyncio.Runner()

    def __enter__(self) -> Client:
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._stop())
        self._runner.close()

    async def _start(self) -> None:
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._life = asyncio.create_task(self.app({"type": "lifespan", "state": {}}, self._told.get, self._said.put))
        await self._told.put({"type": "lifespan.startup"})
        assert (await self._said.get())["type"] == "lifespan.startup.complete"

    async def _stop(self) -> None:
        await self._told.put({"type": "lifespan.shutdown"})
        assert (await self._said.get())["type"] == "lifespan.shutdown.complete"
        await self._life

    def run(self, work: Any) -> Any:
        return self._runner.run(work)

    def wait_until_ready(self) -> Client:
        async def ready() -> None:
            while not self.app.inference.ready:
                await asyncio.sleep(0.01)

        self._runner.run(asyncio.wait_for(ready(), 60))
        return self

    def get(self, path: str, **headers: str) -> Response:
        return self.run(self.request("GET", path, **headers))

    def post(self, path: str, body: bytes, content_type: str = "", accept: str = "", **headers: str) -> Response:
        given = {"content_type": content_type, "accept": accept}
        return self.run(self.request("POST", path, [body], **{k: v for k, v in given.items() if v}, **headers))

    async def request(
        self, method: str, path: str, chunks: Iterable[bytes | float] = (b"",), **headers: str
    ) -> Response:
        """Send a request; a number among the chunks is a pause in seconds, None at the end that nothing more comes."""
        sent: list[dict[str, Any]] = []
        coming = list(chunks)

        async def receive() -> dict[str, Any]:
            while coming and not isinstance(coming[0], bytes):
                await asyncio.sleep(float(coming.pop(0)))
            if not coming:
                return {"type": "http.disconnect"}
            chunk = coming.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(coming)}

        async def send(message: Any) -> None:
            sent.append(dict(message))

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "scheme": "http", "http_version": "1.1", "state": {}, "client": ("127.0.0.1", 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        await self.app(scope, receive, send)
        start, *bodies = sent
        assert bodies
        assert not bodies[-1].get("more_body", False)
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        body = b"".join(one["body"] for one in bodies)
        assert int(found["content-length"]) == len(body)
        return Response(start["status"], found, body)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def picture(array: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind)
    return stream.getvalue()


@contextlib.contextmanager
def served_at(app: App, send_buffer: int | None = None) -> Iterator[str]:
    """Serve an application from a thread, perhaps with a small buffer of the system's (bytes) for what it sends."""
    with bound("127.0.0.1", 0) as listener:
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        listening = threading.Event()
        server = Server(app, listening.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        port = listener.getsockname()[1]
        thread.start()
        try:
            assert listening.wait(30)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(30)
