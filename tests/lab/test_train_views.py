"""Views of the room Train: links to them, whatever an address says, by keyboard alone, and readable."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from convlens.lab.export import export

from .page import PATIENCE, opened, until
from .serving import behind_http_server, running
from .train_room import badge, begin, everybody_can_use, press, room
from .training.small import LAYERS

pytestmark = pytest.mark.slow

PLAIN = {"base": "plain", "changes": {"epochs": 2}, "layers": LAYERS}


def test_a_loss_that_went_beyond_all_bounds_leaves_the_others_readable(browser: Browser, lab: str) -> None:
    with opened(browser, f"{lab}#room=train") as page:
        found = page.evaluate(
            "import(new URL('train/curves.js', document.baseURI)).then(({ ceiling }) => [[2.3, 1, 0.5], [2.3, 1, 1e35]]"
            ".map(values => ceiling([{ points: values.map((y, x) => [x, y]) }]) ?? null))"
        )
        assert found == [None, 46.0]  # 20 times the median, 2.3


def test_a_count_is_readable_on_every_colour_that_its_cell_can_have(browser: Browser, lab: str) -> None:
    with opened(browser, f"{lab}#room=train") as page:
        found = page.evaluate(
            "import(new URL('colour.js', document.baseURI)).then(({ viridis, inkOn }) =>"
            " Array.from({ length: 256 }, (_, i) =>"
            " [[...viridis.subarray(3 * i, 3 * i + 3)], inkOn(i, { colours: viridis, least: 0, most: 255 })]))"
        )

    def brightness(colour: list[int]) -> float:
        shares = [one / 255 for one in colour]
        red, green, blue = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for ground, ink in found:
        bright = brightness(ground)
        contrast = (bright + 0.05) / 0.05 if ink == "#000" else 1.05 / (bright + 0.05)
        assert contrast >= 4.5, (ground, ink)


def test_the_focus_stays_in_the_list_when_its_last_layer_is_removed(browser: Browser, lab: str) -> None:
    with opened(browser, room(lab, layers=[{"layer": "Flatten"}])) as page:
        page.get_by_role("button", name="Remove layer 1, Flatten").press("Enter")
        until(page, "document.activeElement.textContent === 'Add a layer'")
        page.keyboard.press("Enter")
        until(page, "document.activeElement.closest('li')?.dataset.place === '0'")


def view(page: Page) -> tuple[str, list[Any]]:
    """Return all that the page shows: its text, what its controls are set to, and what its pictures are of."""
    seen = (
        "[...document.querySelectorAll('main input, main select, main [role=img], main button')].map(one =>"
        " [one.value, one.checked, one.ariaLabel, one.getAttribute('aria-pressed')])"
    )
    return page.locator("main").inner_text(), page.evaluate(seen)


def link(page: Page) -> str:
    found = page.evaluate("import(new URL('state.js', document.baseURI)).then(state => state.link())")
    return str(found)


def test_a_link_opens_the_same_view(browser: Browser, lab: str, small: str) -> None:
    plan = {**PLAIN, "changes": {"epochs": 2, "augmentation": {"rotation": 5}}, "seeds": 2, "seed": 3, "share": 0.9}
    with opened(browser, room(lab, **plan, data=small, title="turned")) as page:
        begin(page, "Train 2 seeds")
        badge(page, "finished")
        ended = page.locator(".tried tbody").last.locator("td", has_text=re.compile("^finished$"))
        expect(ended).to_have_count(2, timeout=PATIENCE)
        page.locator(".moment input").press("Home")
        press(page, "Add a layer after layer 1, Conv2D")
        page.locator(".confusion button").nth(4).click()
        page.locator(".cell-images b").wait_for()
        page.get_by_label("accuracy above 90 %").check()
        page.locator(".tried input").last.uncheck()
        page.locator(".sum-line").wait_for()
        page.wait_for_timeout(500)
        with opened(browser, link(page)) as other:
            other.locator(".cell-images b").wait_for()
            other.locator(".sum-line").wait_for()
            until(other, f"document.querySelectorAll('.tried tr').length === {page.locator('.tried tr').count()}")
            other.wait_for_timeout(500)
            assert view(other) == view(page)
        everybody_can_use(browser, page)


def test_a_link_opens_the_same_view_without_a_server(browser: Browser, tmp_path: Path) -> None:
    export(tmp_path / "page")
    with behind_http_server(tmp_path / "page") as address, opened(browser, f"{address}#room=train") as page:
        until(page, "document.querySelectorAll('.tried tbody').length === 4")
        page.locator(".tried button", has_text="seed 1").first.click()
        page.locator(".moment input").press("Home")
        page.get_by_label("accuracy above 90 %").check()
        page.locator(".tried input").last.uncheck()
        page.wait_for_timeout(300)
        with opened(browser, link(page)) as other:
            until(other, "document.querySelectorAll('.tried tbody').length === 4")
            other.wait_for_timeout(300)
            assert view(other) == view(page)
        with opened(browser, room(address, layers=LAYERS, seed=4, seeds=2)) as other:
            told = other.locator(".told")
            expect(told).to_contain_text("conv 4 (3) → dense 3; recipe good, data mnist, seeds 4 to 5")
            assert str(told.locator("code").last.text_content()).startswith("#room=train&plan=")


@pytest.mark.parametrize(
    "plan",
    [
        "{",
        "null",
        '{"layers": [null]}',
        '{"layers": [{"layer": "__proto__"}]}',
        '{"layers": [{"layer": "Residual", "layers": 5}]}',
        '{"layers": [{"layer": "Residual", "layers": [{"layer": "constructor"}]}]}',
        '{"layers": [{"layer": "Conv2D", "filters": {"a": 1}}]}',
        '{"seeds": 1e9}',
        '{"changes": {"schedule": 7, "optimizer": {"name": "toString"}, "epochs": [1, 2]}}',
        '{"base": "__proto__", "stop": {"accuracy": "x"}, "share": -1}',
    ],
)
def test_whatever_an_address_says_the_page_stands(browser: Browser, lab: str, plan: str) -> None:
    with opened(browser, f"{lab}#room=train&plan={plan}&cell=99,99&after=7&training=none&zoom=x") as page:
        page.locator(".begin").wait_for()
        page.get_by_text("is not here").wait_for()
        page.wait_for_timeout(300)
        assert page.locator(".wrong, .sum-line").count()


def tab_to(page: Page, selector: str, most: int) -> None:
    """Press Tab until what has the focus matches, and is seen to have it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"{most} times Tab do not lead to {selector}")


def test_by_keyboard_alone_from_composing_to_a_cell(browser: Browser, lab: str, small: str) -> None:
    with opened(browser, room(lab, **PLAIN, data=small)) as page:
        page.locator(".sum-line").wait_for()
        tab_to(page, "[data-place='0'] .usual input", 15)
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("6")
        tab_to(page, "[data-place='0'] [aria-label^='Add a layer']", 5)
        page.keyboard.press("Enter")
        until(page, "document.activeElement.closest('li')?.dataset.place === '1'")
        page.keyboard.type("Tanh")
        expect(page.locator("[data-place='1'] .kind")).to_have_value("Tanh")
        page.locator(".begin button.main:enabled").wait_for()
        page.keyboard.press("Control+Enter")
        until(page, "document.activeElement.id === 'focus-title'")
        badge(page, "finished")
        page.locator(".focus .note", has_text="conv 6").wait_for()
        expect(page.locator("#announced")).to_have_text(re.compile("is finished"))
        tab_to(page, ".confusion button", 15)
        for arrow in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft"):
            page.keyboard.press(arrow)
        assert str(page.evaluate("document.activeElement.ariaLabel")).startswith("2 taken for 0")
        page.keyboard.press("Enter")
        page.locator(".cell-images b", has_text="2, taken for 0").wait_for()
        tab_to(page, ".plots *, .curves input", 3)


def test_a_lab_with_another_token_says_so(browser: Browser, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        given = "--folder", str(tmp_path), "--host", "0.0.0.0", "--port", str(free.getsockname()[1])
    page = browser.new_page()
    with running(*given) as (_, address, _):
        page.goto(address)
        page.get_by_role("link", name="Train").click()
        page.locator(".sum-line").wait_for()
    page.get_by_text("The lab does not answer").wait_for()
    with running(*given):
        page.get_by_text("This lab needs its token: open the address").wait_for()
    page.close()


def test_composing_goes_on_when_the_lab_is_there_again(browser: Browser, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        given = "--folder", str(tmp_path), "--port", str(free.getsockname()[1])
    page = browser.new_page()
    with running(*given) as (_, address, _):
        page.goto(room(address))
        page.locator(".sum-line").wait_for()
    page.get_by_text("The lab does not answer").wait_for()
    press(page, "Remove layer 1, Flatten")
    page.wait_for_timeout(500)
    with running(*given):
        page.get_by_text("Dense needs a flat input").wait_for()
        assert page.locator(".problem").count() == 0
    page.close()
