"""The script that takes the README's pictures finds on the page what it shows."""

from __future__ import annotations

import itertools
from types import ModuleType

import numpy as np
import pytest
from playwright.sync_api import Browser

from tests.scripts import script

from .page import opened

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    return script("docs/picture_lab.py")


def test_every_room_is_shown_and_the_digit_is_dragged(
    browser: Browser, pictures: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "FRAMES", 4)
    with pictures.served() as address, opened(browser, address, viewport=pictures.SIZE) as page:
        for name in pictures.SHOTS:
            pictures.show(page, address, name)
            assert page.locator("nav a[aria-current=page]").inner_text().lower() == name
        pictures.show(page, address, "draw")
        frames = [np.asarray(one) for one in pictures.drag(page)]
        assert all((one != two).any() for one, two in itertools.pairwise(frames))


def test_a_training_is_shown_that_has_ended(browser: Browser, pictures: ModuleType) -> None:
    with pictures.running() as address, opened(browser, address, viewport=pictures.SIZE) as page:
        pictures.train(page, address)
        assert page.get_by_text("finished", exact=True).count() > 1
