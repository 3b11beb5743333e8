"""Results of studies on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...names import shown
from ...text_table import TextTable
from ..options import out, print_json

if TYPE_CHECKING:
    from ...report.sections import Rows
    from ...studies import StudyResult


def print_results_as_json(results: Sequence[StudyResult]) -> None:
    """Print one result as it is, several as a list."""
    from ...report.results import study_results

    found = [study_results(result) for result in results]
    print_json(found[0] if len(found) == 1 else found)


def print_result(result: StudyResult, *, details: bool = False) -> None:
    """Print the question, what was measured, what is missing, the answer, and every warning.

    With `details`, every metric of every arm, and all that was computed of every contrast.
    """
    from ...report import sections, short_tables
    from ...report.words import study_answer, warnings

    out.print(result.evidence.study.question)
    if result.stored:
        out.print(shown(f"stored with convlens; measured {result.started[:10]}, {result.declared[-1].code}"))
    if result.trials:
        _print(sections.arms_table(result) if details else short_tables.short_arms_table(result))
        _print((sections.contrasts_table if details else short_tables.short_contrasts_table)(result.evidence))
    if result.failed:
        _print(sections.failed_table(result))
    found = (*_missing(result), study_answer(result)) if result.trials else ()
    out.print()
    for line in (*found, *warnings([result], result.command)):
        out.print(line)


def _missing(result: StudyResult) -> list[str]:
    """Return one line per failed trial, and one per arm that lacks other trials."""
    failed = {(one.planned.arm, one.planned.seed): one.failure for one in result.failed}
    lines = [f"missing: {arm}, seed {seed} (failed: {e.error}: {e.message})" for (arm, seed), e in failed.items()]
    reached = max((len(arm.evidence.seeds) for arm in result.arms), default=0)
    wanted = next((look for look in result.evidence.profile.all_looks if look >= reached), reached)
    for arm in result.arms if result.evidence.missing else ():
        declared = result.evidence.profile.seeds_of(arm.arm)[:wanted]
        left = [str(s) for s in declared if s not in arm.evidence.seeds and (arm.name, s) not in failed]
        if left:
            lines.append(f"missing: {arm.name}, seed{'' if len(left) == 1 else 's'} {', '.join(left)}")
    return lines


def _print(table: Rows) -> None:
    """Print a table: in columns on a terminal, elsewhere one line per row."""
    if out.room is None:
        out.print(table.caption)
        for row in table.rows:
            cells = (f"{column} {cell}" for column, cell in zip(table.columns[1:], row[1:], strict=True))
            out.print(f"  {row[0]}: {'; '.join(cells)}")
        return
    every = range(len(table.columns))
    out.print(TextTable(table.caption, table.columns, table.rows, left=every, names=(), spaced=True))
