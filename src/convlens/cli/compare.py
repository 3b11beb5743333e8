"""``convlens compare``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigurationError
from ..wording import MINUS, count, duration, hundredths, number, p_value, percent
from .options import JsonFlag, check_outputs, notes, out, print_json
from .trainings import check_curves, write_curves

if TYPE_CHECKING:
    from ..studies.results.comparison import Difference, Trainings
    from ..studies.statistics.stats import Interval

MOST_SETTINGS = 4  # that a difference lists


def compare(
    results: Annotated[
        list[Path], typer.Argument(metavar="RESULT...", help="Files that 'convlens train --json' has written.")
    ],
    curves: Annotated[Path | None, typer.Option("--curves", help="Draw their learning curves here, as PNG.")] = None,
    json: JsonFlag = False,
) -> None:
    """Compare results of training: mean and interval of each, and its difference from the first.

    Differences are paired by seed where seeds and split are the same.

    Example: [bold]convlens compare cnn.json baseline.json[/bold]
    """
    from ..studies.results.comparison import Trainings
    from ..studies.results.comparison import compare as compared

    if json and not results[-1].exists():
        raise ConfigurationError(
            f"there is no result {results[-1]}; --json takes no file, it prints: end the command with > {results[-1]}"
        )
    found = [Trainings.read(path) for path in results]
    if curves is not None:
        check_curves(curves)
        check_outputs(curves, inputs=results)
    differences = compared(found)
    if json:
        print_json(
            {"results": [_plain(one) for one in found], "differences": [_plain_difference(d) for d in differences]}
        )
    else:
        _print_table(found)
        for difference in differences:
            _print_difference(difference)
        if len(found) == 1:
            notes.print("nothing to compare it with; name two results or more")
    if curves is not None:
        write_curves(curves, {one.name: one.runs for one in found})
        notes.print(f"curves: {curves}", markup=False)


def _print_table(found: list[Trainings]) -> None:
    """Print a row for each result, on a narrow terminal without size and time; names come last, as they may be long."""
    rows = [("seeds", "accuracy", "95 % interval", "parameters", "training", "result")]
    for one in found:
        mean, size = one.mean, f"{one.runs[0]['parameters']:,}"
        rows.append((str(mean.n), percent(mean.mean), _bounds(mean), size, duration(one.seconds), one.name))
    lines = _aligned(rows)
    if out.is_terminal and max(map(len, lines)) > out.width:
        lines = _aligned([(*row[:3], row[-1]) for row in rows])
    for line in lines:
        out.print(line, markup=False)
    for one in found:
        if one.diverged:
            seeds = ", ".join(map(str, one.diverged))
            notes.print(f"{one.name}: {count(len(one.diverged), 'training')} diverged (seed {seeds}), and left out",
                        markup=False)  # fmt: skip


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines: every column but the last, of names, is aligned to the right."""
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    return [
        "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]


def _bounds(mean: Interval) -> str:
    if not mean.standard_deviation:
        return "one seed: none" if mean.n == 1 else "all equal: none"
    return f"{number(100 * mean.low, '.2f')} to {number(100 * mean.high, '.2f')} %"


def _print_difference(found: Difference) -> None:
    """Print a difference with its interval, what it means, and what the two results differ in."""
    interval = found.interval
    bounds = ""
    if found.p is not None and interval.low < interval.high:  # a width of zero is no certainty
        bounds = (
            f", {100 * interval.confidence:g} % interval {hundredths(interval.low)} to {hundredths(interval.high)} "
            f"({_method(interval)}, p {_equals(found.p)})"
        )
    word = {"better": f"{found.name} is better", "worse": f"{found.name} is worse"}.get(
        found.outcome, f"inconclusive: {found.why}"
    )
    out.print(
        f"{found.name} {MINUS} {found.reference}: {hundredths(interval.mean)} points{bounds}: {word}", markup=False
    )
    out.print(f"  {_differing(found)}", markup=False)


def _method(interval: Interval) -> str:
    if not interval.method.startswith("paired"):
        return "Welch: the seeds or splits are not the same"
    dropped = f", {count(interval.dropped, 'seed')} without a partner left out" if interval.dropped else ""
    return f"paired over {count(interval.n, 'seed')}{dropped}"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _differing(found: Difference) -> str:
    """Return the settings in which two results differ, in a line."""
    if not found.settings:
        return "they differ in no setting"
    parts = []
    for name, (before, after) in found.settings.items():
        one, other = _short(before), _short(after)
        parts.append(name if one == other else f"{name} ({one} and {other})")
    more = f", and {len(parts) - MOST_SETTINGS} more" if len(parts) > MOST_SETTINGS else ""
    return f"they differ in {', '.join(parts[:MOST_SETTINGS])}{more}"


def _short(value: object) -> str:
    if isinstance(value, list | tuple | dict):
        return count(len(value), "entry").replace("entrys", "entries")
    return "none" if value is None else str(value)


def _plain(one: Trainings) -> dict[str, Any]:
    return {
        "result": one.name,
        "seeds": list(one.accuracies),
        "diverged": list(one.diverged),
        "test.accuracy": one.mean.to_dict(),
        "parameters": one.runs[0]["parameters"],
        "seconds.train": one.seconds,
    }


def _plain_difference(found: Difference) -> dict[str, Any]:
    return {
        "result": found.name,
        "reference": found.reference,
        "difference": found.interval.to_dict(),
        "p": found.p,
        "outcome": found.outcome,
        "why": found.why,
        "settings": {name: list(values) for name, values in found.settings.items()},
    }
