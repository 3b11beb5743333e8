"""What is chosen in the room Train: branches, augmentation, more epochs; by keyboard alone; and links to all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from convlens.lab.export import export
from convlens.lab.training.configuration import Configuration
from convlens.lab.training.session import Session, sessions_in
from convlens.nn import load
from convlens.nn.layers import Conv2D, Residual
from convlens.train.augmentation import Augmentation

from .page import PATIENCE, opened, until
from .serving import behind_http_server, running
from .train_room import badge, everybody_can_use, number, press, room, untouched
from .training.small import LAYERS, data, images, request

pytestmark = pytest.mark.slow

PLAIN = {"base": "plain", "changes": {"epochs": 2}, "layers": LAYERS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trainings")


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[str]:
    """Return the address of a running lab, which all tests here share."""
    with running("--folder", str(folder)) as (_, address, _):
        yield address


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return data(tmp_path_factory.mktemp("data"))


def type_in(page: Page, label: str, value: str, within: str = ".compose") -> None:
    found = page.locator(within).get_by_label(label, exact=True).first
    found.fill(value)
    found.press("Enter")


def begin(page: Page, name: str = "Train") -> None:
    """Start what is composed, and wait until the page has gone to the training that begins."""
    page.locator(".begin button.main:enabled", has_text=name).click()
    until(page, "document.activeElement.id === 'focus-title'")


def test_a_branch_and_augmentation_are_composed_and_trained(
    browser: Browser, lab: str, folder: Path, small: str
) -> None:
    with opened(browser, room(lab, **PLAIN, data=small)) as page:
        page.locator(".sum-line").wait_for()
        press(page, "Add a layer after layer 2, ReLU")
        page.get_by_label("Kind of layer 3", exact=True).select_option("Residual")
        # the branch that is offered keeps the shape: 4 channels
        expect(page.locator("[data-place='2'] > .foot .comes-to")).to_contain_text("8 × 8 × 4")
        expect(page.locator("[data-place='2.2'] .comes-to")).to_contain_text("148 parameters")  # 4 x 9 x 4 + 4
        expect(page.locator("[data-place='2'] > .foot .comes-to")).to_contain_text("sees 7 × 7")
        type_in(page, "filters", "5", "[data-place='2.2']")
        wrong = page.locator(".wrong")
        expect(wrong).to_contain_text("4 channels at its end")
        assert wrong.evaluate("one => one.parentElement.dataset.place") == "2"
        page.get_by_label("Kind of layer 3.1").select_option("Dense")
        expect(page.locator("[data-place='2.0'] > .wrong")).to_be_visible()
        page.get_by_label("Kind of layer 3.1").focus()
        page.keyboard.press("Alt+ArrowDown")
        until(page, "document.activeElement.closest('li').dataset.place === '2.1'")
        press(page, "Remove layer 3.2, Dense")
        type_in(page, "filters", "4", "[data-place='2.1']")
        page.locator("summary", has_text="Augmentation: none").click()
        type_in(page, "shift", "1")
        page.locator("summary", has_text="Augmentation: shift 1").wait_for()
        begin(page)
        badge(page, "finished")
        assert "residual (conv 4 (3))" in str(page.locator(".focus .note").first.text_content())
        assert "augmented" in str(page.locator(".focus .note").first.text_content())
        session = sessions_in(folder)[-1]
        model = load(session.model)
        assert model.layers[2] == Residual((model.layers[1], Conv2D(4)))
        assert session.configuration().recipe.augmentation == Augmentation(shift=1)
        assert number(page, "parameters") == str(model.program.parameter_count)
        assert model.flat.tobytes() == untouched(session)


def test_a_training_is_trained_on_or_the_page_says_why_not(
    browser: Browser, lab: str, folder: Path, small: str
) -> None:
    with opened(browser, room(lab, **PLAIN, data=small)) as page:
        begin(page)
        badge(page, "finished")
        page.get_by_label("epochs in all").fill("3")
        press(page, "Train on")
        until(page, "[...document.querySelectorAll('.numbers dd')].some(one => one.textContent === '3.00')")
        badge(page, "finished")
        session = sessions_in(folder)[-1]
        assert session.configuration().recipe.epochs == 3
        assert load(session.model).flat.tobytes() == untouched(session)
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(room(lab, layers=LAYERS, base="good", data=small))
    begin(page)
    badge(page, "finished")
    press(page, "Train on")
    page.get_by_text("The schedule OneCycle spreads its learning rates").wait_for()
    everybody_can_use(browser, page)
    press(page, "Compose it with 2 epochs")
    until(page, "document.activeElement.textContent.trim() === 'Train'")
    assert page.locator(".compose").get_by_label("epochs", exact=True).first.input_value() == "2"
    context.close()


def test_what_was_interrupted_is_resumed_at_once(browser: Browser, tmp_path: Path, small: str) -> None:
    made = [Session.create(tmp_path, Configuration.from_dict(request(small, seed=seed))) for seed in (0, 1)]
    for session in made:
        session.tell("interrupted")
    with running("--folder", str(tmp_path)) as (_, address, _), opened(browser, f"{address}#room=train") as page:
        press(page, "Resume all 2 that were interrupted")
        ended = page.locator(".tried td", has_text=re.compile("^finished$"))
        expect(ended).to_have_count(2, timeout=PATIENCE)
        assert page.get_by_role("button", name="Resume all").count() == 0
        assert [load(session.model).flat.tobytes() for session in made] == [untouched(session) for session in made]


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
            "import(new URL('colour.js', document.baseURI)).then(({ viridis, inkOn }) => Array.from({ length: 256 }, (_, i) =>"
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
            assert str(told.locator("code").last.text_content()).startswith("#room=train&")


def test_own_images_of_several_sizes_are_resized_and_trained_on(
    browser: Browser, lab: str, folder: Path, tmp_path: Path
) -> None:
    mixed = images(tmp_path, [(8, 8), (9, 11), (12, 8)])
    with opened(browser, room(lab, base="plain", layers=LAYERS)) as page:
        type_in(page, "data set, or the path of your own", f' "{mixed}" ')
        page.get_by_text("are of 3 sizes").wait_for()
        assert page.locator(".begin button.main").is_disabled()
        type_in(page, "resize, in pixels", "8")
        page.get_by_text("8 × 8 × 3, 2 classes").wait_for()
        press(page, "Give it 2 units")
        begin(page)
        badge(page, "finished")
        assert load(sessions_in(folder)[-1].model).input_shape == (8, 8, 3)
        page.locator(".confusion button:not(:empty)").first.click()
        page.locator(".cell-images canvas").first.wait_for()
        assert page.locator(".cell-images canvas").first.evaluate(
            "one => { const [red, green] = one.getContext('2d').getImageData(0, 0, 1, 1).data; return red !== green; }"
        )
        press(page, "Compose again")
        assert page.get_by_label("resize, in pixels").input_value() == "8"
        address = page.url
        press(page, "Look inside")
        page.get_by_text("the drawing is scaled to 8 x 8, in 3 equal channels").wait_for()
        page.goto(address)
        press(page, "Use in Draw")
        page.get_by_text("the drawing is scaled to 8 x 8, in 3 equal channels").wait_for()


def test_what_is_being_typed_stays_while_a_training_runs(browser: Browser, lab: str, small: str) -> None:
    plan = {**PLAIN, "changes": {"epochs": 100, "batch_size": 2}}
    with opened(browser, room(lab, **plan, data=small)) as page:
        begin(page)
        badge(page, "running")
        steps = page.locator(".numbers dd").first
        for field, typed in (("filters", "123"), ("seed", "45"), ("data set, or the path of your own", "digits")):
            before = steps.text_content()
            found = page.locator(".compose").get_by_label(field, exact=True).first
            found.press("ControlOrMeta+a")
            found.press_sequentially(typed, delay=300)
            assert found.input_value() == typed
            assert steps.text_content() != before
            found.press("Enter")
        assert page.locator("[data-place='0']").get_by_label("filters").input_value() == "123"
        press(page, "Stop")
        badge(page, "stopped")


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
