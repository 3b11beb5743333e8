"""``convlens study verify``."""

from __future__ import annotations

from typing import Annotated

import typer

from ...errors import ConvlensError
from ...names import shown
from ..options import EngineOption, JsonFlag, notes, out, print_json
from .options import FOLDER, FolderOption, NameArgument, ProfileOption


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
    from ...studies import find_result
    from ...studies.executors import ExecutionOptions
    from ...studies.results.verify import verify_trials

    result = find_result(name, profile, folder=folder)
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
