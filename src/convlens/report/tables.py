"""The claims as text: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from ..claims.rows import ClaimRow
from ..text_table import TextTable
from ..wording import seeds
from .claim_words import any_stored, measured, parts, stored
from .words import MARKS, by_arithmetic, calculation, explanation

STYLES = {"supported": "green", "true": "green", "refuted": "red", "false": "red", "inconclusive": "yellow",
          "preview": "yellow", "incomplete": "yellow"}  # fmt: skip


def claims_table(claims: Sequence[ClaimRow]) -> TextTable:
    """Return the claims as a table; with a column of stored results, if there are any."""
    rows = []
    for row in claims:
        word = row.verdict.word
        verdict = (f"{MARKS[word]} {row.verdict.label}", f"bold {STYLES[word]}")
        beside = (stored(row),) if any_stored(claims) else ()
        rows.append((f"{row.number} {row.claim}", row.claimed, _measured_cell(row), verdict, *beside))
    columns = ("claim", "claimed", "measured", "verdict", *(("stored",) if any_stored(claims) else ()))
    return TextTable("Claims put to the test", columns, rows, left=range(len(columns)), names=(), spaced=True)


def claims_lines(claims: Sequence[ClaimRow]) -> list[str]:
    """Return one plain line per claim, for logs and pipes."""
    return [_line(row) for row in claims]


def _measured_cell(row: ClaimRow) -> str:
    """Return mean, bounds and n on separate lines, so that a narrow column breaks between them."""
    if by_arithmetic(row.verdict):
        return calculation(row.verdict)
    interval = row.interval
    if interval is None:
        return "nothing yet"
    return "\n".join(part for part in (*parts(row, interval), f"n = {interval.n}") if part)


def _line(row: ClaimRow) -> str:
    start = f"claim {row.number}: {row.claim}: {row.verdict.label.upper()}"
    if by_arithmetic(row.verdict):
        return f"{start}. Claimed {row.claimed}; {calculation(row.verdict)}."
    found = measured(row, row.interval) + (f", {seeds(row.interval.n)}" if row.interval else "")
    beside = "" if row.stored is None else f" Stored: {stored(row)}."
    return (
        f"{start}. Claimed {row.claimed}; measured {found}. {explanation(row.verdict, row.interval)}".rstrip() + beside
    )
