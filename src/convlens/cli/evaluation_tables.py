"""An evaluation as text of any width: the scores of every class, and the confusion matrix or its largest entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..text_table import Piece, TextTable
from ..wording import NONE

if TYPE_CHECKING:
    from ..metrics import Evaluation
    from ..typing import IntArray

MOST_CONFUSED = 20  # pairs of classes shown if the whole matrix is too wide


def summary_lines(result: Evaluation) -> list[str]:
    """Return accuracy with its interval, loss and calibration error, one per line."""
    low, high = (f"{100 * bound:.2f}" for bound in result.accuracy_interval)
    return [
        f"accuracy           {100 * result.accuracy:.2f} %  (95 % interval over images: {low} to {high} %)",
        f"loss               {result.loss:.4f} nats",
        f"calibration error  {result.calibration_error:.4f}",
    ]


def class_table(result: Evaluation, names: Sequence[str]) -> TextTable:
    """Return precision, recall, F1 and support of every class, and the means over classes."""
    rows = [
        (name, *map(_percent, (one.precision, one.recall, one.f1)), f"{one.support:,}", f"{one.called:,}")
        for name, one in zip(names, result.classes, strict=True)
    ]
    macro = result.macro
    means = map(_percent, (macro.precision, macro.recall, macro.f1))
    rows.append(("mean of classes", *means, f"{result.images:,}", ""))
    columns = ("class", "precision", "recall", "F1", "images", "predicted")
    return TextTable("scores per class, in per cent", columns, rows, foot=1)


def undefined_note(result: Evaluation) -> str:
    """Say which scores are undefined and left out of the means; empty if all are defined."""
    never = sum(one.precision is None for one in result.classes)
    absent = sum(one.recall is None for one in result.classes)
    parts = [f"{never} never predicted"] if never else []
    parts += [f"{absent} without images"] if absent else []
    if not parts:
        return ""
    return f"Of the classes, {' and '.join(parts)}: {NONE} marks an undefined score, which the means leave out."


def confusion_counts(result: Evaluation, names: Sequence[str], width: int) -> TextTable:
    """Return the confusion matrix, or the most frequent confusions if it is wider than `width` columns."""
    short = max(map(len, names)) <= 6
    headings = [name if short else str(number) for number, name in enumerate(names)]
    rows: list[tuple[str | Piece, ...]] = [
        (name if short else f"{number} {name}", *(_cell(count, number == column) for column, count in enumerate(row)))
        for number, (name, row) in enumerate(zip(names, result.confusion.tolist(), strict=True))
    ]
    title = "confusion matrix: true classes in rows, predicted in columns"
    table = TextTable(title, ("", *headings), rows)
    return table if table.fits(width) else _frequent(result.confusion, names)


def _frequent(confusion: IntArray, names: Sequence[str]) -> TextTable:
    """Return the most frequent confusions."""
    errors = [
        (count, true, called)
        for true, row in enumerate(confusion.tolist())
        for called, count in enumerate(row)
        if count and true != called
    ]
    errors.sort(key=lambda one: (-one[0], one[1], one[2]))
    more = f"; {len(errors) - MOST_CONFUSED:,} more pairs in --json" if len(errors) > MOST_CONFUSED else ""
    rows = [(names[true], names[called], f"{count:,}") for count, true, called in errors[:MOST_CONFUSED]]
    columns = ("true class", "predicted", "images")
    return TextTable(f"most frequent in the confusion matrix{more}", columns, rows, left=(0, 1), names=(0, 1))


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.2f}"


def _cell(count: int, right: bool) -> Piece:
    """Return a count of the confusion matrix: correct counts dimmed, errors highlighted."""
    if right:
        return str(count), "dim"
    return (str(count), "bold red") if count else ("·", "dim")
