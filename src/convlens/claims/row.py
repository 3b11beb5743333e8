"""A row of the claims: a sub-claim, what was measured for it, and its verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..plain import check_keys
from ..studies.assessment.evidence import EstimandEvidence
from ..studies.metric import Metric
from ..studies.statistics.stats import Interval
from ..studies.statistics.verdict import Verdict, compound

NOT_TRAINED = "not trained here"
"""How a row is incomplete whose arms the run does not train, because they take too long."""

NOT_HERE = "not possible here"
"""How a row is incomplete whose study needs what is not on this computer."""


@dataclass(frozen=True)
class StoredRow:
    """What the results that ship with convlens say of a row: measured earlier, with the study's standard profile."""

    interval: Interval
    verdict: Verdict

    @classmethod
    def of(cls, found: EstimandEvidence) -> StoredRow | None:
        """Return an estimand's interval and verdict; None if nothing was measured."""
        return None if found.interval is None else cls(found.interval, found.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"measured": self.interval.to_dict(), "verdict": self.verdict.to_dict()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> StoredRow:
        """Read what `to_dict` wrote."""
        check_keys(("measured", "verdict"), given, "stored")
        return cls(_interval(given["measured"]), Verdict.from_dict(given["verdict"]))


@dataclass(frozen=True)
class ClaimRow:
    """One sub-claim with its verdict.

    Attributes
    ----------
    name
        Short and lasting, by which a document chooses it: ``"cnn-over-baseline-wide"``.
    number
        Number of the claim it belongs to.
    claim
        What was claimed, in words.
    claimed
        The value that was claimed, as text.
    interval
        What this run measured, in the metric's unit; None if nothing was measured.
    verdict
        The verdict, with a sentence that gives its numbers.
    command
        The command that measures it.
    metric
        What is measured; None where arithmetic decides.
    signed
        Whether it is a difference of two arms.
    stored
        What the results that ship with convlens say; None if none are stored. It stands beside what was measured,
        never instead.
    beside
        Whether it only stands beside the claim, which does not depend on it: a control, or a matched comparison.
    """

    name: str
    number: int
    claim: str
    claimed: str
    interval: Interval | None
    verdict: Verdict
    command: str
    metric: Metric | None = None
    signed: bool = False
    stored: StoredRow | None = None
    beside: bool = False

    @property
    def left_out(self) -> bool:
        """Whether this run could not measure it: it takes too long, or something is missing on this computer."""
        return self.verdict.how in (NOT_TRAINED, NOT_HERE)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "number": self.number,
            "claim": self.claim,
            "claimed": self.claimed,
            "measured": None if self.interval is None else self.interval.to_dict(),
            "verdict": self.verdict.to_dict(),
            "command": self.command,
            "metric": None if self.metric is None else self.metric.to_dict(),
            "signed": self.signed,
            "stored": None if self.stored is None else self.stored.to_dict(),
            "beside": self.beside,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ClaimRow:
        """Read what `to_dict` wrote."""
        known = {"interval" if name == "measured" else name: value for name, value in given.items()}
        check_keys(cls, known, "claim")
        parts = {
            "interval": None if given["measured"] is None else _interval(given["measured"]),
            "verdict": Verdict.from_dict(given["verdict"]),
            "metric": None if given["metric"] is None else Metric.from_dict(given["metric"]),
            "stored": None if given["stored"] is None else StoredRow.from_dict(given["stored"]),
        }
        return cls(**{**known, **parts})


def _interval(given: Mapping[str, Any]) -> Interval:
    """Read an interval; a bound that is None is infinite."""
    infinite = {"low": -math.inf, "high": math.inf}
    known: dict[str, Any] = {name: infinite.get(name) if value is None else value for name, value in given.items()}
    return Interval(**known)


def compounds(rows: Sequence[ClaimRow]) -> dict[int, Verdict]:
    """Return one verdict for each numbered claim, from those of its parts: it holds only if all of them do.

    Rows that only stand beside their claim do not count.
    """
    return _compounds([(row.number, row.verdict) for row in rows if not row.beside])


def stored_compounds(rows: Sequence[ClaimRow]) -> dict[int, Verdict]:
    """Return one verdict for each claim by the stored results and by arithmetic; none where a part is not stored."""
    parts = [
        (row.number, row.verdict if row.metric is None else None if row.stored is None else row.stored.verdict)
        for row in rows
        if not row.beside
    ]
    lacking = {number for number, verdict in parts if verdict is None}
    return _compounds([(number, one) for number, one in parts if one is not None and number not in lacking])


def _compounds(parts: Sequence[tuple[int, Verdict]]) -> dict[int, Verdict]:
    numbers = dict.fromkeys(number for number, _ in parts)
    return {number: compound([verdict for of, verdict in parts if of == number]) for number in numbers}
