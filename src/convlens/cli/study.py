"""``convlens study``: list, run, show, export and verify the studies of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from ..errors import ArtifactError, ConfigurationError, ConvlensError, DataError
from ..names import shown
from ..text_table import TextTable
from .options import ClusterOption, EngineOption, JsonFlag, ThreadsOption, notes, out, print_json

if TYPE_CHECKING:
    from ..report.sections import Rows
    from ..studies import StudyResult
    from ..studies.catalog import StudyEntry
    from ..studies.spec import Profile, Study

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
StoredFlag: TypeAlias = Annotated[
    bool, typer.Option("--stored", help="The result that ships with convlens, also where the study has been run.")
]
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
    from .. import report, studies
    from ..studies.catalog import entry
    from ..studies.results.shipped import write_shipped
    from .trials import TrialProgress, report_progress, require_none_failed, where_to_run

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
        written = report.write_study(result, folder / f"{name}-{profile}", report_progress)
        if not json:
            _show(result)
            out.print(shown(f"report: {next(path for path in written if path.name == 'report.html')}"))
        if keep is not None and not (result.evidence.missing or result.left_out):
            write_shipped(result, keep / f"{name}.json")
        results.append(result)
    report.write_index(folder, report.listed(folder, results))
    if json:
        _print_json(results)
    require_none_failed(results)


@app.command("show")
def show(
    name: NameArgument,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    stored: StoredFlag = False,
    json: JsonFlag = False,
) -> None:
    """Show the result of a study's finished trials, and which are missing; nothing is run.

    Where nothing has been run, the result that ships with convlens is shown, labelled as stored.

    Example: [bold]convlens study show kernel-size[/bold]
    """
    result = _kept(name, profile, folder, stored=stored)
    if json:
        _print_json([result])
    else:
        _show(result)


@app.command("export")
def export(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv, json, or stored.")] = "csv",
    to: Annotated[Path | None, typer.Option("--to", help="File to write; by default it is printed.")] = None,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    stored: StoredFlag = False,
) -> None:
    """Write every trial's numbers: CSV with a row for each arm, seed and metric, or JSON with all there is.

    The format `stored` is that of the results that ship with convlens.

    Example: [bold]convlens study export kernel-size --format csv --to kernel-size.csv[/bold]
    """
    from ..files import write_atomically
    from ..plain import choose
    from ..report.results import as_bytes, study_results
    from ..studies.results.shipped import write_shipped
    from ..studies.results.table import csv_of

    form = choose(form, ("csv", "json", "stored"), "format")
    result = _kept(name, profile, folder, stored=stored)
    if form == "stored":
        if to is None:
            raise ConfigurationError("a stored result is a file: name it with --to")
        write_shipped(result, to)
        return
    content = csv_of(result).encode() if form == "csv" else as_bytes(study_results(result))
    if to is None:
        typer.echo(content, nl=False)
    else:
        write_atomically(to, content)


@app.command("verify")
def verify(
    name: NameArgument,
    trials: Annotated[int, typer.Option("--trials", min=1, help="How many trials, the cheapest first.")] = 1,
    arm: Annotated[str | None, typer.Option("--arm", metavar="NAME", help="Only trials of this arm.")] = None,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    engine: EngineOption = None,
    json: JsonFlag = False,
) -> None:
    """Run stored trials again, and compare what they measure with what is stored: every bit.

    The results that ship with convlens are compared, or, if the study has been run in the folder, those.

    Example: [bold]convlens study verify kernel-size[/bold]
    """
    from ..studies.executors import ExecutionOptions
    from ..studies.results.verify import verify_trials

    result = _kept(name, profile, folder, stored=False)
    found = verify_trials(
        result,
        trials,
        arm=arm,
        options=ExecutionOptions(engine=engine),
        started=lambda which, seed: notes.print(shown(f"running {which}, seed {seed}, again")),
    )
    if json:
        print_json([one.to_dict() for one in found])
    for one in found if not json else ():
        same = f"the same, to the bit: {one.compared:,} numbers" if one.same else "; ".join(one.differences)
        out.print(shown(f"{one.arm}, seed {one.seed}: {same}"))
        if not one.same and not one.exact:
            out.print("  another library does the arithmetic here, which promises no equal bits on other machines")
    if any(not one.same and one.exact for one in found):
        raise ConvlensError(
            f"trials of {name!r} came out otherwise than stored; “convlens verify” shows whether training itself does"
        )


def _kept(name: str, profile: str, folder: Path, *, stored: bool) -> StudyResult:
    """Return what has been run in the folder, or else what is stored in the package."""
    from ..studies import read_study
    from ..studies.catalog import entry
    from ..studies.run import STORE
    from ..studies.results.shipped import read_shipped, shipped_names

    ships = name in shipped_names()
    if not ships:
        entry(name).profile(profile)  # says which names there are
    if (folder / STORE).exists() and not stored:
        try:
            result = read_study(name, profile, folder=folder)
        except DataError as error:  # a study names its data by what is in them
            raise DataError(
                f"what {folder} holds of {name!r} cannot be shown without the data of the study: {error}"
            ) from error
        if result.trials or not ships:
            return result
    if ships and profile in ("standard", read_shipped(name).evidence.profile.name):
        return read_shipped(name)
    where = "" if folder == FOLDER else f" --out {folder}"
    raise ArtifactError(
        f"no trial is kept in {folder} yet; run the study first: convlens study run {name} --profile {profile}{where}"
    )


def _described(entry: StudyEntry) -> dict[str, Any]:
    """Return a study as plain data; if its data are not available, the question says so."""
    try:
        study = entry.study()
    except ConvlensError as error:
        return {"name": entry.name, "question": f"cannot be described here: {error}", "arms": [], "profiles": []}
    profiles = [_profile(study, profile) for profile in entry.profiles.values()]
    arms = [arm.name for arm in study.arms]
    return {
        "name": entry.name,
        "question": study.question,
        "arms": arms,
        "profiles": profiles,
        "max_minutes": study.max_minutes,
    }


def _profile(study: Study, profile: Profile) -> dict[str, Any]:
    """Return the size of a study under a profile, up to its first look."""
    first = profile.up_to(1)
    arms = study.under(profile).arms
    return {
        "name": profile.name,
        "trials": sum(len(first.seeds_of(arm)) for arm in arms),
        "arms": [arm.name for arm in arms],
        "looks": list(profile.all_looks),
        "seeds": list(profile.seeds),
    }


def _print_json(results: Sequence[StudyResult]) -> None:
    """Print one result as it is, several as a list."""
    from ..report.results import study_results

    found = [study_results(result) for result in results]
    print_json(found[0] if len(found) == 1 else found)


def _show(result: StudyResult) -> None:
    from ..report.sections import arms_table, contrasts_table, failed_table
    from ..report.words import study_answer, warnings

    if result.stored:
        out.print(shown(f"stored with convlens; measured {result.started[:10]}, {result.declared[-1].code}"))
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
