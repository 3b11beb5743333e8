"""Rounds: in each, the peers are timed in turn, while the others sleep.

A process may be fast or slow for its whole life, depending on the placement of its memory; a machine may be so for
minutes. So each cell is visited several times, with other cells in between, for a few rounds each and with new
processes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .cells import GEMM, WORKS, Cell
from .coordinator import MEASURE_SECONDS, PREPARE_SECONDS, PeerLost, PeerPool, Worker
from .load import DISTURBED
from .peers import YARDSTICKS, works_of
from .peers.gemm import FLOPS

TRIES = 4  # maximum for one timing
ROUNDS_OF_A_VISIT = 3
MEMORY_SECONDS = 2.0  # of training before the memory is read


def visits(rounds: int) -> list[int]:
    """Return the number of rounds after each visit of a cell."""
    return [*range(ROUNDS_OF_A_VISIT, rounds, ROUNDS_OF_A_VISIT), rounds]


def rounds_of(found: Mapping[str, Any] | None) -> int:
    """Return the number of rounds in a cell's result."""
    return max((len(row) for of_work in found["rates"].values() for row in of_work.values()), default=0) if found else 0


def time_cell(
    cell: Cell,
    pool: PeerPool,
    until: int,
    seconds: float,
    missing: dict[str, str],
    say: Callable[[str], None],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure a cell with new processes until it has `until` rounds, and return its result.

    The result holds every peer's rates by work and round, with the share of the machine that others took meanwhile
    (None where it is unknown), which peers are absent and why, and the seconds of the first calls (of the first visit
    only, because later visits profit from compilers' caches). `before` is the result so far.

    Rates are in images/s, that of `GEMM` in FLOP/s.
    """
    say(f"{cell.name}: preparing the peers, compilation included")
    absent = dict(before["absent"]) if before else {}
    first, lost = _prepare(cell, pool, missing, without=absent)
    absent |= lost
    begun = rounds_of(before)
    say(f"{cell.name}: rounds {begun + 1} to {until}")
    present = [name for name in cell.peers if name in first]
    workers = {work: [name for name in present if work in works_of(name)] for work in WORKS}
    rates: dict[str, dict[str, list[float]]] = {
        work: {name: list(before["rates"][work][name]) if before else [] for name in workers[work]} for work in WORKS
    }
    shares: dict[str, dict[str, list[float | None]]] = {
        work: {name: _shares_so_far(before, work, name) for name in workers[work]} for work in WORKS
    }
    for number in range(begun, until):
        for work in WORKS:
            for name in workers[work] if number % 2 == 0 else workers[work][::-1]:
                if name in absent:
                    continue
                try:
                    rate, others = _rate(cell, pool.worker(name), name, work, seconds)
                    rates[work][name].append(rate)
                    shares[work][name].append(others)
                except PeerLost as error:
                    absent[name] = f"in round {number + 1}: {error}"
                    pool.dismiss(name)
    for name in present:
        pool.dismiss(name)
    here = {work: [name for name in workers[work] if name not in absent] for work in WORKS}
    return {
        "cell": cell.to_dict(),
        "rates": {work: {name: rates[work][name] for name in here[work]} for work in WORKS},
        "others": {work: {name: shares[work][name] for name in here[work]} for work in WORKS},
        "absent": absent,
        "first_call_seconds": before["first_call_seconds"] if before else first,
    }


def _shares_so_far(before: Mapping[str, Any] | None, work: str, name: str) -> list[float | None]:
    """Return what others took in the rounds so far; a result of an earlier version has not kept it."""
    if before is None:
        return []
    unknown: list[float | None] = [None] * len(before["rates"][work][name])
    return list(before.get("others", {}).get(work, {}).get(name, unknown))


def _prepare(
    cell: Cell, pool: PeerPool, missing: dict[str, str], without: Collection[str] = ()
) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Prepare all peers at the same time, compilation included, before any is timed."""
    waiting: dict[str, Worker] = {}
    first: dict[str, dict[str, float]] = {}
    absent: dict[str, str] = {}
    for name in cell.peers:
        if name in without:
            continue
        try:
            waiting[name] = pool.worker(name)
            waiting[name].send({"do": "prepare", "cell": cell.to_dict(), "works": list(works_of(name))})
        except PeerLost as lost:
            absent[name] = str(lost)
    for name, worker in waiting.items():
        try:
            first[name] = worker.receive(PREPARE_SECONDS)["first"]
        except PeerLost as lost:
            absent[name] = explained(name, str(lost), missing)
            pool.dismiss(name)
    return first, absent


def explained(name: str, reason: str, missing: dict[str, str]) -> str:
    """Return why a peer is absent, with the reason why its library, or the module it lacks, could not be installed."""
    of_peer = [why for module, why in missing.items() if module == name.partition("-")[0] or f"'{module}'" in reason]
    return f"{reason} ({'; '.join(of_peer)})" if of_peer else reason


def _rate(cell: Cell, worker: Worker, name: str, work: str, seconds: float) -> tuple[float, float | None]:
    """Return the rate of the least disturbed of several tries, and the share of the machine others took."""
    units, found = FLOPS if name == GEMM else cell.batch, []
    for _ in range(TRIES):
        answer = worker.ask({"do": "measure", "work": work, "seconds": seconds}, MEASURE_SECONDS)
        others: float | None = answer.get("others")
        found.append((others, answer["calls"] * units / answer["seconds"]))
        if others is None or others <= DISTURBED:
            break
    others, rate = min(found, key=lambda one: one[0] or 0.0)
    return rate, others


def measure_memory(cell: Cell, pool: PeerPool, missing: dict[str, str], say: Callable[[str], None]) -> dict[str, Any]:
    """Return the peak memory in MiB of a process that has trained one cell and done nothing else, by peer."""
    peak, absent = {}, {}
    for name in cell.peers:
        if name in YARDSTICKS or "train" not in works_of(name):
            continue
        say(f"memory: {name}")
        pool.dismiss(name)
        try:
            worker = pool.worker(name)
            worker.ask({"do": "prepare", "cell": cell.to_dict(), "works": ["train"]}, PREPARE_SECONDS)
            worker.ask({"do": "measure", "work": "train", "seconds": MEMORY_SECONDS}, MEASURE_SECONDS)
            peak[name] = round(worker.ask({"do": "memory"}, MEASURE_SECONDS)["mib"], 1)
        except PeerLost as lost:
            absent[name] = explained(name, str(lost), missing)
        pool.dismiss(name)
    return {"cell": cell.to_dict(), "peak_mib": peak, "absent": absent}
