"""The rooms Train and Studies in a real browser: trained live, paused, killed, resumed; questions before answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from convlens.data import load as data_of
from convlens.lab.export import export
from convlens.lab.stored_studies import described
from convlens.lab.training.choices import start
from convlens.lab.training.session import Session, sessions_in
from convlens.nn import load
from convlens.studies.results.shipped import read_shipped, shipped_names

from .page import PATIENCE, opened, until, violations
from .serving import behind_http_server, running
from .train_room import badge, everybody_can_use, number, press, room, untouched
from .training.small import data

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    export(folder)
    with behind_http_server(folder) as address:
        yield address


def test_an_epoch_is_trained_live_with_pauses_in_two_tabs_and_used_elsewhere(browser: Browser, tmp_path: Path) -> None:
    layers, recipe = start("baseline", data_of("mnist"))["layers"], {"epochs": 1, "batch_size": 32}
    with (
        running("--folder", str(tmp_path)) as (_, address, _),
        opened(browser, room(address, layers=layers, changes=recipe)) as page,
    ):
        press(page, "Step by step")
        badge(page, "paused")
        press(page, "Step")
        until(page, "document.querySelector('.numbers dd').textContent.startsWith('1 of 1,688')")
        press(page, "Resume")
        badge(page, "running")
        press(page, "Pause")
        badge(page, "paused")
        step = number(page, "step")
        page.reload()
        badge(page, "paused")
        assert number(page, "step") == step
        everybody_can_use(browser, page)
        with opened(browser, address + "#room=train") as other:
            badge(other, "paused")
            press(other, "Resume")
            badge(page, "running")  # what one tab does, the other shows
            everybody_can_use(browser, page)
        # that tab is closed in mid-training
        badge(page, "finished")
        (session,) = sessions_in(tmp_path)
        accuracy = load(session.model).training["validation.accuracy"]
        assert number(page, "validation") == f"{100 * accuracy:.2f} %"
        assert accuracy > 0.97
        assert load(session.model).flat.tobytes() == untouched(session)
        _a_cell_shows_its_images(page, session)
        everybody_can_use(browser, page)
        press(page, "Use in Draw")
        page.locator(".card", has=page.get_by_role("heading", name="Training 1")).locator(".reads strong").wait_for()
        page.reload()
        page.locator(".card", has=page.get_by_role("heading", name="Training 1")).locator(".reads strong").wait_for()


def _a_cell_shows_its_images(page: Page, session: Session) -> None:
    predicted = np.load(session.predictions(1))
    labels = session.configuration().dataset().validation.labels
    wrong = np.flatnonzero(predicted != labels)
    true, taken = int(labels[wrong[0]]), int(predicted[wrong[0]])
    count = int(np.sum((labels == true) & (predicted == taken)))
    press(page, f"{true} taken for {taken}: {count}")
    page.locator(".cell-images canvas").first.wait_for()
    assert page.locator(".cell-images canvas").count() == count
    assert page.locator(".cell-images b").text_content() == f"{true}, taken for {taken}"


def test_a_server_that_is_killed_and_started_again_goes_on(browser: Browser, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    given = "--folder", str(tmp_path / "trainings"), "--port", port
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    with running(*given) as (process, address, _):
        page.goto(room(address, changes={"epochs": 60, "batch_size": 4}, data=data(tmp_path, images=900)) + "&x=1")
        _compose_small(page)
        press(page, "Train")
        badge(page, "running")
        until(page, "Number(document.querySelector('.numbers dd')?.textContent.split(' ')[0].replace(',', '')) > 200")
        process.kill()
        page.get_by_text("The lab does not answer").wait_for()
    with running(*given):
        badge(page, "interrupted")
        assert "mid-training" in str(page.locator(".why").text_content())
        press(page, "Resume")
        badge(page, "finished")
        (session,) = sessions_in(tmp_path / "trainings")
        assert load(session.model).flat.tobytes() == untouched(session)
    context.close()


def _compose_small(page: Page) -> None:
    """Make the last layer fit three classes, as the error there asks."""
    page.get_by_text("10 scores, and the data have 3 classes").wait_for()
    last = page.locator(".layer-row").last
    last.get_by_label("units").fill("3")
    last.get_by_label("units").press("Enter")
    page.locator("button.main:enabled", has_text="Train").wait_for()


def test_layers_are_composed_by_keyboard_and_errors_stand_at_the_layer(browser: Browser, tmp_path: Path) -> None:
    with running("--folder", str(tmp_path)) as (_, address, _), opened(browser, room(address)) as page:
        page.get_by_text("101,770 parameters").wait_for()  # 784 x 128 + 128 + 128 x 10 + 10
        kinds = page.locator(".kind")
        kinds.nth(1).focus()
        page.keyboard.press("Alt+ArrowUp")
        row = page.locator(".layer-row").nth(0)
        row.locator(".wrong").wait_for()
        assert "Dense" in str(row.locator(".wrong").text_content())
        assert page.locator(".layer-row .wrong").count() == 1
        assert page.locator("button.main").is_disabled()
        assert kinds.nth(0).evaluate("one => one === document.activeElement && one.value") == "Dense"
        page.keyboard.press("Alt+ArrowDown")
        page.locator("button.main:enabled").wait_for()
        page.get_by_role("button", name="Add a layer after layer 1, Flatten").press("Enter")
        assert kinds.count() == 5
        page.get_by_role("button", name="Remove layer 2, ReLU").press("Enter")
        assert kinds.count() == 4
        page.get_by_label("data set").fill("mnits")
        page.get_by_label("data set").press("Enter")
        page.get_by_text("did you mean 'mnist'").wait_for()
        assert not violations(page)


def test_without_a_server_recorded_trainings_are_shown_and_said_to_be(browser: Browser, exported: str) -> None:
    with opened(browser, exported + "#room=train") as page:
        page.get_by_text("These trainings were recorded.").wait_for()
        page.locator(".uplot canvas").first.wait_for()
        until(page, "document.querySelectorAll('.tried tbody').length === 4")
        assert page.locator(".tried tr.mean").count() == 4
        assert "convlens train" in str(page.locator(".focus code").text_content())
        assert page.get_by_role("button", name="Train", exact=True).count() == 0
        everybody_can_use(browser, page, ready=".tried")


@pytest.mark.parametrize("name", shipped_names())
def test_a_study_asks_before_it_answers(browser: Browser, exported: str, name: str) -> None:
    study = described(read_shipped(name))
    with opened(browser, f"{exported}#room=studies&study={name}") as page:
        page.get_by_role("heading", name=study["question"]).wait_for()
        assert page.locator(".finding").count() == 0
        assert study["verdict"]["sentence"] not in str(page.locator("main").text_content())
        page.locator(".places button").first.click()
        page.locator(".finding").wait_for()
        shown = str(page.locator("main").text_content())
        assert study["verdict"]["sentence"] in shown
        assert study["command"] in shown
        assert all(one["text"] in shown for one in study["estimands"])
        measured = page.locator(".places button.measured").count()
        assert measured == (study["found"] is not None)
        assert not violations(page)
        page.reload()
        page.locator(".finding").wait_for()
