"""A real browser, one for this folder. It is closed after it: while it is open, asyncio cannot run in this thread.

Without Chromium, what needs it is skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from convlens.lab.shipped import ShippedDigits, model_path, read_digits
from convlens.nn import Model, load

from .serving import running
from .training.small import data

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium of the system."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the trainings of that lab."""
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture(scope="module")
def lab(trainings: Path) -> Iterator[str]:
    """Return the address of a running lab, which the tests of a file share."""
    with running("--folder", str(trainings)) as (_, address, _):
        yield address


@pytest.fixture(scope="module")
def digits() -> ShippedDigits:
    return read_digits()


@pytest.fixture(scope="module")
def shipped() -> dict[str, Model]:
    """Return the networks that the page opens on, by title."""
    return {"Dense": load(model_path("dense")), "CNN": load(model_path("cnn"))}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of small data: three classes of 8 x 8 pixels."""
    return data(tmp_path_factory.mktemp("data"))
