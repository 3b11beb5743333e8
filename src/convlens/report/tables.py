"""The claims on a terminal: a table on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from ..claims.rows import ClaimRow
from ..figures.numbers import measured, parts
from ..wording import seeds
from .words import MARKS, by_arithmetic, calculation, explanation

STYLES = {"supported": "green", "true": "green", "refuted": "red", "false": "red", "inconclusive": "yellow"}


def claims_table(claims: Sequence[ClaimRow]) -> Table:
    """Return the claims as a table for 80 columns or more."""
    table = Table(title="Claims put to the test", title_justify="left", show_lines=True, box=box.SIMPLE)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("claim", min_width=18, overflow="fold")
    table.add_column("claimed", min_width=8, max_width=14)
    table.add_column("measured", min_width=16, max_width=44)
    table.add_column("verdict", no_wrap=True)
    for row in claims:
        word = row.verdict.word
        cells = (str(row.number), row.claim, row.claimed, _measured_cell(row))
        # as Text, so that a bracket in a claim is never read as markup
        table.add_row(*map(Text, cells), Text(f"{MARKS[word]} {row.verdict.label}", style=f"bold {STYLES[word]}"))
    return table


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
    return "\n".join(part for part in (*parts(interval), f"n = {interval.n}") if part)


def _line(row: ClaimRow) -> str:
    start = f"claim {row.number}: {row.claim}: {row.verdict.label.upper()}"
    if by_arithmetic(row.verdict):
        return f"{start}. Claimed {row.claimed}; {calculation(row.verdict)}."
    found = measured(row.interval) + (f", {seeds(row.interval.n)}" if row.interval else "")
    return f"{start}. Claimed {row.claimed}; measured {found}. {explanation(row.verdict, row.interval)}".rstrip()
