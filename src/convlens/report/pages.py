"""The report as files: one page that needs nothing else, the same as Markdown, the figures, and the numbers."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..claims.reproduction import Confusion, Reproduction
from ..figures import LOOKS, Look, Picture, pictures, png
from ..files import make_folder, write_atomically
from .protocol import protocol, provenance_table
from .results import results_json
from .sections import arms_table, claim_views, confusion_table, contrasts_table, seeds_table
from .words import MARKS, answer, warnings

_TEMPLATES = Path(__file__).parent / "templates"
_TITLE = "Do convolutional networks keep what they promise?"


@dataclass(frozen=True)
class Drawn:
    """A picture with the PNG of each look; none where there was nothing to draw."""

    picture: Picture
    images: dict[Look, bytes]

    def uri(self, *, dark: bool, narrow: bool) -> str:
        """Return the picture in a look as an address that holds it whole."""
        return "data:image/png;base64," + base64.b64encode(self.images[Look(dark, narrow)]).decode()

    @property
    def file(self) -> str:
        """The figure's path from the report's folder."""
        return f"figures/{self.picture.name}.png"


def write_report(reproduction: Reproduction, folder: Path) -> list[Path]:
    """Write ``report.html``, ``report.md``, ``results.json`` and ``figures/*.png``.

    Everything is made before anything is written, so that a failure leaves an older report as it was.

    Parameters
    ----------
    reproduction
        What was found.
    folder
        Made where it does not exist.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    OutputError
        If the folder cannot be made, or a file cannot be written.
    """
    make_folder(folder / "figures")
    drawn = [_draw(picture) for picture in pictures(reproduction)]
    contents = {
        "report.html": _render("report.html", reproduction, drawn),
        "report.md": _render("report.md", reproduction, drawn),
        "results.json": results_json(reproduction),
    }
    for one in drawn:
        # for slides and documents; those for a phone are in the page alone
        kept = {look: image for look, image in one.images.items() if not look.narrow}
        contents |= {f"figures/{one.picture.name}{look.suffix}.png": image for look, image in kept.items()}
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [folder / name for name in contents]


def _draw(picture: Picture) -> Drawn:
    images: dict[Look, bytes] = {}
    for look in LOOKS if picture.draw is not None else ():
        assert picture.draw is not None
        with look.applied():
            images[look] = png(picture.draw(look))
    return Drawn(picture, images)


def _render(template: str, reproduction: Reproduction, drawn: list[Drawn]) -> bytes:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = markdown
    return environment.get_template(template).render(_context(reproduction, drawn)).encode()


def _context(reproduction: Reproduction, drawn: list[Drawn]) -> dict[str, Any]:
    confusion = Confusion.of(reproduction.best_cnn())
    counts = Counter[str](row.verdict.word for row in reproduction.claims)
    studies = [(name, evidence) for name, evidence in reproduction.evidence.items()]
    return {
        "title": _TITLE,
        "reproduction": reproduction,
        "started": reproduction.started.replace("T", " ").replace("+00:00", " UTC"),
        "questions": [evidence.study.question for _, evidence in studies],
        "answer": answer(reproduction),
        "warnings": warnings(reproduction),
        "counts": [(word, mark, counts[word]) for word, mark in MARKS.items()],
        "claims": claim_views(reproduction.claims),
        "drawn": drawn,
        "arms": [arms_table(reproduction, name) for name, _ in studies],
        "seeds": [seeds_table(reproduction, name) for name, _ in studies],
        "contrasts": [contrasts_table(evidence) for _, evidence in studies],
        "confusion": None if confusion is None else confusion_table(confusion),
        "protocol": protocol(reproduction),
        "provenance": provenance_table(reproduction),
        "style": Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704  # our own file
    }


def markdown(text: object) -> str:
    """Return text that Markdown shows as it is, also inside a table's cell."""
    escaped = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", " ".join(str(text).split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
