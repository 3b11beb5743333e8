"""A look at one image in one network as files: a page, its figures, and the numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..figures.inspection import inspection_pictures
from ..files import checked_path, make_folder, require_writable, write_atomically
from ..lens.inspection import SHIFT, Inspection, inspect
from ..names import shown
from ..nn import Model
from ..plain import canonical, choose
from ..predictor import PictureSource, Prediction, Predictor
from ..wording import percent
from .pages import Progress, draw
from .rendering import render, style
from .sections import Rows

PAGE, NUMBERS = "look.html", "look.json"


def write_look(
    model: Model | str | os.PathLike[str],
    picture: PictureSource,
    folder: str | os.PathLike[str],
    *,
    target: str | None = None,
    shift: tuple[int, int] = SHIFT,
    prepare: bool | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Look at a picture in a network, and write what is seen: ``look.html``, ``look.json`` and ``figures/look-*.png``.

    The page needs nothing else. Everything is computed before anything is written.

    Parameters
    ----------
    model
        A model, or the file of one.
    picture
        As for `convlens.predictor.Predictor`, and read as it does.
    folder
        Created if it does not exist.
    target
        Name of the class that attributions are about; the most probable one, if None.
    shift
        (dy, dx) in pixels, for equivariance.
    prepare
        As for `Predictor`.
    progress
        Called with what is being done, in a line.

    Returns
    -------
    dict
        What ``look.json`` holds: ``model``, ``picture``, ``prediction``, and `convlens.lens.Inspection.to_dict`.

    Raises
    ------
    ArtifactError, DataError, ShapeError, ConfigurationError
        As from `Predictor` and `convlens.lens.inspect`.
    OutputError
        If the folder cannot be made, or a file cannot be written.

    Examples
    --------
    ``write_look("cnn.safetensors", "seven.png", "look")``
    """
    place = checked_path(folder, "the folder of a look")
    predictor = Predictor(model, prepare=prepare)
    names = predictor.model.class_names
    class_ = None if target is None else names.index(choose(target, names, "class"))
    prediction = predictor.predict_one(picture)
    make_folder(place / "figures")
    require_writable(place / PAGE)
    found = inspect(predictor.model, prediction.seen, class_, shift=shift, progress=progress)
    numbers = {
        "model": _name(model, "a model"),
        "picture": _name(picture, "a picture"),
        "prediction": prediction.to_dict(),
        **found.to_dict(),
    }
    for name, content in _contents(found, prediction, numbers, progress).items():
        write_atomically(place / name, content)
    return numbers


def _name(given: object, otherwise: str) -> str:
    """Return the name of the file that was given, as it can be shown; or what it is instead."""
    return shown(os.fsdecode(given)) if isinstance(given, str | os.PathLike) else otherwise


def _contents(
    found: Inspection, prediction: Prediction, numbers: Mapping[str, Any], progress: Progress | None
) -> dict[str, bytes]:
    """Return the files by name."""
    wanted, drawn = inspection_pictures(found), []
    for number, picture in enumerate(wanted, 1):
        if progress is not None:
            progress(f"figure {number}/{len(wanted)}: {picture.heading}")
        drawn.append(draw(picture))
    files = {
        f"figures/{one.picture.name}{look.suffix}.png": image
        for one in drawn
        for look, image in one.images.items()
        if not look.narrow
    }
    tables = [found.table(), *([] if found.strongest is None else [found.strongest.table()]),
              found.shifts.table()]  # fmt: skip
    context = {
        "title": f"{PurePath(numbers['picture']).name} in {PurePath(numbers['model']).name}",
        "answer": _answer(found, prediction),
        "warnings": [f"Unsure: {'; '.join(prediction.doubts)}."] if prediction.unsure else [],
        "drawn": drawn,
        "placed": (),
        "tables": [_rows(*one) for one in tables],
        "confusion": None,
        "style": style(),
    }
    return {**files, PAGE: render("look.html", context), NUMBERS: (canonical(numbers) + "\n").encode()}


def _answer(found: Inspection, prediction: Prediction) -> list[str]:
    """Return what was found, in sentences."""
    name = shown(prediction.class_name)
    said = [f"The network takes it for {name}, with a probability of {percent(prediction.probability)}."]
    if prediction.account.changed:
        said.append(f"What was done to the picture first: {prediction.account}.")
    if found.class_names[found.target] != prediction.class_name:
        said.append(f"What follows is about {shown(found.class_names[found.target])}, as asked for.")
    return said


def _rows(title: str, header: Any, rows: Any) -> Rows:
    return Rows(title, tuple(header), [tuple(map(str, row)) for row in rows])
