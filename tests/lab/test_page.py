"""The page in a real browser, and its room Draw: of the served page, and of the exported one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from playwright.sync_api import Browser, Route

from convlens import models
from convlens.lab.export import export
from convlens.lab.shipped import ShippedDigits, model_path, read_digits
from convlens.lens.shift import shifted
from convlens.nn import Model, load

from .models import saved
from .page import (
    at,
    drawn,
    drop,
    opened,
    probabilities,
    settle,
    show_digit,
    stroke,
    touch,
    until,
    violations,
    wait_for_answers,
)  # fmt: skip
from .serving import behind_http_server

pytestmark = pytest.mark.slow

SEVEN = ((7, 7), (20, 7), (13, 22))
ZERO = ((14, 5), (9, 9), (8, 14), (9, 19), (14, 22), (19, 19), (20, 14), (19, 9), (14, 5))
ONE = ((14, 5), (14, 22))


@pytest.mark.parametrize(("points", "digit"), [(SEVEN, "7"), (ZERO, "0"), (ONE, "1")])
def test_a_drawn_digit_is_read(browser: Browser, lab: str, points: Any, digit: str) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        page.get_by_role("button", name="Clear").click()
        assert not any(drawn(page))
        stroke(page, *points)
        assert page.locator(".reads strong").all_text_contents() == [digit, digit]
        page.get_by_role("button", name="Undo").click()
        assert not any(drawn(page))


def test_answers_are_those_of_the_library(
    browser: Browser, lab: str, digits: ShippedDigits, shipped: dict[str, Model]
) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        for row in (0, 1, 2):
            show_digit(page, digits.images[row].ravel(), (3, -2))
            moved = shifted(digits.images[row : row + 1], -2, 3)
            for title, model in shipped.items():
                shown = list(probabilities(page, title).values())
                np.testing.assert_allclose(shown, model.predict_proba(moved)[0], atol=1e-5)


def test_dragging_hurts_the_dense_network_more(browser: Browser, lab: str, digits: ShippedDigits) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        row = int(np.flatnonzero(digits.labels == 7)[0])
        show_digit(page, digits.images[row].ravel())
        before = {title: probabilities(page, title)["7"] for title in ("Dense", "CNN")}
        stroke(page, (14, 14), (20, 14))
        assert "6 right" in page.locator(".shift-pad output").inner_text()
        assert drawn(page) == shifted(digits.images[row : row + 1], 0, 6).ravel().tolist()
        fall = {title: before[title] - probabilities(page, title)["7"] for title in before}
        assert fall["Dense"] > fall["CNN"] + 0.1
        page.locator(".shift-map").first.get_by_text("above half at").wait_for()


def test_a_drawing_is_meant_to_be_what_it_is_read_as_before_it_is_shifted(browser: Browser, lab: str) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        page.get_by_role("button", name="Clear").click()
        stroke(page, *SEVEN)
        meant = page.locator(".meant-row option").first
        assert meant.inner_text() == "7 (as they read it unshifted)"
        settle(page, shift=[6, 6])
        assert "7" not in page.locator(".reads strong").all_text_contents()
        assert meant.inner_text() == "7 (as they read it unshifted)"
        assert page.locator(".reads.misread").count() == 2


# Shows each drawing, then shifted, and returns what each network's bar for its class then shows.
SHIFT_ALL = """
async trials => {
  const state = await import(new URL("state.js", document.baseURI));
  const shown = async (drawing, shift, name) => {
    state.set({ drawing, shift });
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const cells = [...document.querySelectorAll(".bars tr")].filter(row => row.cells[0].textContent === name);
    return cells.map(row => Number(row.cells[1].style.getPropertyValue("--share")));
  };
  const falls = [];
  for (const [pixels, shift, name] of trials) {
    const drawing = Uint8Array.from(pixels);
    const before = await shown(drawing, [0, 0], name);
    const after = await shown(drawing, shift, name);
    falls.push(before.map((one, i) => one - after[i]));
  }
  return falls;
}
"""


@pytest.mark.parametrize(("distance", "times", "most"), [(3, 1.5, 65), (6, 1, 50)])
def test_and_so_it_is_with_a_hundred_digits(
    browser: Browser, lab: str, digits: ShippedDigits, distance: int, times: float, most: int
) -> None:
    """All four directions in turn; at six pixels both have fallen far. ``-rP`` shows the numbers."""
    directions = ((distance, 0), (-distance, 0), (0, distance), (0, -distance))
    trials = [[digits.images[row].ravel().tolist(), directions[row % 4], str(digits.labels[row])] for row in range(100)]
    with opened(browser, lab) as page:
        wait_for_answers(page)
        dense, cnn = np.array(page.evaluate(SHIFT_ALL, trials)).T
    further = int((dense > cnn).sum())
    print(f"{distance} pixels: confidence falls by {dense.mean():.3f} (dense), {cnn.mean():.3f} (CNN)")
    print(f"the dense network's falls further for {further} of 100 digits")
    assert dense.mean() > times * cnn.mean()
    assert further > most


def test_the_map_is_the_confidence_at_every_shift(
    browser: Browser, lab: str, digits: ShippedDigits, shipped: dict[str, Model]
) -> None:
    with opened(browser, lab) as page:
        show_digit(page, digits.images[0].ravel())
        until(page, "document.querySelectorAll('.shift-map[data-complete=true]').length === 2")
        label = str(digits.labels[0])
        page.get_by_label("The drawing is meant to be").select_option(label)
        offsets = [(dy, dx) for dy in range(-8, 9) for dx in range(-8, 9)]
        images = np.concatenate([shifted(digits.images[:1], dy, dx) for dy, dx in offsets])
        for title, model in shipped.items():
            expected = model.predict_proba(images)[:, int(label)]
            card = page.locator(".card", has=page.get_by_role("heading", name=title, exact=True))
            above = int((expected > 0.5).sum())
            assert f"above half at {above} of 289 shifts" in " ".join(card.inner_text().split())
            for place in (0, 100, 143, 150, 288):
                dy, dx = offsets[place]
                settle(page, shift=[dx, dy])
                words = card.locator(".shift-map output").inner_text()
                assert float(words.strip("<> %")) == pytest.approx(100 * expected[place], abs=0.6)
        plot = page.locator(".shift-map .plot").first
        box = plot.bounding_box()
        assert box is not None
        plot.click(position={"x": box["width"] * 16.5 / 17, "y": box["height"] * 0.5 / 17})
        assert "8 right, 8 up" in page.locator(".shift-pad output").inner_text()


def test_everything_on_the_drawing_works_by_keyboard(browser: Browser, lab: str) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        surface = page.locator(".surface")
        page.get_by_label("Drag", exact=True).focus()
        while surface.evaluate("one => document.activeElement !== one"):
            page.keyboard.press("Tab")
        outline = surface.evaluate("one => getComputedStyle(one).outlineStyle")
        assert outline != "none"
        before = drawn(page)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert "1 right, 1 down" in page.locator(".shift-pad output").inner_text()
        assert drawn(page) != before
        until(page, "/Dense: \\d, .+ CNN: \\d/.test(document.getElementById('announced').textContent)")
        page.get_by_role("button", name="Clear").press("Enter")
        surface.focus()
        page.keyboard.press(" ")
        for _ in range(5):
            page.keyboard.press("ArrowDown")
        page.keyboard.press(" ")
        page.keyboard.press("ArrowDown")
        inked = np.flatnonzero(np.array(drawn(page)).reshape(28, 28).max(axis=1) > 200)
        assert inked.tolist() == [13, 14, 15, 16, 17, 18, 19], "from the middle down, until the pen was lifted"


def test_centre_it_does_what_predict_does(browser: Browser, lab: str) -> None:
    from convlens.pictures import prepare_digit

    with opened(browser, lab) as page:
        wait_for_answers(page)
        page.get_by_role("button", name="Clear").click()
        stroke(page, (2, 3), (8, 3), (5, 11))
        small = np.array(drawn(page), np.uint8).reshape(28, 28)
        page.get_by_role("button", name="Centre it").click()
        expected, account = prepare_digit(small, (28, 28, 1))
        assert np.abs(np.array(drawn(page)) - expected.ravel().astype(int)).max() <= 1
        assert account.done[-1].lower() in page.locator(".drawing > .note").first.inner_text().lower()
        assert page.locator(".reads strong").all_text_contents() == ["7", "7"]


def test_a_copied_link_shows_the_same_view(browser: Browser, lab: str) -> None:
    with opened(browser, lab, permissions=["clipboard-read", "clipboard-write"]) as page:
        wait_for_answers(page)
        page.get_by_role("button", name="Clear").click()
        stroke(page, *SEVEN)
        settle(page, turn=20, size=0.8, noise=0.1, thickness=0.5, shift=[3, -1], meant="7")
        pixels, answers = drawn(page), [probabilities(page, title) for title in ("Dense", "CNN")]
        page.get_by_role("button", name="Copy link").click()
        link = page.evaluate("navigator.clipboard.readText()")
        page.get_by_role("link", name="Inside").click()
        page.locator(".layer").first.wait_for()
        settle(page, model="dense", layer="dense1", unit=[5], tab="weights")
        page.locator(".kernels").wait_for()
        page.get_by_role("button", name="Copied").or_(page.get_by_role("button", name="Copy link")).click()
        second = page.evaluate("navigator.clipboard.readText()")
        text = page.locator("#details-panel").inner_text()
    with opened(browser, link) as page:
        wait_for_answers(page)
        assert drawn(page) == pixels
        assert [probabilities(page, title) for title in ("Dense", "CNN")] == answers
    with opened(browser, second) as page:
        page.locator(".kernels").wait_for()
        assert page.locator("#details-panel").inner_text() == text
        assert drawn(page) == pixels
        page.go_back()


def test_fingers_draw_and_drag_on_a_phone(browser: Browser, lab: str) -> None:
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with opened(browser, lab, **phone) as page:
        wait_for_answers(page)
        page.get_by_role("button", name="Clear").tap()
        page.locator(".surface.draw").wait_for()
        touch(page, *SEVEN)
        until(page, "[...document.querySelectorAll('.reads strong')].every(one => one.textContent === '7')")
        assert page.locator(".reads strong").all_text_contents() == ["7", "7"]
        before = np.array(drawn(page)).reshape(28, 28)
        page.locator(".segments label", has_text="Drag").click()
        page.locator(".surface.move").wait_for()
        touch(page, (10, 10), (13, 10), other=(25, 25))
        page.locator(".shift-pad output", has_text="3 right").wait_for()
        assert np.array_equal(np.array(drawn(page)).reshape(28, 28)[:, 3:], before[:, :-3])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"


def test_of_a_pen_and_the_hand_that_holds_it_the_first_draws(browser: Browser, lab: str) -> None:
    with opened(browser, lab, has_touch=True) as page:
        wait_for_answers(page)
        page.get_by_role("button", name="Clear").click()
        surface = page.locator(".surface")
        page.mouse.move(*at(surface, 5, 5))
        page.mouse.down()
        page.mouse.move(*at(surface, 8, 5), steps=3)
        touch(page, (22, 22), (25, 25))
        page.mouse.move(*at(surface, 20, 5), steps=3)
        page.mouse.up()
        ink = np.array(drawn(page)).reshape(28, 28)
        assert np.flatnonzero(ink.max(axis=1)).max() <= 7, "the hand drew nothing"
        assert ink[5, 5:21].min() > 200, "and the stroke went on"
        touch(page, (22, 22), (25, 25))
        assert np.array(drawn(page)).reshape(28, 28)[23:25, 23:25].max() > 200, "the next one draws again"


def test_centre_it_leaves_digits_of_mnist_alone(browser: Browser, lab: str, digits: ShippedDigits) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        for row in (0, 3, 11):
            show_digit(page, digits.images[row].ravel())
            page.get_by_role("button", name="Centre it").click()
            page.locator(".drawing > .note", has_text="It is like the training digits already.").wait_for()
            assert drawn(page) == digits.images[row].ravel().tolist()
            assert page.get_by_role("button", name="Undo").is_disabled()


def test_three_networks_and_all_tools_stand_in_a_row(browser: Browser, lab: str) -> None:
    with opened(browser, f"{lab}#models=dense,cnn,local", viewport={"width": 1280, "height": 840}) as page:
        wait_for_answers(page, 3)
        for row in (".card", ".tools-row button"):
            tops = page.locator(row).evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
            assert len(tops) == 3
            assert max(tops) - min(tops) < 1, row


def test_a_large_model_is_loaded_only_when_chosen_and_its_size_is_said(browser: Browser, lab: str) -> None:
    loaded = "performance.getEntriesByType('resource').some(one => one.name.endsWith('local.safetensors'))"
    with opened(browser, lab) as page:
        wait_for_answers(page)
        chip = page.locator(".chips label", has_text="Locally connected")
        size = model_path("local").stat().st_size / 1e6
        assert f"{size:.1f} MB" in chip.inner_text()
        assert not page.evaluate(loaded)
        chip.click()
        wait_for_answers(page, 3)
        assert page.evaluate(loaded)


TOO_WIDE = """[...document.querySelectorAll(".card, .card .reads strong, .card .bars")].filter(
    (one) => one.scrollWidth > one.parentElement.clientWidth
        || one.matches("strong") && one.getClientRects()[0].height > 1.5 * parseFloat(getComputedStyle(one).fontSize)
).map((one) => one.outerHTML)"""


def test_a_model_that_is_dropped_is_shown(browser: Browser, lab: str, tmp_path: Path) -> None:
    own = saved(tmp_path, "my net", "baseline")
    shapes = models.build("cnn", input_shape=(32, 32, 3), classes=2, class_names=("a doughnut", "snowboards"), seed=1)
    shapes.save(tmp_path / "shapes.safetensors")
    with opened(browser, lab) as page:
        wait_for_answers(page)
        drop(page, own.name, own.read_bytes())
        wait_for_answers(page, 3)
        expected = load(own).predict_proba(np.array(drawn(page), np.uint8).reshape(1, 28, 28, 1))[0]
        np.testing.assert_allclose(list(probabilities(page, "my net").values()), expected, atol=1e-5)
        drop(page, "shapes.safetensors", (tmp_path / "shapes.safetensors").read_bytes())
        wait_for_answers(page, 4)
        card = page.locator(".card", has=page.get_by_role("heading", name="shapes")).inner_text()
        assert "knows no class 7" in card
        assert "scaled to 32 x 32, in 3 equal channels" in card
        for width in (1280, 390):  # names of classes have room
            page.set_viewport_size({"width": width, "height": 900})
            assert not page.evaluate(TOO_WIDE)
        page.get_by_role("link", name="Inside").click()
        page.locator(".layer").first.wait_for()
        drop(page, "shapes.safetensors", (tmp_path / "shapes.safetensors").read_bytes())
        page.get_by_text("32 × 32 × 16").first.wait_for()


def test_a_file_that_is_no_model_is_refused_in_words(browser: Browser, lab: str, tmp_path: Path) -> None:
    own = saved(tmp_path, "mine").read_bytes()
    cases = {
        "photo.png": b"\x89PNG\r\n" + bytes(100),
        "empty.safetensors": b"",
        "short.safetensors": own[:-5],
        "damaged.safetensors": own[:-5] + bytes(5),
    }
    for room in ("draw", "inside"):
        with opened(browser, f"{lab}#room={room}") as page:
            until(page, "document.querySelectorAll('.reads strong').length === 2 || document.querySelector('.layer')")
            before = drawn(page)
            for name, content in cases.items():
                drop(page, name, content)
                alert = page.get_by_role("alert").filter(has_text=name)
                alert.wait_for()
                assert "should not have" not in alert.inner_text()
                assert drawn(page) == before
            page.get_by_role("button", name="Close").click()
            assert page.get_by_role("alert").count() == 0


def test_a_link_to_a_file_of_somebody_elses_says_so(browser: Browser, lab: str) -> None:
    with opened(browser, f"{lab}#models=dense,file:theirs") as page:
        wait_for_answers(page, 1)
        page.get_by_text("open it again").wait_for()


def test_damaged_links_open_the_page_all_the_same(browser: Browser, lab: str) -> None:
    for state in ("room=nowhere", "drawing=!!&shift=1,2,3&turn=999&noise=x", "room=inside&layer=none&unit=9999,0,0"):
        with opened(browser, f"{lab}#{state}") as page:
            until(page, "document.querySelector('.reads strong') || document.querySelector('.layer')")


def test_the_exported_page_works_without_the_server(browser: Browser, tmp_path: Path, digits: ShippedDigits) -> None:
    own = saved(tmp_path, "mine", "baseline")
    written = export(tmp_path / "course" / "lab", [own])
    assert written.bytes < 20e6
    with behind_http_server(tmp_path) as root:
        address = f"{root}course/lab/"  # a course page is seldom at the root of its server
        with opened(browser, address) as page:
            wait_for_answers(page, 3)
            show_digit(page, digits.images[0].ravel(), (2, 0))
            expected = load(own).predict_proba(shifted(digits.images[:1], 0, 2))[0]
            np.testing.assert_allclose(list(probabilities(page, "mine").values()), expected, atol=1e-5)
            until(page, "document.querySelectorAll('.shift-map[data-complete=true]').length === 3")
        with opened(browser, f"{address}#room=inside&tab=why") as page:
            page.locator(".check").wait_for()


def test_the_first_view_is_light(browser: Browser, lab: str) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        # what had come when the first answer was shown; the second network comes after it
        loaded = page.evaluate(
            "performance.getEntriesByType('resource').map(one => [one.name, one.encodedBodySize, one.startTime])"
        )
    second = next(start for name, _, start in loaded if name.endswith("cnn.safetensors"))
    first_view = sum(size for _, size, start in loaded if start < second)
    assert 500_000 < first_view < 1_000_000


def test_the_page_asks_at_once_for_what_its_first_view_runs(browser: Browser, lab: str) -> None:
    with opened(browser, lab) as page:
        wait_for_answers(page)
        asked = page.evaluate("[...document.querySelectorAll('link[rel=modulepreload]')].map(one => one.href)")
    with opened(browser, lab) as page:
        page.route(lab, without_preloads)
        page.reload()
        wait_for_answers(page)
        assert page.locator("link[rel=modulepreload]").count() == 0
        ran = page.evaluate(
            "performance.getEntriesByType('resource').filter(one => one.initiatorType !== 'fetch').map(one => one.name)"
            ".filter(one => one.endsWith('.js') && !one.includes('/workers/'))"
        )
    assert sorted(asked) == sorted(set(ran))


def without_preloads(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(r'<link rel="modulepreload"[^>]*>', "", answer.text()))


VIEWS = (
    "",
    "shift=6,0",
    "room=inside&layer=conv2&unit=5,6,7",
    "room=inside&tab=weights",
    "room=inside&tab=shift&shift=4,0",
    "room=inside&tab=why",
    "room=inside&tab=digits&layer=relu2&unit=6,7,20",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, lab: str, scheme: Any) -> None:
    # axe is put into the page, which its policy forbids to others
    with opened(browser, lab, color_scheme=scheme, bypass_csp=True) as page:
        for state in VIEWS:
            page.goto(f"{lab}#{state}")
            shown = (
                ".check"
                if "why" in state
                else ".examples button"
                if "digits" in state
                else ".layer"
                if "inside" in state
                else ".shift-map"
            )
            page.locator(shown).first.wait_for()
            found = violations(page)
            assert not found, "\n".join([state, *found])


def test_colours_are_matplotlibs(browser: Browser, lab: str) -> None:
    with opened(browser, lab) as page:
        found = page.evaluate(
            "import(new URL('colour.js', document.baseURI)).then(one => [[...one.viridis], [...one.diverging]])"
        )
    for colours, name in zip(found, ("viridis", "PuOr"), strict=True):
        expected = 255 * matplotlib.colormaps[name](np.arange(256) / 255)[:, :3]
        assert np.abs(np.array(colours).reshape(256, 3) - expected).max() < 6


def test_a_drawing_survives_its_link(browser: Browser, lab: str) -> None:
    images = np.concatenate([read_digits().images[:20, :, :, 0], np.zeros((1, 28, 28), np.uint8)]).reshape(21, -1)
    with opened(browser, lab) as page:
        again = page.evaluate(
            "async all => { const { decoded, encoded } = await import(new URL('drawing.js', document.baseURI));"
            " return all.map(one => [...decoded(encoded(Uint8Array.from(one)))]); }",
            images.tolist(),
        )
    assert np.array_equal(again, images)
