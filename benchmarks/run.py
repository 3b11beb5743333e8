"""Times the same work by all peers, side by side: `make bench`.

Every peer lives in a process of its own. In each round they are timed one after the other, and a ratio is the median
over rounds of the ratios within a round, with its range: clocks of shared machines drift, and pairs drift together.
A peer that cannot run is named with the reason. Writes a JSON with versions and hardware.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from convlens.train.provenance import hardware, versions
from peers import PEERS, load

ROUND_SECONDS = 1.0


def serve(name: str, connection: Connection, batch: int, kernel_size: int, threads: int) -> None:
    """Make a peer in this process and time it whenever asked; sleeps in between."""
    try:
        peer = load(name)(batch, kernel_size, threads)
    except ImportError as error:
        connection.send(f"not installed: {error}")
        return
    for work in (peer.train, peer.predict):  # warm up
        for _ in range(10):
            work()
    connection.send("ready")
    while (what := connection.recv()) is not None:
        if what == "memory":
            connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
            continue
        work, steps, start = getattr(peer, what), 0, time.perf_counter()
        while time.perf_counter() - start < ROUND_SECONDS:
            work()
            steps += 1
        connection.send(steps * batch / (time.perf_counter() - start))


def measure(names: list[str], batch: int, kernel_size: int, threads: int, rounds: int) -> dict[str, Any]:
    """Return, for each kind of work, every peer's rates (images a second) by round; peak memory; and who could not run."""
    context = multiprocessing.get_context("spawn")
    workers, absent = {}, {}
    for name in names:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(name, theirs, batch, kernel_size, threads), daemon=True)
        process.start()
        state = ours.recv()
        if state == "ready":
            workers[name] = (process, ours)
        else:
            absent[name] = state
    rates: dict[str, dict[str, list[float]]] = {what: {name: [] for name in workers} for what in ("train", "predict")}
    for number in range(rounds):
        for what, of_peer in rates.items():
            for name, (_, connection) in workers.items():
                connection.send(what)
                of_peer[name].append(connection.recv())
        print(f"  round {number + 1}/{rounds}", file=sys.stderr)
    memory = {}
    for name, (process, connection) in workers.items():
        connection.send("memory")
        memory[name] = round(connection.recv(), 1)
        connection.send(None)
        process.join()
    return {"rates": rates, "absent": absent, "memory": memory}


def ratio(ours: list[float], theirs: list[float]) -> dict[str, float]:
    """Return the median of the paired ratios and their range."""
    pairs = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"median": statistics.median(pairs), "low": min(pairs), "high": max(pairs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--kernel-size", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    parser.add_argument("--peers", nargs="+", choices=sorted(PEERS), default=list(PEERS))
    settings = parser.parse_args()
    found = measure(settings.peers, settings.batch, settings.kernel_size, settings.threads, settings.rounds)
    result = {
        "what": "the MNIST CNN of 206,922 parameters (kernel 3), float32, Adam; images a second",
        "date": datetime.now(UTC).date().isoformat(),
        "settings": {k: v for k, v in vars(settings).items() if k != "out"},
        "versions": versions() | {"torch": _torch_version()},
        "hardware": hardware(),
        "absent": found["absent"],
        "images_per_second": {},
        "ratios": {},
        "peak_memory_mib": found["memory"],  # of the whole process: interpreter, libraries, data, work
    }
    for what, rates in found["rates"].items():
        result["images_per_second"][what] = {name: [round(rate, 1) for rate in row] for name, row in rates.items()}
        ours = rates.get("convlens-numpy", [])
        others = {name: row for name, row in rates.items() if name != "convlens-numpy" and ours}
        eager = {name: row for name, row in others.items() if name.startswith("torch")}
        if eager:
            better = max(eager, key=lambda name: statistics.median(eager[name]))
            others["torch-better-eager"] = eager[better]
        result["ratios"][what] = {f"convlens-numpy / {name}": ratio(ours, row) for name, row in others.items()}
        print(f"{what}, batch {settings.batch}, kernel {settings.kernel_size}, {settings.threads} threads")
        for name, row in rates.items():
            print(f"  {name:22} {statistics.median(row):>10,.0f} images/s")
        for name, one in result["ratios"][what].items():
            print(f"  {name:44} {one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})")
    for name, size in found["memory"].items():
        print(f"  {name:22} {size:>10,.0f} MiB at most")
    for name, reason in found["absent"].items():
        print(f"  {name}: {reason}")
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    settings.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written: {settings.out}")


def _torch_version() -> str | None:
    try:
        import torch
    except ImportError:
        return None
    return torch.__version__


if __name__ == "__main__":
    main()
