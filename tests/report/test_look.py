"""A look at one image: the files, what the page says, the figures, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from convlens import lens, load
from convlens.cli.main import app
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError, DataError, ShapeError
from convlens.figures import LOOKS, Look, Picture
from convlens.figures.inspection import inspection_pictures, mosaic
from convlens.nn import Conv2D, Dense, Flatten, LocallyConnected2D, MaxPool2D, ReLU
from convlens.report import look, pages, write_look
from tests.lens.networks import pixels, small

FIGURES = ["look-values", "look-filters", "look-unit", "look-attribution", "look-equivariance", "look-shifts"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and pictures; figures are not drawn, which takes most of the time."""

    def draw(picture: Picture) -> pages.Drawn:
        return pages.Drawn(picture, dict.fromkeys(LOOKS, b"png"))

    monkeypatch.setattr(look, "draw", draw)
    monkeypatch.chdir(tmp_path)
    small(class_names=("ant", "bee", "<b>")).save("m.safetensors")
    Image.fromarray(pixels(1)[0, :, :, 0]).save("bar.png")
    Image.new("L", (30, 30)).save("big.png")
    Path("text.png").write_text("no picture")
    return tmp_path


def test_the_files_hold_what_the_call_returns(place: Path) -> None:
    found = write_look("m.safetensors", place / "bar.png", place / "out", target="bee", shift=(2, 0))
    assert json.loads((place / "out/look.json").read_text()) == json.loads(json.dumps(found))
    images = sorted(path.name for path in (place / "out/figures").iterdir())
    assert images == sorted(f"{name}{suffix}.png" for name in FIGURES for suffix in ("", "-dark"))
    model, image = load(place / "m.safetensors"), pixels(1)
    np.testing.assert_allclose(found["values"]["conv2"], lens.activations(model, image)["conv2"][0], rtol=1e-4)
    np.testing.assert_array_equal(
        found["attributions"]["gradient"]["maps"], lens.saliency(model, image, 1)
    )  # of the class that was named
    assert found["equivariance"]["shift"] == [2, 0]
    assert found["prediction"]["class"] == ("ant", "bee", "<b>")[model.predict(image)[0]]


def test_the_page_is_whole_and_escaped(place: Path) -> None:
    found = write_look("m.safetensors", place / "bar.png", "out", target="<b>")
    page = (place / "out/look.html").read_text()
    assert "&lt;b&gt;" in page
    assert "<b>:" not in page
    assert "http" not in page
    assert page.count("<figcaption>") == len(FIGURES)
    assert page.count("<caption>") == 3
    assert '<html lang="en">' in page
    assert page.count('alt=""') == 0
    assert "<h1>bar.png in m.safetensors</h1>" in page
    assert found["prediction"]["unsure"] == ("Unsure: " in page)


def test_pictures_and_models_that_are_not_right(place: Path) -> None:
    for picture, error, words in (
        ("big.png", ShapeError, "expected 12 x 12"),
        ("text.png", DataError, "text.png"),
        ("none.png", DataError, "none.png"),
    ):
        with pytest.raises(error, match=words):
            write_look("m.safetensors", picture, "out")
    with pytest.raises(ArtifactError, match="not a safetensors"):
        write_look("text.png", "bar.png", "out")
    with pytest.raises(ConfigurationError, match="did you mean 'ant'"):
        write_look("m.safetensors", "bar.png", "out", target="aunt")
    assert not (place / "out").exists()
    (place / "file").write_text("")
    with pytest.raises(ConvlensError, match="file"):
        write_look("m.safetensors", "bar.png", "file")


def test_the_command(place: Path) -> None:
    run = CliRunner().invoke(app, ["look", "m.safetensors", "bar.png", "--out", "out", "--shift", "-1,2", "--json"])
    assert run.exit_code == 0, run.exception
    found = json.loads(run.stdout)
    assert found == json.loads((place / "out/look.json").read_text())
    assert found["equivariance"]["shift"] == [-1, 2]
    run = CliRunner().invoke(app, ["look", "m.safetensors", "bar.png", "--out", "out", "--class", "ant"])
    assert run.exit_code == 0, run.exception
    assert "written to out: look.html, look.json, figures" in run.stdout
    for shift in ("1", "1,2,3", "a,b"):
        run = CliRunner().invoke(app, ["look", "m.safetensors", "bar.png", "--out", "out", "--shift", shift])
        assert "--shift takes two whole numbers" in str(run.exception)


def test_every_figure_is_drawn_in_every_look() -> None:
    """For a CNN of colour images in two looks, and for networks without maps, or without sharing, in one each."""
    cnn = small(Conv2D(5), ReLU(), MaxPool2D(), Conv2D(70, 1), ReLU(), Flatten(), Dense(3), shape=(8, 8, 3))
    dense, local = small(Flatten(), Dense(4), Dense(3)), small(LocallyConnected2D(2), Flatten(), Dense(3))
    for model, looks in ((cnn, (Look(), Look(True, True))), (dense, (Look(True),)), (local, (Look(False, True),))):
        found = lens.inspect(model, pixels(1, model.input_shape), reach=2)
        pictures = inspection_pictures(found)
        names = [name for name in FIGURES if name != "look-filters" or model is not dense]
        assert [one.name for one in pictures] == names
        for one in pictures:
            assert one.alt
            assert one.caption
            for chosen in looks:
                assert one.draw is not None
                with chosen.applied():
                    assert one.draw(chosen).axes


def test_tiles_stand_row_by_row() -> None:
    maps = np.arange(2 * 3 * 5, dtype=float).reshape(2, 3, 5)
    tiles = mosaic(maps, 2)
    assert tiles.shape == (3 * 3 - 1, 2 * 4 - 1)
    for channel in range(5):
        row, column = divmod(channel, 2)
        np.testing.assert_array_equal(tiles[3 * row : 3 * row + 2, 4 * column : 4 * column + 3], maps[..., channel])
    assert np.isnan(tiles[2]).all()
    assert np.isnan(tiles[:, 3]).all()
    assert np.isnan(tiles[6:, 4:]).all()
    assert mosaic(maps, 9).shape == (2, 5 * 4 - 1)
