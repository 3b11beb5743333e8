"""The page of a rehearsal, whole in one file, and pictures of the life cycle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...figures.life_cycle import draw_life_cycle
from ...figures.picture import Picture
from ...figures.style import LOOKS, Look, png
from ...files import write_atomically
from ...names import shown
from ...report.pages import Drawn
from ...report.rendering import render, style
from ...wording import duration
from .chronicle import lifelines, marks
from .emulator import Emulator

if TYPE_CHECKING:
    from .rehearse import Rehearsal

PAGE, PICTURE = "rehearsal.html", "life-cycle"
LABEL = "A rehearsal on one machine, not AWS"


def write_page(rehearsal: Rehearsal, emulator: Emulator, folder: Path, model: str) -> list[Path]:
    """Write the page and the pictures, light and dark; return their paths.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    drawn = _drawn(emulator, model)
    files = {f"{PICTURE}{look.suffix}.png": image for look, image in drawn.images.items() if not look.narrow}
    files[PAGE] = render("rehearsal.html", _content(rehearsal, drawn, model))
    for name, content in files.items():
        write_atomically(folder / name, content)
    return [folder / name for name in (PAGE, *(one for one in files if one != PAGE))]


def _drawn(emulator: Emulator, model: str) -> Drawn:
    lines, moments = lifelines(emulator), marks(emulator)
    heading = f"{LABEL}: the life of {shown(model)}"
    caption = (
        f"Profile “{emulator.profile.name}”: {emulator.profile.about}. Bars show what existed, from its making to its "
        "removal, in emulated time; each state of the endpoint has its own colour and hatching."
    )
    alt = "; ".join(f"{one.name}: {', '.join(span.state for span in one.spans)}" for one in lines)
    if not lines:
        return Drawn(Picture(PICTURE, heading, "Nothing was made, so there is nothing to draw."), {})
    picture = Picture(PICTURE, heading, caption, alt, lambda look: draw_life_cycle(heading, lines, moments, look))
    return Drawn(picture, {look: _image(picture, look) for look in LOOKS})


def _image(picture: Picture, look: Look) -> bytes:
    assert picture.draw is not None
    with look.applied():
        return png(picture.draw(look))


def _content(rehearsal: Rehearsal, drawn: Drawn, model: str) -> dict[str, object]:
    """Return what the template shows."""
    kind = rehearsal.profile
    ending = "the endpoint came into service" if rehearsal.deployed else "no endpoint came into service"
    stages = [
        (one.name, "as it must" if one.right else "wrong", one.words, duration(one.seconds)) for one in rehearsal.stages
    ]
    findings = [
        (one["what"], one["answer"], one["layer"] or "", one["who"], one["resource"], one["evidence"], one["advice"])
        for one in rehearsal.findings
    ]
    calls = [
        (f"{one.began:.2f}", one.action, one.resource, f"{one.status} {one.code}".strip(), f"{1000 * one.seconds:.0f}")
        for one in rehearsal.calls
    ]
    return {
        "style": style(),
        "label": LABEL,
        "model": shown(model),
        "profile": kind,
        "answer": f"{'Everything went as it must' if rehearsal.right else 'Something went wrong'}: {ending}.",
        "drawn": drawn,
        "tables": [
            _table("Stages", ("stage", "", "what happened", "time"), stages),
            _table(
                "What the doctor found", ("question", "answer", "layer", "who", "on", "evidence", "advice"), findings
            ),
            _table(f"All {len(calls)} calls", ("s", "call", "resource", "reply", "ms"), calls),
        ],
    }


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, object]:
    return {"caption": caption, "columns": columns, "rows": [[shown(cell) for cell in row] for row in rows]}
