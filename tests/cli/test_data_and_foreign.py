"""The user's own data and pictures of digits, as a user of the command line meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens import data, models
from convlens.data.sources import fashion_mnist
from convlens.preprocessing import Intake


def convlens(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convlens", *arguments]
    # with a cache of its own, the compiled engine would be compiled anew
    own = {"CONVLENS_CACHE": str(folder / "cache"), "CONVLENS_ENGINE": "numpy"}
    full = {**os.environ, **own, **environment}
    return subprocess.run(command, cwd=folder, env=full, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images with a broken one, an untrained model of digits, and two pictures."""
    folder = tmp_path_factory.mktemp("place")
    draw = np.random.default_rng(0)
    for name, low in (("night", 0), ("day", 150)):
        (folder / "skies" / name).mkdir(parents=True)
        for number in range(15):
            pixels = draw.integers(low, low + 100, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "skies" / name / f"{number}.png")
    (folder / "skies" / "day" / "broken.png").write_bytes(b"")
    digits = models.build("baseline", seed=0)
    digits.intake = Intake("digits")
    digits.save(folder / "digits.safetensors")
    page = np.full((200, 150), 255, np.uint8)
    page[40:160, 70:82] = 0
    Image.fromarray(page).save(folder / "one.png")
    Image.new("L", (90, 90), 128).save(folder / "blank.png")
    return folder


def test_broken_images_stop_or_are_skipped_and_named(place: Path) -> None:
    stopped = convlens(place, "train", "baseline", "--data", "skies", "--epochs", "1")
    assert stopped.returncode == 2
    assert stopped.stderr.count("\n") == 1
    assert "skies/day/broken.png: is empty" in stopped.stderr
    assert "--skip-broken" in stopped.stderr
    done = convlens(place, "train", "baseline", "--data", "skies", "--epochs", "1", "--skip-broken",
                    "--out", "sky.safetensors", "--json", "run.json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "skipped day/broken.png: is empty" in done.stderr
    run = json.loads((place / "run.json").read_text())
    assert run["configuration"]["data"]["provenance"]["skipped"] == ["day/broken.png: is empty"]
    found = convlens(place, "predict", "--model", "sky.safetensors", "skies/day/1.png", "--json")
    (row,) = json.loads(found.stdout)
    assert set(row["probabilities"]) == {"day", "night"}  # the names travel in the artifact
    assert row["done"] == row["warnings"] == []
    again = convlens(place, "evaluate", "sky.safetensors", "--data", "skies", "--skip-broken", "--json")
    assert json.loads(again.stdout)["accuracy"] == run["test"]["accuracy"]


def test_predict_tells_what_it_did_and_when_it_is_unsure(place: Path) -> None:
    found = convlens(place, "predict", "--model", "digits.safetensors", "one.png", "blank.png")
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert lines[0].startswith("one.png: ")
    assert lines[1].startswith("  inverted (dark ink on light paper), cropped 150x200 to ")
    assert lines[2].startswith("  unsure: the model gives ")
    assert lines[4].startswith("  unsure: no ink stands out from its paper; the model gives ")
    rows = json.loads(convlens(place, "predict", "--model", "digits.safetensors", "one.png", "--json").stdout)
    assert rows[0]["unsure"] is True
    assert rows[0]["done"][0] == "inverted (dark ink on light paper)"


def test_as_is_takes_images_as_they_are(place: Path) -> None:
    refused = convlens(place, "predict", "--model", "digits.safetensors", "--as-is", "one.png")
    assert refused.returncode == 2
    assert "expected 28 x 28" in refused.stderr
    Image.fromarray(data.load("mnist").test.images[0, ..., 0]).save(place / "seven.png")
    rows = [
        json.loads(convlens(place, "predict", "--model", "digits.safetensors", *more, "seven.png", "--json").stdout)[0]
        for more in ((), ("--as-is",))
    ]
    assert rows[0] == rows[1]


def test_fetch(place: Path) -> None:
    nothing = convlens(place, "data", "fetch", "mnist")
    assert nothing.returncode == 2
    assert "mnist is part of convlens" in nothing.stderr
    assert "fashion-mnist" in convlens(place, "data", "list").stdout
    if fashion_mnist.SYSTEM.exists():
        there = convlens(place, "data", "fetch", "fashion-mnist")
        assert there.returncode == 0
        assert str(fashion_mnist.SYSTEM) in there.stdout + there.stderr
        return
    # a proxy that nobody answers at stands in for being offline
    proxies = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:1")
    offline = convlens(place, "data", "fetch", "fashion-mnist", **proxies, no_proxy="")
    assert offline.returncode == 2
    last = offline.stderr.splitlines()[-1]
    assert "cannot be downloaded" in last
    assert "install Debian's package dataset-fashion-mnist" in last
