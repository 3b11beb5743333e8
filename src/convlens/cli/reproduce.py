"""``convlens reproduce``: the claims, put to the test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ConfigurationError
from ..names import shown
from .options import ClusterOption, EngineOption, ThreadsOption, duration, notes, out, print_json

if TYPE_CHECKING:
    from ..claims import Reproduction


def reproduce(
    quick: Annotated[bool, typer.Option("--quick", help="A preview: one seed, few images; about a minute.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Every arm of these studies, with all seeds: hours.")] = False,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the report and the trials.")] = Path(
        "out/studies"  # studies.run.FOLDER: a trial that a study has run is not run again
    ),
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the claims as JSON.")] = False,
) -> None:
    """Train what all ten claims need, five seeds each, and put them to the test: at most 15 minutes on two cores.

    Results that ship with convlens stand beside what is measured here, as “stored”. Finished trials are kept, so an
    interrupted run continues where it stopped, and repeating a finished run is immediate.

    Example: [bold]convlens reproduce --quick[/bold]
    """
    if quick and full:
        raise ConfigurationError("choose --quick or --full, not both")
    start = time.perf_counter()
    from .. import claims, report
    from .trials import TrialProgress, report_progress, require_none_failed, where_to_run

    with TrialProgress(folder / "checkpoints") as display:
        profile = "quick" if quick else "full" if full else "standard"
        where = where_to_run(cluster, engine, threads, display)
        found = claims.reproduce(profile, folder, progress=display, **where)
    notes.print("writing the report")
    written = report.write_report(found, folder, report_progress)
    if json:
        print_json([row.to_dict() for row in found.claims])
    else:
        _show_claims(found)
        for line in report.summary(found):
            out.print(line)
        page = next(path for path in written if path.name == "report.html")
        out.print(shown(f"{duration(time.perf_counter() - start)}; report: {page}"))
    require_none_failed(found.studies.values())


def _show_claims(found: Reproduction) -> None:
    """Print the claims."""
    from ..report import claims_lines, claims_table

    if out.room is not None:
        out.print(claims_table(found.claims))
    else:
        for line in claims_lines(found.claims):
            out.print(line)
