"""The report as files: one self-contained page, the same as Markdown, the figures, and the numbers."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..claims.reproduction import Confusion, Reproduction
from ..figures import LOOKS, Look, Picture, claim_pictures, pictures, png, study_pictures
from ..files import make_folder, write_atomically
from ..studies.results.result import StudyResult
from .claim_words import any_stored
from .current import KEY, RESULTS, files_made_from, made_from, sha256s
from .declared import (
    candidates_table,
    cost_table,
    left_out_table,
    matched_table,
    opening,
    stored_line,
    tuning_table,
    verdict_table,
)
from .protocol import protocol, provenance_table
from .rendering import render, style
from .results import as_bytes, results, study_results
from .sections import (
    arms_table,
    claim_sections,
    confusion_table,
    contrasts_table,
    curves_table,
    failed_table,
    metrics_table,
    seeds_table,
    spread_table,
)
from .words import MARKS, answer, explanation, has_intervals, is_preview, not_run, study_answer, warnings

Progress: TypeAlias = Callable[[str], None]
_TITLE = "Do convolutional networks keep what they promise?"


@dataclass(frozen=True)
class Drawn:
    """A picture with its PNG in each look; none if there was nothing to draw."""

    picture: Picture
    images: dict[Look, bytes]

    def uri(self, *, dark: bool, narrow: bool) -> str:
        """Return the picture in a look as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.images[Look(dark, narrow)]).decode()

    @property
    def file(self) -> str:
        """The figure's path from the report's folder."""
        return f"figures/{self.picture.name}.png"


def write_report(reproduction: Reproduction, folder: Path, progress: Progress | None = None) -> list[Path]:
    """Write the report of the claims: ``report.html``, ``report.md``, ``results.json`` and ``figures/*.png``.

    Everything is rendered before anything is written, so that a failure leaves an older report unchanged. Files that
    already show these results are left as they are: they also keep the time at which they were made.

    Parameters
    ----------
    reproduction
        The claims and the studies.
    folder
        Created if it does not exist.
    progress
        Called with what is being done, in a line: drawing takes most of the time.

    Returns
    -------
    list of Path
        The files of the report.

    Raises
    ------
    OutputError
        If the folder cannot be created, or a file cannot be written.
    """
    results_of = list(reproduction.studies.values())
    confusion = Confusion.of(reproduction.best_cnn())
    counts = Counter[str](row.verdict.word for row in reproduction.claims)
    # a preview decides nothing, and is wanted at once
    of_claims = {} if is_preview(results_of) else claim_pictures(reproduction)
    names = {number: [one.name for one in found] for number, found in of_claims.items()}
    page = _context(results_of, reproduction.command, reproduction.started, reproduction.seconds)
    context = {
        **page,
        "warnings": [*page["warnings"], *not_run(reproduction)],
        "title": _TITLE,
        "answer": answer(reproduction),
        "counts": [(word, mark, counts[word]) for word, mark in MARKS.items() if counts[word]],
        "claims": claim_sections(reproduction.claims, names),
        "placed": [name for found in names.values() for name in found],
        "stored": any_stored(reproduction.claims),
        "confusion": None if confusion is None else confusion_table(confusion),
    }
    wanted = [*pictures(reproduction), *(one for found in of_claims.values() for one in found)]
    return _write("report", context, wanted, results(reproduction), folder, progress)


def write_study(result: StudyResult, folder: str | Path, progress: Progress | None = None) -> list[Path]:
    """Write the report of one study: the same files as `write_report`."""
    tables = [left_out_table(result), matched_table(result), tuning_table(result), candidates_table(result)]
    context = {
        **_context([result], result.command, result.started, result.seconds),
        "title": f"Study “{result.name}”",
        "opening": opening(result),
        "stored": stored_line(result),
        "answer": _study_answer(result),
        "verdict": verdict_table(result) if result.trials else None,
        "design": [table for table in tables if table.rows],
        "cost": table if (table := cost_table(result)).rows else None,
        "sources": result.evidence.study.sources,
        "confusion": None,
    }
    wanted = study_pictures(result) if result.trials else []
    return _write("study", context, wanted, study_results(result), Path(folder), progress)


def _study_answer(result: StudyResult) -> list[str]:
    """Return the answer in sentences; none without trials, where the notice has said that nothing is measured."""
    if not result.trials:
        return []
    interval = result.evidence.primary.interval
    why = "" if result.verdict.word == "incomplete" else explanation(result.verdict, interval)  # that the answer says
    return [study_answer(result), *([why] if interval is not None and why else [])]


def _write(
    template: str,
    context: dict[str, Any],
    wanted: list[Picture],
    found: dict[str, Any],
    folder: Path,
    progress: Progress | None,
) -> list[Path]:
    make_folder(folder / "figures")
    key = made_from(found, wanted)
    if (current := files_made_from(folder, key)) is not None:
        if progress is not None:
            progress("the pages are up to date")
        return current
    drawn = []
    for number, picture in enumerate(wanted, 1):
        if progress is not None:
            progress(f"figure {number}/{len(wanted)}, in {len(LOOKS)} looks: {picture.heading}")
        drawn.append(draw(picture))
    contents = {
        **{f"report.{kind}": render(f"{template}.{kind}", {**context, "drawn": drawn}) for kind in ("html", "md")},
    }
    for one in drawn:
        # for slides and documents; those for a phone are only in the page
        kept = {look: image for look, image in one.images.items() if not look.narrow}
        contents |= {f"figures/{one.picture.name}{look.suffix}.png": image for look, image in kept.items()}
    found = {**found, KEY: {"made_from": key, "files": sha256s(contents)}}
    contents[RESULTS] = as_bytes(found)  # last, as it names the others
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [folder / name for name in contents]


def draw(picture: Picture) -> Drawn:
    """Draw a picture in every look; in none if there is nothing to draw."""
    images: dict[Look, bytes] = {}
    for look in LOOKS if picture.draw is not None else ():
        assert picture.draw is not None
        with look.applied():
            images[look] = png(picture.draw(look))
    return Drawn(picture, images)


def _context(results_of: list[StudyResult], command: str, started: str, seconds: float) -> dict[str, Any]:
    """Return what the pages of claims and of one study have in common; tables only of studies that have trials."""
    shown = [result for result in results_of if result.trials]
    return {
        "measured": bool(shown),
        "placed": (),  # names of figures that stand elsewhere on the page
        "preview": is_preview(results_of),
        "intervals": has_intervals(results_of),
        "command": command,
        "profile": ", ".join(dict.fromkeys(result.evidence.profile.name for result in results_of)),
        "started": started.replace("T", " ").replace("+00:00", " UTC"),
        "questions": [result.evidence.study.question for result in results_of],
        "warnings": warnings(results_of, command),
        "arms": [arms_table(result) for result in shown],
        "spread": [table for result in shown if (table := spread_table(result)).rows],
        "seeds": [seeds_table(result) for result in shown],
        "metrics": [metrics_table(result) for result in shown],
        "curves": [table for result in shown if (table := curves_table(result)).rows],
        "contrasts": [contrasts_table(result.evidence) for result in shown],
        "failed": [failed_table(result) for result in results_of if result.failed],
        "protocol": protocol(results_of),
        "provenance": provenance_table(results_of, command, started, seconds),
        "style": style(),
    }
