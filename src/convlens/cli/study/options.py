"""Options that several verbs of ``convlens study`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

NameArgument: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="A name from `convlens study list`.")]
ProfileOption: TypeAlias = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="Size of the study: quick, standard or full.")
]
FolderOption: TypeAlias = Annotated[Path, typer.Option("--out", help="Folder of the trials and the reports.")]
StoredFlag: TypeAlias = Annotated[
    bool, typer.Option("--stored", help="The result that ships with convlens, also where the study has been run.")
]
FOLDER = Path("out/studies")  # studies.run.FOLDER
