"""Find a study's result, run or shipped; and make what ships of what has been run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import ArtifactError, ConvlensError, DataError
from .catalog import entry
from .results.result import StudyResult
from .results.shipped import read_shipped, shipped_names, write_shipped
from .run import FOLDER, STORE, read_study


def find_result(
    name: str, profile: str = "standard", *, folder: str | Path = FOLDER, stored: bool = False
) -> StudyResult:
    """Return the result of a study; nothing is run.

    Parameters
    ----------
    name, profile
        From the catalogue.
    folder
        Where studies are run. What has been tried there comes first, trials that failed included.
    stored
        Whether only what ships with convlens is wanted.

    Raises
    ------
    ConfigurationError
        If there is no such study or profile.
    DataError
        If the folder holds trials of it, and the data that name them are not on this computer.
    ArtifactError
        If there is no result of it; or the store, or what ships, is damaged.
    """
    entry(name).profile(profile)
    if (Path(folder) / STORE).exists() and not stored:
        try:
            result = read_study(name, profile, folder=folder)
        except DataError as error:  # a study names its data by what is in them
            raise DataError(
                f"what {folder} holds of {name!r} cannot be shown without the data of the study: {error}"
            ) from error
        if result.trials or result.failed:
            return result
    shipped = read_shipped(name) if name in shipped_names() else None
    if shipped is not None and shipped.evidence.profile.name == profile:
        return shipped
    ships = f"only that of its profile {shipped.evidence.profile.name!r}" if shipped else "none"
    tried = "" if stored else f"no trial of it is in {folder}, and "
    where = "" if Path(folder) == FOLDER else f" --out {folder}"
    raise ArtifactError(
        f"there is no result of {name!r} under the profile {profile!r}: {tried}of those that ship with convlens, "
        f"{ships}; run it: convlens study run {name} --profile {profile}{where}"
    )


def export_shipped(
    names: Iterable[str], to: str | Path, profile: str = "standard", *, folder: str | Path = FOLDER
) -> dict[str, str]:
    """Write studies that are complete in a folder as convlens ships its results: ``NAME.json`` each. Nothing is run.

    Returns
    -------
    dict of str to str
        The studies of which nothing was written, each with the reason.
    """
    left = {}
    for name in names:
        try:
            write_shipped(read_study(name, profile, folder=folder), Path(to) / f"{name}.json")
        except ConvlensError as error:
            left[name] = str(error)
    return left
