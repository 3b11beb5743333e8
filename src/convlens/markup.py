"""Small HTML tables for notebooks: escaped, and without colours, so readable on any background."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from .names import shown


def html_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an HTML table of text and numbers; everything is escaped, and numbers are right-aligned.

    >>> html_table("a < b", ["name", "n"], [["x", 1200]]).count("<td")
    2
    """
    lines = ["<table>", f"<caption>{escape(shown(title))}</caption>"]
    if header:
        lines.append("<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>")
    lines += ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    return "\n".join((*lines, "</table>"))


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f'<td style="text-align: right">{value:,}</td>'
    return f'<td style="text-align: left">{escape(shown(value))}</td>'
