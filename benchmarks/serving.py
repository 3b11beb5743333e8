"""Requests a second, and their times, of `convlens serve` and script mode, beside FastAPI and LitServe with PyTorch.

    python benchmarks/serving.py MODEL [--peers PYTHON] [--rounds N] [--seconds S]

One request is the 912 bytes of an .npy file with one image of 28 x 28, and its answer is JSON with class and
probabilities. Every server runs all the time, and in each round all are measured in turn, in an order drawn anew,
with 1 and with 16 connections that ask again as soon as they are answered. PYTHON is the interpreter of an environment
that has fastapi, litserve, torch, gunicorn, gevent, flask and this package; servers that it cannot run are reported and
left out. Beside the rates stands the processor time that a server takes for a request, which a busy machine hardly
changes. The result, with the ratio to the best peer of each round, goes to benchmarks/results/serving.json.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from convlens import data

HERE = Path(__file__).parent
OURS, SCRIPT = "convlens", "script mode"
PEERS = ("FastAPI + PyTorch, 1 thread", "FastAPI + PyTorch, 2 threads", "LitServe + PyTorch")
CONNECTIONS = (1, 16)
START_SECONDS = 120


def request_of(server: str) -> bytes:
    """Return the bytes of one HTTP request."""
    stream = io.BytesIO()
    np.save(stream, data.load("mnist").test.images[0, :, :, 0])
    body, kind = stream.getvalue(), "application/x-npy"
    if server.startswith("LitServe"):
        body, kind = json.dumps({"npy": base64.b64encode(body).decode()}).encode(), "application/json"
    head = (
        f"POST /invocations HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A server: its port, and the process group that it leads."""

    port: int
    group: int

    def cpu_seconds(self) -> float:
        """Return the processor time of all its processes so far: proc(5), fields 5, 14 and 15 of stat. Linux only."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.group:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(python: str, name: str, model: str) -> Iterator[Running]:
    """Start a server; RuntimeError with its last line if it does not come up."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    with tempfile.TemporaryFile("w+") as said:
        command = [python, str(HERE / "serving_servers.py"), name, model, str(port)]
        server = subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(port, request_of(name)):
                if server.poll() is not None or time.monotonic() > deadline:
                    said.seek(0)
                    raise RuntimeError((said.read().strip().splitlines() or ["it said nothing"])[-1])
                time.sleep(0.2)
            yield Running(port, server.pid)
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(15)
            with contextlib.suppress(ProcessLookupError):  # what it started and left
                os.killpg(server.pid, signal.SIGKILL)


def answers(port: int, request: bytes) -> bool:
    """Return whether a server answers the request."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request)
        return connection.recv(64).startswith(b"HTTP/1.1 200")
    return False


def measured(server: Running, connections: int, seconds: float, request: Path) -> dict[str, float]:
    """Run the load generator once."""
    before = server.cpu_seconds()
    command = [sys.executable, HERE / "serving_load.py", str(server.port), str(connections), str(seconds), request]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    answered = found.pop("answered")
    return {**found, "cpu_us": round(1e6 * (server.cpu_seconds() - before) / answered, 1)}


def rounds(servers: dict[str, Running], number: int, seconds: float, folder: Path) -> list[dict[str, Any]]:
    """Measure all servers in turn, round by round."""
    requests = {name: folder / str(index) for index, name in enumerate(servers)}
    for name, path in requests.items():
        path.write_bytes(request_of(name))
    draw, found = random.Random(0), []
    for index in range(number):
        for connections in CONNECTIONS:
            for name in draw.sample(sorted(servers), len(servers)):
                result = measured(servers[name], connections, seconds, requests[name])
                found.append({"round": index, "server": name, "connections": connections, **result})
                print(f"round {index + 1}: {name}, {connections} connection(s): {result}", flush=True)
    return found


def summary(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for each server and number of connections the medians, and the ratio to the best peer of each round."""
    lines = []
    for connections in CONNECTIONS:
        mine = [one for one in found if one["connections"] == connections]
        best: dict[int, float] = {}
        for one in mine:
            if one["server"] in PEERS:
                best[one["round"]] = max(best.get(one["round"], 0.0), one["per_second"])
        for name in dict.fromkeys(one["server"] for one in mine):
            own = [one for one in mine if one["server"] == name]
            medians = {
                key: float(np.median([one[key] for one in own])) for key in ("per_second", "p50_ms", "p99_ms", "cpu_us")
            }
            line = {"server": name, "connections": connections, **medians}
            if name == OURS and best:
                ratios = [one["per_second"] / best[one["round"]] for one in own]
                line["ratio_to_best_peer"] = {
                    "median": float(np.median(ratios)), "least": min(ratios), "most": max(ratios)
                }  # fmt: skip
            lines.append(line)
    return lines


def versions(python: str) -> dict[str, str]:
    """Return the versions of what takes part."""
    names = (
        "numpy", "numba", "starlette", "uvicorn", "httptools", "fastapi", "litserve", "torch", "gunicorn", "gevent",
        "flask",
    )  # fmt: skip
    code = f"import importlib.metadata as m, json\nfound = {{}}\nfor name in {names!r}:\n    try: found[name] = m.version(name)\n    except m.PackageNotFoundError: pass\nprint(json.dumps(found))"  # noqa: E501
    found: dict[str, str] = json.loads(subprocess.run([python, "-c", code], check=True, capture_output=True).stdout)
    with contextlib.suppress(PackageNotFoundError):
        found["convlens"] = version("convlens")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "serving.json")
    given = parser.parse_args()
    servers: dict[str, Running] = {}
    missing: dict[str, str] = {}
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        for name in (OURS, SCRIPT, *PEERS):
            python = sys.executable if name == OURS else given.peers
            try:
                servers[name] = stack.enter_context(running(python, name, given.model))
            except RuntimeError as error:
                missing[name] = str(error)
                print(f"{name} does not take part: {error}", flush=True)
        found = rounds(servers, given.rounds, given.seconds, Path(folder))
    document = {
        "model": Path(given.model).stem,
        "request": "one 28 x 28 image as .npy, 912 bytes; the answer is JSON",
        "seconds": given.seconds,
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                    "system": platform.platform(), "python": platform.python_version()},
        "versions": versions(given.peers),
        "missing": missing,
        "summary": summary(found),
        "rounds": found,
    }  # fmt: skip
    given.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(document["summary"], indent=2))


if __name__ == "__main__":
    main()
