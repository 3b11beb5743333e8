"""A folder of predictions: a picture for each image, and a table of all of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from ..errors import ConvlensError
from ..figures.prediction import TOP, draw_prediction
from ..figures.style import Look, png
from ..files import make_folder, require_writable, write_atomically
from ..pictures.reading import thumbnail
from ..predictor import Prediction

SIDE = 320  # pixels of the longer side of a picture as it is shown
TABLES = ("predictions.json", "predictions.csv")


class PredictionFolder:
    """Writes predictions as they are made, so that memory does not depend on their number.

    Parameters
    ----------
    folder
        Made if it is not there.
    look
        Of the pictures; by default light.

    Raises
    ------
    OutputError
        If nothing can be written there.
    """

    def __init__(self, folder: Path, look: Look | None = None) -> None:
        make_folder(folder)
        for name in TABLES:
            require_writable(folder / name)
        self.folder, self._look = folder, look or Look()
        self._entries: list[dict[str, Any]] = []

    def add(self, image: Path, outcome: Prediction | ConvlensError) -> None:
        """Write the picture of one prediction; of an error, only the tables will have a row."""
        entry: dict[str, Any] = {"image": str(image)}
        if isinstance(outcome, ConvlensError):
            entry["error"] = str(outcome)
        else:
            name = f"{len(self._entries) + 1:04d}-{_plain(image.stem)}.png"
            with self._look.applied():
                title = _encoded(image.name).decode()
                figure = draw_prediction(_original(image), outcome, title, self._look)
                write_atomically(self.folder / name, png(figure, palette=False))
            entry |= {**outcome.to_dict(), "picture": name}
        self._entries.append(entry)

    def finish(self) -> None:
        """Write the tables."""
        text = json.dumps(self._entries, indent=2, allow_nan=False) + "\n"
        write_atomically(self.folder / TABLES[0], text.encode())
        write_atomically(self.folder / TABLES[1], _encoded(_table(self._entries)))


def _original(image: Path) -> Any:
    try:
        return thumbnail(image, SIDE)
    except ConvlensError:  # it was read a moment ago, and may be gone
        return None


def _encoded(text: str) -> bytes:
    """Encode a text; the bytes of a file's name that are no text are escaped."""
    return text.encode("utf-8", "backslashreplace")


def _plain(stem: str) -> str:
    """Return a part of a file's name that every system can hold."""
    return "".join(one if one.isalnum() or one in "-_" else "_" for one in stem)[:60]


def _table(entries: list[dict[str, Any]]) -> str:
    """Return the predictions as CSV: the most probable classes, the doubts, and the error where there is one."""
    stream = io.StringIO()
    ranks = range(1, TOP + 1)
    header = ["image", *(f"{what} {rank}" for rank in ranks for what in ("class", "probability")), "doubts", "error"]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*header, "picture"])
    for entry in entries:
        found = sorted(entry.get("probabilities", {}).items(), key=lambda pair: -pair[1])[:TOP]
        cells = [cell for name, probability in found for cell in (name, f"{probability:.6f}")]
        cells += [""] * (2 * TOP - len(cells))
        doubts = "; ".join(entry.get("doubts", ()))
        writer.writerow([entry["image"], *cells, doubts, entry.get("error", ""), entry.get("picture", "")])
    return stream.getvalue()
