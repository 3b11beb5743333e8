"""The page in a browser: draw a digit, drop a model's name, read the answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from convlens.serve import App, Settings
from convlens.serve.served import Models

from .client import served_at

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


def test_a_drawn_digit_is_answered(served: Models, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    app = App(served, Settings(grace=0.1), stream=None)
    with served_at(app) as address, playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(address)
        page.wait_for_selector("#state:text-is('ready')", timeout=60_000)
        assert page.locator("#model option").all_text_contents() == ["digits", "colours"]
        box = page.locator("#drawing").bounding_box()
        page.mouse.move(box["x"] + 140, box["y"] + 50)
        page.mouse.down()
        page.mouse.move(box["x"] + 140, box["y"] + 230, steps=5)
        page.mouse.up()
        page.wait_for_selector("#bars li")
        assert page.locator("#bars li").count() == 10
        assert "inverted (dark ink on light paper)" in page.locator("#done").inner_text()
        page.screenshot(path=tmp_path / "page.png")
        page.select_option("#model", "colours")  # takes 8 x 8 pixels only, and says so
        page.wait_for_selector("#class:has-text('expected 8 x 8')")
        assert "/v2/models/colours" in page.locator("#calls").inner_text()
        browser.close()
    assert [one for one in problems if "400" not in one] == []
