"""The script that takes the README's pictures finds on the page what it shows."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from playwright.sync_api import Browser

from .page import opened

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[2] / "docs" / "picture_lab.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture_lab", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_room_is_shown_and_the_digit_is_dragged(
    browser: Browser, script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "FRAMES", 4)
    with script.served() as address, opened(browser, address, viewport=script.SIZE) as page:
        for name in script.SHOTS:
            script.show(page, address, name)
            assert page.locator("nav a[aria-current=page]").inner_text().lower() == name
        script.show(page, address, "draw")
        frames = [np.asarray(one) for one in script.drag(page)]
        assert all((one != two).any() for one, two in itertools.pairwise(frames))


def test_a_training_is_shown_that_has_ended(browser: Browser, script: ModuleType) -> None:
    with script.running() as address, opened(browser, address, viewport=script.SIZE) as page:
        script.train(page, address)
        assert page.get_by_text("finished", exact=True).count() > 1
