"""``convlens study run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...errors import ConfigurationError
from ...names import shown
from ..options import ClusterOption, EngineOption, JsonFlag, ThreadsOption, notes, out
from .options import FOLDER, FolderOption, ProfileOption
from .printing import print_result, print_results_as_json


def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names from `convlens study list`.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All studies of the catalogue.")] = False,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="DIR", help="Also write each complete result as convlens ships its own."),
    ] = None,
    until_settled: Annotated[
        bool, typer.Option("--until-settled", help="Go on to the profile's later looks while the verdict is open.")
    ] = False,
    most_seeds: Annotated[
        int | None, typer.Option("--most-seeds", metavar="N", help="With --until-settled: no look beyond N seeds.")
    ] = None,
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", metavar="DIR", help="Write event files for TensorBoard here.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Run the missing trials of studies, and write a report of each, a page for a browser.

    Finished trials are kept: an interrupted run continues where it stopped, and a finished one is repeated at once.

    Example: [bold]convlens study run kernel-size --profile quick[/bold]
    """
    from ... import report, studies
    from ...studies.catalog import entry
    from ...studies.results.shipped import write_shipped
    from ..trials import TrialProgress, report_progress, require_none_failed, where_to_run

    if bool(names) == every:
        raise ConfigurationError("name the studies to run, or give --all; “convlens study list” has the names")
    wanted = tuple(dict.fromkeys(names or studies.entries()))
    for name in wanted:
        entry(name).profile(profile)  # every name is right, or nothing is run
    results = []
    for name in wanted:
        with TrialProgress(folder / "checkpoints") as display:
            result = studies.run_study(
                name,
                profile,
                folder=folder,
                progress=display,
                until_settled=until_settled,
                most_seeds=most_seeds,
                **where_to_run(cluster, engine, threads, display),
            )
        if tensorboard is not None:
            studies.write_events(result, tensorboard)
        notes.print("writing the report")
        page = report.write_in_folder(result, folder, report_progress)
        if not json:
            print_result(result)
            out.print(shown(f"report: {page}"))
        if keep is not None and not (result.evidence.missing or result.left_out):
            write_shipped(result, keep / f"{name}.json")
        results.append(result)
    if json:
        print_results_as_json(results)
    require_none_failed(results)
