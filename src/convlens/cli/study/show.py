"""``convlens study show``."""

from __future__ import annotations

from typing import Annotated

import typer

from ...names import shown
from ..options import JsonFlag, notes
from ..trials import report_progress
from .options import FOLDER, FolderOption, NameArgument, ProfileOption, StoredFlag
from .printing import print_result, print_results_as_json


def show(
    name: NameArgument,
    profile: ProfileOption = "standard",
    folder: FolderOption = FOLDER,
    stored: StoredFlag = False,
    page: Annotated[bool, typer.Option("--report", help="Also write its page, and the index of the folder.")] = False,
    details: Annotated[
        bool, typer.Option("--details", help="Every metric and every statistic, not only those of the question.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Show the result of a study's finished trials, and which are missing; nothing is run.

    Where nothing has been run, the result that ships with convlens is shown, labelled as stored; its page is in a
    folder of its own, NAME-PROFILE-stored.

    Example: [bold]convlens study show kernel-size[/bold]
    """
    from ... import studies

    result = studies.find_result(name, profile, folder=folder, stored=stored)
    if json:
        print_results_as_json([result])
    else:
        print_result(result, details=details)
    if page:
        from ... import report

        notes.print(shown(f"report: {report.write_in_folder(result, folder, report_progress)}"))
