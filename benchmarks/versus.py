"""Is the working tree slower than an earlier revision? The two race as peers, in one run of alternating rounds.

`python benchmarks/versus.py REVISION` unpacks the revision's sources into a temporary folder. Both versions run in
processes of this Python, which differ only in PYTHONPATH. In each round both are timed, one directly after the other,
in reversed order every second round. A ratio is the median over rounds of the rates working tree / revision (above 1 is
faster). After twelve rounds, cells below 0.95 go on to thirty, which decide. Exit code 1: a cell stayed below.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any

from convlens.bench.cells import NUMBA, NUMPY, WORKS, Cell
from convlens.bench.coordinator import PeerPool, Worker
from convlens.bench.measure import rounds_of, time_cell, visits
from convlens.bench.results import Ratio
from convlens.files import make_folder, write_atomically
from convlens.train.provenance import hardware, versions

ROOT = Path(__file__).parents[1]
BASE, NEW = "revision", "working-tree"
FLOOR = 0.95
ENOUGH, DECISIVE = 12, 30  # rounds
PROCESS_MODULES = ("peer_process", "worker")  # module of a peer's process: now, and earlier


def cells(threads: int) -> list[Cell]:
    """Return the cells: three networks, each at batch 1 and 128."""
    return [
        Cell(f"{network}-batch{batch}", network, batch, threads, peers=(BASE, NEW))
        for network in ("cnn", "dense", "deep")
        for batch in (1, 128)
    ]


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout


def unpack(revision: str, folder: Path) -> None:
    """Write a revision's sources into a folder; unlike a git worktree, it leaves nothing in the repository."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", revision, "src"))) as archive:
        archive.extractall(folder, filter="data")


class Versions(PeerPool):
    """The processes of the two versions, with one engine.

    Parameters
    ----------
    trees
        The folder of each version, by name.
    engine
        The peer that runs in each.
    """

    def __init__(self, trees: Mapping[str, Path], engine: str) -> None:
        super().__init__([sys.executable])
        self._trees, self._engine = trees, engine

    def start(self, name: str) -> Worker:
        tree = self._trees[name]
        source = require_own_source(tree)
        [module, *_] = [m for m in PROCESS_MODULES if (source / "convlens" / "bench" / f"{m}.py").exists()]
        return Worker((sys.executable, "-m", f"convlens.bench.{module}", self._engine), {"PYTHONPATH": str(source)})


def require_own_source(tree: Path) -> Path:
    """Return a tree's source folder, after checking that a process imports convlens from there."""
    source = tree / "src"
    command = [sys.executable, "-c", "import convlens; print(convlens.__file__)"]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    found = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, cwd=tree).stdout
    if not Path(found.strip()).is_relative_to(source):
        raise SystemExit(f"versus: Python imports convlens from {found.strip()}, not from {source}")
    return source


def ratios(found: Mapping[str, Any]) -> dict[str, Ratio]:
    """Return the ratio of each work of a cell's result; empty if a version could not run."""
    return {
        work: Ratio.of(rates[NEW], rates[BASE])
        for work in WORKS
        if (rates := found["rates"][work]) and rates.keys() >= {BASE, NEW}
    }


def slow(found: Mapping[str, Any]) -> bool:
    """Return whether a cell's result has a ratio below the floor, or none because the working tree cannot run it."""
    return NEW in found["absent"] or any(ratio.median < FLOOR for ratio in ratios(found).values())


def race(wanted: Sequence[Cell], pool: PeerPool, rounds: int, decisive: int, seconds: float) -> dict[str, Any]:
    """Return each cell's result: cells in turn, three rounds at a time; then more rounds of those that look slow."""
    results: dict[str, Any] = {}

    def go_on(some: Sequence[Cell], until: int) -> None:
        for bound, cell in product(visits(until), some):
            before = results.get(cell.name)
            if rounds_of(before) < bound:
                results[cell.name] = time_cell(cell, pool, bound, seconds, {}, say, before)

    go_on(wanted, rounds)
    go_on([cell for cell in wanted if slow(results[cell.name]) and not results[cell.name]["absent"]], decisive)
    return results


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def report(results: Mapping[str, Any]) -> str:
    """Return one line per cell and work: the median ratio, its range, and the number of rounds."""
    lines = []
    for name, found in results.items():
        for work, ratio in ratios(found).items():
            verdict = "" if ratio.median >= FLOOR else f"  below {FLOOR}"
            rounds = rounds_of(found)
            lines.append(f"{name:14} {work:8} {ratio}  {rounds} round{'s' * (rounds != 1)}{verdict}")
        lines += [f"{name:14} {version}: {reason}" for version, reason in found["absent"].items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="git revision to compare the working tree with")
    parser.add_argument("--rounds", type=int, default=ENOUGH)
    parser.add_argument("--decide", type=int, default=DECISIVE, help="rounds of cells that look slow")
    parser.add_argument("--cells", nargs="*", default=["*"], help="names or patterns, such as 'cnn-*'")
    parser.add_argument("--seconds", type=float, default=0.25, help="of each timing")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engine", choices=(NUMBA, NUMPY), default=NUMBA)
    parser.add_argument("--out", type=Path, default=Path("out/versus"))
    given = parser.parse_args()
    wanted = [c for c in cells(given.threads) if any(fnmatchcase(c.name, pattern) for pattern in given.cells)]
    if not wanted:
        parser.error(f"no cell is called {' or '.join(given.cells)}: {', '.join(c.name for c in cells(given.threads))}")
    make_folder(given.out)
    with tempfile.TemporaryDirectory(prefix="convlens-versus-") as folder:
        unpack(given.revision, Path(folder))
        with Versions({BASE: Path(folder), NEW: ROOT}, given.engine) as pool:
            results = race(wanted, pool, given.rounds, max(given.rounds, given.decide), given.seconds)
    text = report(results)
    print(text if given.rounds >= ENOUGH else f"{text}\nfewer than {ENOUGH} rounds decide nothing")
    record = {
        "revision": git("rev-parse", given.revision).decode().strip(),
        "working tree": git("describe", "--always", "--dirty").decode().strip(),
        "engine": given.engine,
        "hardware": hardware(),
        "versions": versions(),
        "cells": {
            name: {**found, "ratios": {work: vars(ratio) for work, ratio in ratios(found).items()}}
            for name, found in results.items()
        },
    }
    write_atomically(given.out / "versus.json", (json.dumps(record, indent=1) + "\n").encode())
    sys.exit(any(slow(found) for found in results.values()))


if __name__ == "__main__":
    main()
