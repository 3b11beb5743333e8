"""Which result a verb reads: what has been run in a folder, or what ships with convlens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ArtifactError, DataError
from .options import FOLDER

if TYPE_CHECKING:
    from ...studies import StudyResult


def kept_result(name: str, profile: str, folder: Path, *, stored: bool) -> StudyResult:
    """Return what has been run in the folder, or else what is stored in the package."""
    from ...studies import read_study
    from ...studies.catalog import entry
    from ...studies.results.shipped import read_shipped, shipped_names
    from ...studies.run import STORE

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
