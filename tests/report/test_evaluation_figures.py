"""The figures of an evaluation: any number of classes, names of any kind, no error or one, grey or colour."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from convlens.figures import Look
from convlens.figures.matrix import draw_matrix
from convlens.figures.reliability import draw_reliability
from convlens.figures.style import shortened
from convlens.figures.wrong import Tile, draw_wrong
from convlens.metrics import Evaluation, calibration, confusion_matrix
from convlens.report.evaluation import evaluation_figures

NAMES = ["猫", "$5_$", "a name_that is much longer than there is room", " ", "two\nlines"]


def made(classes: int, images: int, *, seed: int = 0, errors: int | None = None, classes_used: int = 0) -> Evaluation:
    """An evaluation of that number of images, whose first `errors` (by default a fifth) are wrong."""
    draw, used = np.random.default_rng(seed), classes_used or classes
    labels = draw.integers(0, used, images)
    predictions = labels.copy()
    wrong = slice(0, images // 5 if errors is None else errors)
    predictions[wrong] = (labels[wrong] + 1 + draw.integers(0, max(1, used - 1), len(labels[wrong]))) % used
    confidence = draw.uniform(1 / classes, 1, images).astype(np.float32)
    right = predictions == labels
    return Evaluation(
        images=images, loss=0.1, accuracy=float(right.mean()), calibration=calibration(confidence, right),
        confusion=confusion_matrix(labels, predictions, classes), labels=labels, predictions=predictions,
        confidence=confidence,
    )  # fmt: skip


def pixels(count: int, height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(9).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize(("classes", "errors", "channels"), [(1, 0, 1), (2, 1, 3), (5, 0, 3), (5, 7, 2), (100, 9, 3)])
def test_every_case_is_drawn_and_to_the_same_bytes(classes: int, errors: int, channels: int) -> None:
    result, names = made(classes, 50, errors=errors), (NAMES * 20)[:classes]
    images = pixels(50, 12, 9, channels)
    look = Look(narrow=channels == 2)
    one, other = (evaluation_figures(result, images, names, result.most_wrong(40), look) for _ in range(2))
    assert set(one) == {"confusion.png", "calibration.png", "wrong.png"}
    assert one == other
    for contents in one.values():
        assert not any(kind in contents for kind in (b"tEXt", b"iTXt", b"tIME"))
    assert "matplotlib.pyplot" not in sys.modules


def test_photographs_keep_their_colours() -> None:
    result, images = made(4, 40), pixels(40, 32, 32, 3)
    figures = evaluation_figures(result, images, ["a", "b", "c", "d"], result.most_wrong(8))
    with Image.open(io.BytesIO(figures["wrong.png"])) as sheet:
        assert sheet.mode == "RGB"
        assert len(sheet.getcolors(1 << 24) or ()) > 5000


def test_the_sheet_says_what_each_image_is_and_was_called() -> None:
    image = pixels(1, 8, 8, 3)[0]
    tiles = [Tile(image, 41, "cat", "dog", 0.987), Tile(image, 7, "a very long name of a class", "dog", 0.5)]
    with Look().applied():
        figure = draw_wrong(tiles, 12, 300, Look())
    assert "The 2 most confident of 12 errors in 300 images" in figure.get_suptitle().replace("\n", " ")
    assert figure.axes[0].get_xlabel() == "cat → dog\n98.7 %\nno. 41"
    assert figure.axes[1].get_xlabel().splitlines()[1:] == ["→ dog", "50.0 %", "no. 7"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), image)


@pytest.mark.parametrize(
    ("wrong", "words"), [(0, "None of 9 images"), (1, "The one error in 9 images"), (2, "All 2 errors")]
)
def test_the_title_of_few_errors(wrong: int, words: str) -> None:
    tile = Tile(pixels(1, 8, 8, 1)[0], 0, "a", "b", 0.9)
    with Look().applied():
        assert draw_wrong([tile] * wrong, wrong, 9, Look()).get_suptitle().startswith(words)


def test_the_reliability_diagram_shows_the_curve_and_all_counts() -> None:
    found = made(10, 500).calibration
    with Look().applied():
        figure = draw_reliability(found, Look())
    curve, counts = figure.axes
    filled = [one for one in found.bins if one.count]
    points = curve.containers[0].lines[0]
    np.testing.assert_allclose(points.get_xdata(), [one.confidence for one in filled])
    np.testing.assert_allclose(points.get_ydata(), [one.accuracy for one in filled])
    assert [bar.get_height() for bar in counts.patches] == [one.count for one in filled]
    assert [text.get_text() for text in counts.texts] == [f"{one.count:,}" for one in filled]
    assert f"{found.error:.4f}" in curve.get_title(loc="left")


def test_counts_are_written_where_there_is_room() -> None:
    few, many = made(5, 400), made(100, 4000)
    with Look().applied():
        texts = draw_matrix(few.confusion, list("abcde"), Look(), "class").axes[0].texts
        crowded = draw_matrix(many.confusion, [f"class {i}" for i in range(100)], Look(), "class")
    assert sorted(int(text.get_text()) for text in texts) == sorted(few.confusion[few.confusion > 0].tolist())
    assert not crowded.axes[0].texts
    assert len(crowded.axes) == 2  # a bar says what the colours mean
    assert [tick.get_text() for tick in crowded.axes[0].get_yticklabels()][:2] == ["class 0", "class 1"]


def test_shortened_names_keep_their_ends() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a rather long name 17", 12) == "a rather… 17"
    assert shortened(" \n", 5) == "–"
    assert all(len(shortened("x" * n, 9)) <= 9 for n in range(30))
