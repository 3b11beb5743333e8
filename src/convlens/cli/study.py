"""``convlens study``: list, run and show the studies of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ..errors import ArtifactError, ConvlensError, DataError
from ..names import shown
from ..text_table import TextTable
from .options import ClusterOption, EngineOption, JsonFlag, ThreadsOption, notes, out, print_json

if TYPE_CHECKING:
    from ..report.sections import Rows
    from ..studies import StudyResult
    from ..studies.catalog import StudyEntry

app = typer.Typer(
    help="Studies answer a question with many trainings: list them, run one, show its result.\n\n"
    "Example: [bold]convlens study run kernel-size --profile quick[/bold]",
    no_args_is_help=True,
)

NameArgument: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="A name from `convlens study list`.")]
ProfileOption: TypeAlias = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="Size of the study: quick, standard or full.")
]
FolderOption: TypeAlias = Annotated[Path, typer.Option("--out", help="Folder of the trials and the reports.")]
FOLDER = Path("out/studies")


@app.command("list")
def listed(json: JsonFlag = False) -> None:
    """List the studies: the question of each, what it compares, and how many trainings it takes.

    Example: [bold]convlens study list[/bold]
    """
    from ..studies import entries

    broken: dict[str, str] = {}
    found = [_described(entry) for entry in entries(broken).values()]
    for reason in broken.values():
        notes.print(reason)
    if json:
        print_json(found)
        return
    for one in found:
        out.print(shown(f"{one['name']}: {one['question']}"))
        if one["arms"]:
            sizes = [f"{profile['name']} ({profile['trials']} trials)" for profile in one["profiles"]]
            out.print(shown(f"  arms: {'; '.join(one['arms'])}"))
            cost = f"standard takes at most {one['max_minutes']:g} minutes on two cores"
            out.print(shown(f"  profiles: {', '.join(sizes)}; {cost}"))
    out.print()
    out.print(
        "An arm is one of the networks that are compared, a trial is one training of an arm with one seed, and a "
        "profile says how many trials."
    )
    if found:
        out.print(f"Next: convlens study run {found[0]['name']} --profile quick")


@app.command("run")
def run(
    name: NameArgument,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    engine: EngineOption = None,
    threads: ThreadsOption = None,
    cluster: ClusterOption = None,
    tensorboard: Annotated[
        Path | None, typer.Option("--tensorboard", metavar="DIR", help="Write event files for TensorBoard here.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Run the missing trials of a study, and write its report, a page for a browser.

    Finished trials are kept: an interrupted run continues where it stopped, and a finished one is repeated at once.

    Example: [bold]convlens study run kernel-size --profile quick[/bold]
    """
    from .. import report, studies
    from .trials import TrialProgress, report_progress, require_none_failed, where_to_run

    with TrialProgress(folder / "checkpoints") as display:
        where = where_to_run(cluster, engine, threads, display)
        result = studies.run_study(name, profile, folder=folder, progress=display, **where)
    if tensorboard is not None:
        studies.write_events(result, tensorboard)
    notes.print("writing the report")
    written = report.write_study(result, folder / f"{name}-{profile}", report_progress)
    _show(result, json=json)
    if not json:
        out.print(shown(f"report: {next(path for path in written if path.name == 'report.html')}"))
    require_none_failed([result])


@app.command("show")
def show(
    name: NameArgument, profile: ProfileOption = "standard", folder: FolderOption = FOLDER, json: JsonFlag = False
) -> None:
    """Show the result of a study's finished trials, and which are missing; nothing is run.

    Example: [bold]convlens study show kernel-size --profile quick[/bold]
    """
    from ..studies import read_study
    from ..studies.run import STORE

    try:
        result = read_study(name, profile, folder=folder)
    except ArtifactError as error:
        if (folder / STORE).exists():  # damaged
            raise
        where = "" if folder == FOLDER else f" --out {folder}"
        raise ArtifactError(
            f"no trial is kept in {folder} yet; run the study first: "
            f"convlens study run {name} --profile {profile}{where}"
        ) from error
    except DataError as error:  # a study names its data by what is in them
        raise DataError(
            f"what {folder} holds of {name!r} cannot be shown without the data of the study: {error}"
        ) from error
    _show(result, json=json)


def _described(entry: StudyEntry) -> dict[str, Any]:
    """Return a study as plain data; if its data are not available, the question says so."""
    try:
        study = entry.study()
    except ConvlensError as error:
        return {"name": entry.name, "question": f"cannot be described here: {error}", "arms": [], "profiles": []}
    profiles = [
        {"name": name, "trials": sum(len(profile.seeds_of(arm)) for arm in study.arms), "seeds": list(profile.seeds)}
        for name, profile in entry.profiles.items()
    ]
    arms = [arm.name for arm in study.arms]
    return {
        "name": entry.name,
        "question": study.question,
        "arms": arms,
        "profiles": profiles,
        "max_minutes": study.max_minutes,
    }


def _show(result: StudyResult, *, json: bool) -> None:
    from ..report.results import study_results
    from ..report.sections import arms_table, contrasts_table, failed_table
    from ..report.words import study_answer, warnings

    if json:
        print_json(study_results(result))
        return
    tables = [arms_table(result), contrasts_table(result.evidence)] if result.trials else []
    for table in (*tables, *([failed_table(result)] if result.failed else [])):
        _print(table)
    found = (*_missing(result), study_answer(result)) if result.trials else ()
    for line in (*found, *warnings([result], result.command)):
        out.print(line)


def _missing(result: StudyResult) -> list[str]:
    """Return one line per failed trial, and one per arm that lacks other trials."""
    failed = {(one.planned.arm, one.planned.seed): one.failure for one in result.failed}
    lines = [f"missing: {arm}, seed {seed} (failed: {e.error}: {e.message})" for (arm, seed), e in failed.items()]
    for arm in result.arms:
        declared = result.evidence.profile.seeds_of(arm.arm)
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
