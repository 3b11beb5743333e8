"""A load generator for benchmarks/serving.py, in a process of its own: connections that ask again once answered.

    python benchmarks/serving_load.py PORT CONNECTIONS SECONDS REQUEST

REQUEST is a file with the bytes of one HTTP request. It prints JSON: requests a second, and the median and the 99th
percentile of their times in milliseconds; and the number of all, with those before. Any reply but 200 ends it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from pathlib import Path

import numpy as np

WARM = 0.5  # seconds before the measurement
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


class Connection(asyncio.Protocol):
    """Sends one request after the other, and notes when each was answered and how long that took."""

    def __init__(self, request: bytes, noted: list[tuple[float, float]]) -> None:
        self.request, self.noted, self.received, self.going = request, noted, b"", True
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self.received, 0, end)
        assert length is not None, self.received
        if len(self.received) < end + 4 + int(length[1]):
            return
        if not self.received.startswith(b"HTTP/1.1 200"):
            sys.exit(f"a reply was {self.received[:300]!r}")
        now = time.perf_counter()
        self.noted.append((now, now - self.sent))
        self.received = b""
        if self.going:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.going:
            sys.exit(f"a connection was lost ({exc})")
        self.lost.set_result(None)


async def load(port: int, connections: int, seconds: float, request: bytes) -> tuple[list[float], int]:
    """Return the times of the requests that were answered within the measurement, and the number of all."""
    loop, noted = asyncio.get_running_loop(), list[tuple[float, float]]()
    opened = [
        (await loop.create_connection(lambda: Connection(request, noted), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    begun = time.perf_counter() + WARM
    await asyncio.sleep(WARM + seconds)
    for one in opened:
        one.going = False
    await asyncio.wait_for(asyncio.gather(*(one.lost for one in opened)), 30)
    return [took for end, took in noted if begun <= end < begun + seconds], len(noted)


def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    noted, total = asyncio.run(load(port, connections, seconds, Path(sys.argv[4]).read_bytes()))
    took = 1000 * np.array(noted)
    found = {
        "answered": total,
        "per_second": len(took) / seconds,
        "p50_ms": np.quantile(took, 0.5),
        "p99_ms": np.quantile(took, 0.99),
    }
    print(json.dumps({name: round(float(value), 4) for name, value in found.items()}))


if __name__ == "__main__":
    main()
