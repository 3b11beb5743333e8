"""``convlens study show``."""

from __future__ import annotations

from ..options import JsonFlag
from .options import FOLDER, FolderOption, NameArgument, ProfileOption, StoredFlag
from .printing import print_result, print_results_as_json


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
    from ... import studies

    result = studies.find_result(name, profile, folder=folder, stored=stored)
    if json:
        print_results_as_json([result])
    else:
        print_result(result)
