"""Ratios and other figures derived from a result, which is plain data as in its JSON file."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..wording import count, percent
from .cells import EAGER, GEMM, OURS, RUNTIMES, WORKS
from .load import DISTURBED

FORMAT = 1  # of the file
Rates = Mapping[str, Sequence[float | None]]  # by peer, one per round; None: disturbed by other processes
CALM = 0.5  # of the yardstick's best rate in a cell: in a slower round, something else was using the machine
TRAINING_PASSES = 3  # forward, and two products of the same size backward


@dataclass(frozen=True)
class Ratio:
    """Median, minimum and maximum, over rounds, of the ratio within a round."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, ours: Iterable[float], theirs: Iterable[float]) -> Ratio:
        """Return the ratio of two peers from their rates by round."""
        pairs = [a / b for a, b in zip(ours, theirs, strict=True)]
        return cls(statistics.median(pairs), min(pairs), max(pairs))

    def __str__(self) -> str:
        digits = 2 if self.high < 10 else 1
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Withheld:
    """A ratio that is not given, and why: a number from a disturbed measurement would be taken for a result."""

    reason: str

    def __str__(self) -> str:
        return "disturbed"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"withheld": self.reason}


def compared(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Ratio | Withheld:
    """Return the ratio of two peers over the rounds in which neither was disturbed; withheld if they are under half."""
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    if 2 * len(pairs) < len(ours) or not pairs:
        return Withheld(f"{len(ours) - len(pairs)} of {len(ours)} rounds")
    return Ratio.of(*zip(*pairs, strict=True))


def undisturbed(cell: Mapping[str, Any], work: str) -> dict[str, list[float | None]]:
    """Return a cell's rates by peer, with None for disturbed timings.

    A timing is disturbed if other processes took more than a tenth of the machine, at every try, or if the yardstick,
    timed in the same round, reached less than half of its best rate: the only sign where the load is not reported.
    """
    shares, yardstick = cell.get("others", {}).get(work, {}), cell["rates"][work].get(GEMM, [])
    best = max((rate for of_work in cell["rates"].values() for rate in of_work.get(GEMM, [])), default=0.0)
    slow = {number for number, rate in enumerate(yardstick) if rate < CALM * best}
    found = {}
    for name, rates in cell["rates"][work].items():
        of_peer = shares.get(name, [None] * len(rates))
        found[name] = [
            None if number in slow or (others or 0) > DISTURBED else rate
            for number, (rate, others) in enumerate(zip(rates, of_peer, strict=True))
        ]
    return found


@dataclass(frozen=True)
class Fastest:
    """Of several peers, the one with the highest median rate, and the highest rate of any in each round."""

    name: str
    rates: list[float | None]

    @classmethod
    def of(cls, rates: Rates, among: Iterable[str]) -> Fastest | None:
        """Return the fastest of some peers; None if none of them was measured. A round counts if none was disturbed."""
        present = [name for name in among if rates.get(name)]
        if not present:
            return None
        usual = max(present, key=lambda name: statistics.median([rate or 0.0 for rate in rates[name]]))
        rounds = zip(*(rates[name] for name in present), strict=True)
        return cls(usual, [None if None in of_round else max(filter(None, of_round)) for of_round in rounds])


def better_eager(rates: Rates) -> Fastest | None:
    """Return PyTorch's better eager memory format."""
    return Fastest.of(rates, EAGER)


def best_torch(rates: Rates) -> Fastest | None:
    """Return the best PyTorch mode tried, torch.compile included."""
    return Fastest.of(rates, [name for name in rates if name.startswith("torch")])


def best(rates: Rates) -> Fastest | None:
    """Return the best of PyTorch's modes and of the runtimes that only predict."""
    return Fastest.of(rates, [name for name in rates if name.startswith("torch") or name in RUNTIMES])


def ratios(rates: Rates) -> dict[str, dict[str, dict[str, Any]]]:
    """Return each of our engines' ratios: to every peer, to the better eager format and to the best PyTorch mode.

    Where a runtime was measured, also to the best of all.
    """
    groups = {"better eager PyTorch": better_eager(rates), "best PyTorch": best_torch(rates)}
    if any(rates.get(name) for name in RUNTIMES):
        groups["best"] = best(rates)
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for ours in OURS:
        if not rates.get(ours):
            continue
        row = {name: _entry(rates[ours], name, rates[name]) for name in rates if name not in (ours, GEMM)}
        for title, fastest in groups.items():
            if fastest is not None:
                row[title] = _entry(rates[ours], fastest.name, fastest.rates)
        found[ours] = row
    return found


def _entry(ours: Sequence[float | None], peer: str, theirs: Sequence[float | None]) -> dict[str, Any]:
    return {"peer": peer, **compared(ours, theirs).to_dict()}


def share_of_peak(cell: Mapping[str, Any], work: str, name: str) -> Ratio | Withheld | None:
    """Return the share of the measured GEMM peak that a peer reaches, counting the FLOPs of direct convolution."""
    rates = undisturbed(cell, work)
    if not rates.get(name) or not rates.get(GEMM):
        return None
    passes = TRAINING_PASSES if work == "train" else 1
    flops = cell["flops"] * passes
    return compared([None if rate is None else rate * flops for rate in rates[name]], rates[GEMM])


def race_ratio(race: Mapping[str, Any], key: str) -> Ratio | Withheld | None:
    """Return convlens's time as a share of PyTorch's, paired by seed; key is ``seconds`` or ``cold_seconds``."""
    runs = list(race["runs"].values())
    if len(runs) < 2:
        return None
    ours, theirs = race["runs"]["convlens"], race["runs"]["torch-channels-last"]
    return compared(
        *([None if (row.get("others") or 0) > DISTURBED else row[key] for row in of] for of in (ours, theirs))
    )


def disturbance(result: Mapping[str, Any]) -> str | None:
    """Return that a result was disturbed, with its load and the number of withheld ratios; None if none is withheld."""
    cells, race = result["cells"].values(), result.get("time-to-99")
    entries = [
        entry for cell in cells for work in WORKS for of in cell["ratios"][work].values() for entry in of.values()
    ]
    raced = race_ratio(race, "seconds") if race else None
    withheld = sum("withheld" in entry for entry in entries) + isinstance(raced, Withheld)
    if not withheld:
        return None
    shares = [
        share or 0.0 for cell in cells for of in cell.get("others", {}).values() for row in of.values() for share in row
    ]
    most = max(shares, default=0.0)
    load = f": other processes took up to {percent(most, 0)} of the machine" if most > DISTURBED else ""
    return (
        f"This measurement was disturbed{load}. {count(withheld, 'ratio')} of {len(entries) + (raced is not None)} "
        f"{'is' if withheld == 1 else 'are'} withheld, and rates are too low. Repeat it on a quiet machine."
    )
