"""The room Inside in a real browser: what it shows of a network is what the library computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from convlens.lab.shipped import ShippedDigits
from convlens.lens import activations, equivariance, most_active
from convlens.nn import Model

from .page import drawn, opened, settle, show_digit, until

pytestmark = pytest.mark.slow


def inside(page: Page, layer: str) -> Any:
    return page.locator(".layer", has=page.get_by_role("heading", name=layer, exact=True))


@pytest.mark.parametrize(("layer", "unit"), [("conv1", (10, 12, 3)), ("relu2", (6, 7, 20)), ("pool1", (5, 6, 2))])
def test_a_units_arithmetic_is_that_of_the_library(
    browser: Browser, lab: str, digits: ShippedDigits, shipped: dict[str, Model], layer: str, unit: tuple[int, int, int]
) -> None:
    model, image = shipped["CNN"], digits.images[:1]
    with opened(browser, f"{lab}#room=inside&model=cnn") as page:
        show_digit(page, image.ravel())
        tile = inside(page, layer).locator(f"[data-tile='{unit[2]}']")
        tile.scroll_into_view_if_needed()
        box = tile.bounding_box()
        assert box is not None
        height, width = model.program.nodes[[n.name for n in model.program.nodes].index(layer)].output_shape[:2]
        tile.click(
            position={"x": box["width"] * (unit[1] + 0.5) / width, "y": box["height"] * (unit[0] + 0.5) / height}
        )
        panel = page.locator("#details-panel")
        panel.locator("[data-value]").wait_for()
        expected = float(activations(model, image, [layer])[layer][0][unit])
        shown = panel.locator("[data-activated]" if layer != "pool1" else "[data-value]").last
        attribute = "data-activated" if layer != "pool1" else "data-value"
        value = float(shown.get_attribute(attribute) or "nan")
        if layer == "conv1":
            value = float(panel.locator("[data-value]").get_attribute("data-value") or "nan")
            cells = [float(one.replace("−", "-")) for one in panel.locator(".matrix td").all_inner_texts()]
            patch, kernel, products = np.array(cells).reshape(3, 9)
            pixels = np.pad(image[0, :, :, 0] / 255, 1)[unit[0] : unit[0] + 3, unit[1] : unit[1] + 3]
            weights = model.parameters["conv1.w"][:, :, 0, unit[2]]
            np.testing.assert_allclose(patch, pixels.ravel(), atol=0.006)
            np.testing.assert_allclose(kernel, weights.ravel(), atol=0.006)
            np.testing.assert_allclose(products, (pixels * weights).ravel(), atol=0.006)
        assert value == pytest.approx(
            expected, abs=1e-5 * float(np.abs(activations(model, image, [layer])[layer]).max())
        )
        frame = page.locator(".surface rect.field").last
        sees = {"conv1": (3, 3), "relu2": (8, 8), "pool1": (4, 4)}[layer]
        assert (float(frame.get_attribute("height") or 0), float(frame.get_attribute("width") or 0)) == sees


def test_the_digits_that_make_a_unit_most_active(
    browser: Browser, lab: str, digits: ShippedDigits, shipped: dict[str, Model]
) -> None:
    wanted = most_active(shipped["CNN"], digits.images, "relu2", 9)
    with opened(browser, f"{lab}#room=inside&model=cnn&tab=digits&layer=relu2&unit=0,0,20") as page:
        page.get_by_text("Of 300 test digits, those").wait_for()
        buttons = page.locator(".examples button")
        names = [one.get_attribute("aria-label") or "" for one in buttons.all()]
        values = [float(one.split(": ")[1]) for one in names]
        np.testing.assert_allclose(values, wanted.values[20], rtol=1e-3)
        first = int(wanted.index[20, 0])
        assert names[0].startswith(f"Test digit {digits.indexes[first]}, a {digits.labels[first]}: ")
        top, left, bottom, right = wanted.sees[20, 0]
        frame = buttons.first.locator("rect.field").last
        assert [float(frame.get_attribute(one) or "") for one in ("x", "y", "width", "height")] == [
            left, top, right - left, bottom - top,
        ]  # fmt: skip
        settle(page, turn=30, shift=[3, 0])
        buttons.first.click()
        until(page, f"document.querySelector('.layer.chosen .readout').textContent.endsWith('{values[0]:.4g}')")
        assert drawn(page) == digits.images[first].ravel().tolist()
        row, column = wanted.places[20, 0]
        assert f"row {row + 1}, column {column + 1}" in page.locator(".layer.chosen .readout").inner_text()
        inside(page, "dense2").locator("[data-tile]").click()  # another node: the list is of that one
        page.get_by_role("heading", name="dense2, class").wait_for()
        page.get_by_text("Of 300 test digits, those").wait_for()


def test_the_meter_is_the_librarys_equivariance(
    browser: Browser, lab: str, digits: ShippedDigits, shipped: dict[str, Model]
) -> None:
    with opened(browser, f"{lab}#room=inside&model=cnn&tab=shift&layer=conv2") as page:
        show_digit(page, digits.images[0].ravel(), (4, 2))
        found = {one.node: one for one in equivariance(shipped["CNN"], digits.images[:1], (2, 4)).nodes}
        for layer in ("conv1", "pool1", "conv2", "dense2"):
            error = found[layer].error
            assert error is not None
            shown = inside(page, layer).locator(".meter").inner_text().split("by ")[1].rstrip(" %")
            assert float(shown) == pytest.approx(100 * error, abs=0.6)
        assert "moves with the drawing exactly" in page.locator("#details-panel").inner_text()
        assert not found["conv2"].broken


def test_layers_work_by_keyboard_and_are_announced(browser: Browser, lab: str) -> None:
    with opened(browser, f"{lab}#room=inside&model=cnn") as page:
        maps = inside(page, "pool1").locator(".maps")
        maps.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("PageDown")
        assert "map 2, row 8, column 9" in inside(page, "pool1").locator(".readout").inner_text()
        until(page, "document.getElementById('announced').textContent.startsWith('map 2, row 8, column 9: ')")
        page.get_by_role("tab", name="Arithmetic").focus()
        page.keyboard.press("ArrowRight")
        assert page.get_by_role("tab", name="Weights").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize("method", ["gradient", "integratedGradients", "gradCam", "occlusion"])
def test_an_attribution_comes_with_its_check(browser: Browser, lab: str, method: str) -> None:
    with opened(browser, f"{lab}#room=inside&model=cnn&tab=why&method={method}") as page:
        page.locator(".check b").wait_for()
        assert page.locator("#details-panel canvas").count() == 2
        assert -1 <= float(page.locator(".check b").inner_text().replace("−", "-")) <= 1


def test_a_slider_goes_through_a_training(browser: Browser, lab: str) -> None:
    with opened(browser, f"{lab}#room=inside") as page:
        slider = page.get_by_label("Through a training")
        slider.fill("0")
        until(page, "document.querySelector('.snapshots output').textContent.startsWith('step 0:')")
        inside(page, "conv1").get_by_text("8 kernels").wait_for()
        first = inside(page, "relu1").locator(".readout").inner_text()
        slider.fill("7")
        until(page, "/[2-3]\\d\\d of 300/.test(document.querySelector('.snapshots output').textContent)")
        until(page, f"document.querySelectorAll('.readout')[1].textContent !== {first!r}")
