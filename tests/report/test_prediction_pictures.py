"""Pictures of predictions: names and images of any kind, always the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.cli.predict import _written
from convlens.errors import ConvlensError, DataError, OutputError
from convlens.figures import Look, png
from convlens.figures.prediction import draw_prediction
from convlens.pictures import Account
from convlens.predictor import Prediction
from convlens.report.predictions import PredictionFolder

DRAW = np.random.default_rng(0)
NAMES = ["猫", "$5_$", "a name_that is much longer than there is room", " ", "two\nlines"]


def prediction(classes: int, shape: tuple[int, int, int], doubts: int = 0, dtype: type = np.uint8) -> Prediction:
    names = [f"{NAMES[number % 5]}{number or ''}" for number in range(classes)]
    return Prediction(
        names[0], 0, 1 / classes, dict.fromkeys(names, 1 / classes), Account(done=("turned upright",) * doubts),
        tuple(f"doubt {number}, which is explained in a whole sentence" for number in range(doubts)),
        DRAW.integers(0, 256, shape).astype(dtype),
    )  # fmt: skip


@pytest.mark.parametrize(("classes", "shape", "doubts", "dtype"), [
    (1, (1, 1, 1), 0, np.uint8), (2, (28, 28, 1), 1, np.uint8), (100, (9, 40, 3), 30, np.uint8),
    (5, (8, 8, 2), 0, np.float32),
])  # fmt: skip
@pytest.mark.parametrize("look", [Look(), Look(dark=True)], ids=["light", "dark"])
def test_every_case_is_drawn(classes: int, shape: tuple[int, int, int], doubts: int, dtype: type, look: Look) -> None:
    one = prediction(classes, shape, doubts, dtype)
    original = None if doubts else DRAW.integers(0, 256, (30, 20, 3), dtype=np.uint8)
    with look.applied():
        first, again = (png(draw_prediction(original, one, "$a_b$\n猫.png", look), palette=False) for _ in range(2))
    assert first == again


def test_names_cannot_leave_the_folder_or_clash(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    odd = tmp_path / "no\udcff\n.png"  # a name that is no text
    files = [tmp_path / "a" / "x.png", tmp_path / "b" / "x.png", tmp_path / "a" / "..%2F$ [b]猫.png", odd]
    for path in files[:3]:
        Image.new("L", (5, 5)).save(path)
    into = PredictionFolder(tmp_path / "out")
    for path in files:  # the last is drawn without its picture
        into.add(path, prediction(2, (8, 8, 1)))
    into.add(tmp_path / "bad.png", DataError("bad.png: is damaged"))
    into.finish()
    found = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert [entry.get("picture") for entry in found] == [
        "0001-x.png", "0002-x.png", "0003-___2F___b_猫.png", "0004-no__.png", None,
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "predictions.json", "predictions.csv", *(entry["picture"] for entry in found[:4]),
    }  # fmt: skip


def test_what_was_predicted_before_ctrl_c_is_listed(tmp_path: Path) -> None:
    def interrupted() -> Iterator[tuple[Path, ConvlensError]]:
        yield tmp_path / "bad.png", DataError("bad.png: is damaged")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(_written(interrupted(), tmp_path / "out", []))
    assert json.loads((tmp_path / "out" / "predictions.json").read_text())[0]["error"] == "bad.png: is damaged"
    assert len((tmp_path / "out" / "predictions.csv").read_text().splitlines()) == 2


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot make the folder"):
        PredictionFolder(tmp_path / "out")
