"""An evaluation as text of 80 columns: the scores of every class, and the confusion matrix or its largest entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..metrics import Evaluation
    from ..typing import IntArray

NONE = "–"  # an undefined score
MOST_CONFUSED = 20  # pairs of classes shown if the whole matrix is too wide
_NAME = 24  # characters of a name


def summary_lines(result: Evaluation) -> list[str]:
    """Return accuracy with its interval, loss and calibration error, one per line."""
    low, high = (f"{100 * bound:.2f}" for bound in result.accuracy_interval)
    return [
        f"accuracy           {100 * result.accuracy:.2f} %  (95 % interval over images: {low} to {high} %)",
        f"loss               {result.loss:.4f} nats",
        f"calibration error  {result.calibration_error:.4f}",
    ]


def class_table(result: Evaluation, names: Sequence[str]) -> Table:
    """Return precision, recall, F1 and support of every class, and the means over classes."""
    table = Table(title="scores per class, in per cent", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("class", no_wrap=True, max_width=_NAME, overflow="ellipsis")
    for heading in ("precision", "recall", "F1", "images", "predicted"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one in zip(names, result.classes, strict=True):
        scores = map(_percent, (one.precision, one.recall, one.f1))
        table.add_row(Text(name), *scores, f"{one.support:,}", f"{one.called:,}")
    macro = result.macro
    table.add_section()
    table.add_row(
        "mean of classes", *map(_percent, (macro.precision, macro.recall, macro.f1)), f"{result.images:,}", ""
    )
    return table


def undefined_note(result: Evaluation) -> str:
    """Say which scores are undefined and left out of the means; empty if all are defined."""
    never = sum(one.precision is None for one in result.classes)
    absent = sum(one.recall is None for one in result.classes)
    parts = [f"{never} never predicted"] if never else []
    parts += [f"{absent} without images"] if absent else []
    if not parts:
        return ""
    return f"Of the classes, {' and '.join(parts)}: {NONE} marks an undefined score, which the means leave out."


def confusion_counts(result: Evaluation, names: Sequence[str], width: int) -> Table:
    """Return the confusion matrix, or the most frequent confusions if it is wider than `width` columns."""
    short = max(map(len, names)) <= 6
    headings = [name if short else str(number) for number, name in enumerate(names)]
    rows = [name if short else f"{number} {name}" for number, name in enumerate(names)]
    cells = [
        max(len(heading), *(len(str(count)) for count in column)) + 2
        for heading, column in zip(headings, result.confusion.T.tolist(), strict=True)
    ]
    if sum(cells) + min(_NAME, max(map(len, rows))) + 4 > width:
        return _frequent(result.confusion, names)
    table = Table(title="confusion matrix: true classes in rows, predicted in columns", title_justify="left",
                  box=box.SIMPLE_HEAD)  # fmt: skip
    table.add_column("", no_wrap=True, max_width=_NAME, overflow="ellipsis")
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for position, (name, row) in enumerate(zip(rows, result.confusion.tolist(), strict=True)):
        table.add_row(Text(name), *(_cell(count, position == column) for column, count in enumerate(row)))
    return table


def _frequent(confusion: IntArray, names: Sequence[str]) -> Table:
    """Return the most frequent confusions."""
    errors = [
        (count, true, called)
        for true, row in enumerate(confusion.tolist())
        for called, count in enumerate(row)
        if count and true != called
    ]
    errors.sort(key=lambda one: (-one[0], one[1], one[2]))
    more = f"; {len(errors) - MOST_CONFUSED:,} more pairs in --json" if len(errors) > MOST_CONFUSED else ""
    table = Table(title=f"most frequent in the confusion matrix{more}", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("true class", "predicted"):
        table.add_column(heading, no_wrap=True, max_width=_NAME, overflow="ellipsis")
    table.add_column("images", justify="right")
    for count, true, called in errors[:MOST_CONFUSED]:
        table.add_row(Text(names[true]), Text(names[called]), f"{count:,}")
    return table


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.2f}"


def _cell(count: int, right: bool) -> str:
    """Return a count of the confusion matrix: correct counts dimmed, errors highlighted."""
    if right:
        return f"[dim]{count}[/dim]"
    return f"[bold red]{count}[/bold red]" if count else "[dim]·[/dim]"
