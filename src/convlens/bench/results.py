"""Ratios and other figures derived from a result, which is plain data as in its JSON file."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .cells import EAGER, GEMM, OURS

FORMAT = 1  # of the file
Rates = Mapping[str, list[float]]  # by peer, one per round
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


@dataclass(frozen=True)
class Fastest:
    """Of several peers, the one with the highest median rate, and the highest rate of any in each round."""

    name: str
    rates: list[float]

    @classmethod
    def of(cls, rates: Rates, among: Iterable[str]) -> Fastest | None:
        """Return the fastest of some peers; None if none of them was measured."""
        present = [name for name in among if rates.get(name)]
        if not present:
            return None
        usual = max(present, key=lambda name: statistics.median(rates[name]))
        return cls(usual, [max(of_round) for of_round in zip(*(rates[name] for name in present), strict=True)])


def better_eager(rates: Rates) -> Fastest | None:
    """Return PyTorch's better eager memory format."""
    return Fastest.of(rates, EAGER)


def best_torch(rates: Rates) -> Fastest | None:
    """Return the best PyTorch mode tried, torch.compile included."""
    return Fastest.of(rates, [name for name in rates if name.startswith("torch")])


def ratios(rates: Rates) -> dict[str, dict[str, dict[str, Any]]]:
    """Return each of our engines' ratios: to every peer, to the better eager format and to the best PyTorch mode."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for ours in OURS:
        if not rates.get(ours):
            continue
        row = {name: _entry(rates[ours], name, rates[name]) for name in rates if name not in (ours, GEMM)}
        for title, best in (("better eager PyTorch", better_eager(rates)), ("best PyTorch", best_torch(rates))):
            if best is not None:
                row[title] = _entry(rates[ours], best.name, best.rates)
        found[ours] = row
    return found


def _entry(ours: list[float], peer: str, theirs: list[float]) -> dict[str, Any]:
    ratio = Ratio.of(ours, theirs)
    return {"peer": peer, "median": ratio.median, "low": ratio.low, "high": ratio.high}


def share_of_peak(cell: Mapping[str, Any], work: str, name: str) -> Ratio | None:
    """Return the share of the measured GEMM peak that a peer reaches, counting the FLOPs of direct convolution."""
    rates = cell["rates"][work]
    if not rates.get(name) or not rates.get(GEMM):
        return None
    passes = TRAINING_PASSES if work == "train" else 1
    return Ratio.of([rate * cell["flops"] * passes for rate in rates[name]], rates[GEMM])


def race_ratio(race: Mapping[str, Any], key: str) -> Ratio | None:
    """Return convlens's time as a share of PyTorch's, paired by seed; key is ``seconds`` or ``cold_seconds``."""
    runs = list(race["runs"].values())
    if len(runs) < 2:
        return None
    ours, theirs = race["runs"]["convlens"], race["runs"]["torch-channels-last"]
    return Ratio.of([row[key] for row in ours], [row[key] for row in theirs])
