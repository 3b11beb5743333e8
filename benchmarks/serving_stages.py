"""Where `convlens serve` spends the processor time of one connection's requests, without a socket.

    python benchmarks/serving_stages.py MODEL

The server's own connection, application and model answer the request of benchmarks/serving.py, one after the other, in
one process; what they write is thrown away. Then one stage after the other is replaced by its result: what a request
takes less is that stage's share, with what it costs the others to find their data pushed out of the cache. Each figure
is the least of several blocks of requests, in microseconds of processor time.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import uvicorn
from uvicorn.server import ServerState

from convlens.serve import App, Settings, answers, handlers
from convlens.serve.connection import Connection
from convlens.serve.media import JSON
from convlens.serve.server import _rare_collections
from serving import OURS, request_of

BLOCKS, REQUESTS = 9, 500
REQUEST = request_of(OURS)


class Wire(asyncio.Transport):
    """What a connection writes to; a reply ends with its only write."""

    replied: asyncio.Future[None]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        del data
        self.replied.set_result(None)

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Server:
    """One connection to an application that is warm."""

    def __init__(self, app: App) -> None:
        state, self.app, self.wire = ServerState(), app, Wire()
        app.inference.alone = lambda: len(state.tasks) == 1
        config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_config=None, proxy_headers=False)
        config.load()
        self.connection = Connection(config, state, {})
        self.connection.connection_made(self.wire)

    async def ask(self) -> None:
        self.wire.replied = asyncio.get_running_loop().create_future()
        self.connection.data_received(REQUEST)
        await self.wire.replied

    async def microseconds(self) -> float:
        """Return the processor time of a request."""
        found = []
        for _ in range(BLOCKS):
            begun = time.thread_time()
            for _ in range(REQUESTS):
                await self.ask()
            found.append((time.thread_time() - begun) / REQUESTS)
        return 1e6 * min(found)


def replacements(app: App) -> dict[str, Callable[[], Any]]:
    """Return what replaces each stage by its result, in the order in which they are replaced."""
    served = app.models.default
    image = np.zeros((1, *served.model.input_shape), np.uint8)
    found = served.probabilities([image])
    answer = answers.of_probabilities(JSON, served.name, served.model.class_names, found[0])
    batcher: Any = app.inference._batchers[served.name].arrays

    def network() -> None:
        batcher._predict = lambda _: found

    def metrics() -> None:
        app.metrics.request = batcher._observe = lambda *_: None  # type: ignore[method-assign]

    return {
        "the network": network,
        "writing the answer": lambda: setattr(handlers.answers, "of_probabilities", lambda *_: answer),
        "metrics": metrics,
        "reading the body": lambda: setattr(handlers, "_images", lambda *_: image),
    }


async def main(model: str) -> None:
    app = App.of([model], Settings(log_requests=False), None)
    await app.inference.warm()
    server = Server(app)
    with _rare_collections():
        await server.microseconds()
        whole = left = await server.microseconds()
        print(f"{'one request':20} {whole:6.1f}")
        for stage, replace in replacements(app).items():
            replace()
            before, left = left, await server.microseconds()
            print(f"  {stage:18} {before - left:6.1f}")
    print(f"  {'HTTP, and the rest':18} {left:6.1f}")
    app.inference.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
