"""What is chosen in the room Train: branches, augmentation, own images, more epochs; and what was interrupted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from convlens.lab.training.configuration import Configuration
from convlens.lab.training.session import Session, sessions_in
from convlens.nn import load
from convlens.nn.layers import Conv2D, Residual
from convlens.train.augmentation import Augmentation

from .page import PATIENCE, opened, until
from .serving import running
from .train_room import badge, begin, everybody_can_use, number, press, room, untouched
from .training.small import LAYERS, images, request

pytestmark = pytest.mark.slow

PLAIN = {"base": "plain", "changes": {"epochs": 2}, "layers": LAYERS}


def type_in(page: Page, label: str, value: str, within: str = ".compose") -> None:
    found = page.locator(within).get_by_label(label, exact=True).first
    found.fill(value)
    found.press("Enter")


def test_a_branch_and_augmentation_are_composed_and_trained(
    browser: Browser, lab: str, trainings: Path, small: str
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
        expect(page.locator(".moved canvas")).to_have_count(10)
        begin(page)
        badge(page, "finished")
        assert "residual (conv 4 (3))" in str(page.locator(".focus .note").first.text_content())
        assert "augmented" in str(page.locator(".focus .note").first.text_content())
        session = sessions_in(trainings)[-1]
        model = load(session.model)
        assert model.layers[2] == Residual((model.layers[1], Conv2D(4)))
        assert session.configuration().recipe.augmentation == Augmentation(shift=1)
        assert number(page, "parameters") == str(model.program.parameter_count)
        assert model.flat.tobytes() == untouched(session)


def test_a_training_is_trained_on_or_the_page_says_why_not(
    browser: Browser, lab: str, trainings: Path, small: str
) -> None:
    with opened(browser, room(lab, **PLAIN, data=small)) as page:
        begin(page)
        badge(page, "finished")
        page.get_by_label("epochs in all").fill("3")
        press(page, "Train on")
        until(page, "[...document.querySelectorAll('.numbers dd')].some(one => one.textContent === '3.00')")
        badge(page, "finished")
        session = sessions_in(trainings)[-1]
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


def test_all_seeds_are_trained_on_at_once(browser: Browser, lab: str, trainings: Path, small: str) -> None:
    with opened(browser, room(lab, **PLAIN, data=small, seeds=2, seed=7, share=0.7)) as page:
        begin(page, "Train 2 seeds")
        ended = page.locator(".tried tbody").last.locator("td", has_text=re.compile("^finished$"))
        expect(ended).to_have_count(2, timeout=PATIENCE)
        page.get_by_label("epochs in all").fill("3")
        press(page, "Train all 2 seeds on")
        three = page.locator(".tried tbody").last.locator("td", has_text="3 epochs")
        expect(three).to_have_count(1, timeout=PATIENCE)
        expect(ended).to_have_count(2, timeout=PATIENCE)
    for session in sessions_in(trainings)[-2:]:
        assert session.configuration().recipe.epochs == 3
        assert load(session.model).flat.tobytes() == untouched(session)


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


def test_own_images_of_several_sizes_are_resized_and_trained_on(
    browser: Browser, lab: str, trainings: Path, tmp_path: Path
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
        assert load(sessions_in(trainings)[-1].model).input_shape == (8, 8, 3)
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
    plan = {**PLAIN, "changes": {"epochs": 10_000, "batch_size": 2}}
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
