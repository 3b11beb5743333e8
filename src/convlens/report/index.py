"""The index of a folder of studies: question, prediction and verdict of each, and a link to its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..errors import ConvlensError
from ..files import make_folder, write_atomically
from ..studies.catalog import entries
from ..studies.results.result import StudyResult
from ..studies.results.shipped import read_shipped, shipped_names
from ..studies.run import STORE, read_study
from .pages import Progress, write_study
from .rendering import render, style
from .words import MARKS, study_answer

INDEX, PAGE = "index.html", "report.html"


@dataclass(frozen=True)
class Entry:
    """One study under one profile, as listed; ``link`` is empty where there is no page of it."""

    name: str
    profile: str
    stored: bool
    question: str
    prediction: str
    word: str
    label: str
    mark: str
    answer: str
    command: str
    link: str


def place(folder: str | Path, result: StudyResult) -> Path:
    """Return the folder of a study's page; that of a stored result has its own beside that of one run here."""
    name = f"{result.name}-{result.evidence.profile.name}"
    return Path(folder) / (f"{name}-stored" if result.stored else name)


def write_in_folder(result: StudyResult, folder: str | Path, progress: Progress | None = None) -> Path:
    """Write a study's page at its place in the folder of studies, and the folder's index; return the page.

    Raises OutputError as `write_study` does; `progress` is called with what is being done, in a line.
    """
    write_study(result, place(folder, result), progress)
    write_index(folder, listed(folder, [result]))
    return place(folder, result) / PAGE


def write_index(folder: str | Path, results: Sequence[StudyResult]) -> Path:
    """Write ``index.html``: every study with its question, prediction and verdict, and a link to its page.

    It also links to the page of the claims, if that is in the folder.

    Parameters
    ----------
    folder
        That of the studies: the page of one is where `place` says. Created if it does not exist.
    results
        What is listed, in this order.

    Returns
    -------
    Path
        The index.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    make_folder(Path(folder))
    path = Path(folder) / INDEX
    listed = [_entry(result, Path(folder)) for result in results]
    claims = PAGE if (Path(folder) / PAGE).exists() else ""
    write_atomically(path, render("index.html", {"entries": listed, "claims": claims, "style": style()}))
    return path


def listed(folder: str | Path, results: Sequence[StudyResult] = ()) -> list[StudyResult]:
    """Return what an index lists: these results, those whose pages are in the folder, and what ships with convlens.

    A study whose data are not on this computer cannot be read from the folder, and is left out.
    """
    found = {(one.name, one.evidence.profile.name): one for one in results}
    for study in entries({}).values() if (Path(folder) / STORE).exists() else ():
        for profile in study.profiles:
            if (study.name, profile) not in found and (Path(folder) / f"{study.name}-{profile}" / PAGE).exists():
                try:
                    found[study.name, profile] = read_study(study.name, profile, folder=folder)
                except ConvlensError:
                    continue
    for name in shipped_names():
        stored = read_shipped(name)
        found.setdefault((name, stored.evidence.profile.name), stored)
    return [found[key] for key in sorted(found)]


def _entry(result: StudyResult, folder: Path) -> Entry:
    study, profile, verdict = result.evidence.study, result.evidence.profile.name, result.verdict
    page = place(folder, result) / PAGE
    word = verdict.word if result.trials else "incomplete"
    return Entry(
        study.name,
        profile,
        result.stored,
        study.question,
        study.prediction,
        word,
        verdict.label if result.trials else "nothing measured yet",
        MARKS[word],
        study_answer(result),
        f"convlens study show {study.name} --stored --report" if result.stored else result.command,
        quote(page.relative_to(folder).as_posix()) if page.exists() else "",
    )
