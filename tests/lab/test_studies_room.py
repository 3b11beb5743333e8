"""The figures of the room Studies in a real browser: lines, maps and their exact values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from convlens.lab.export import export
from convlens.lab.stored_studies import described
from convlens.studies.results.shipped import read_shipped, shipped_names
from convlens.wording import bare

from .page import opened, violations
from .serving import behind_http_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("studies")
    export(folder)
    with behind_http_server(folder) as address:
        yield address


def curve(study: str, name: str) -> Any:
    return next(one for one in described(read_shipped(study))["curves"] if one["name"] == name)


def link(root: str, study: str, name: str = "") -> str:
    return f"{root}#room=studies&study={study}&expect=-1&curve={name}"


def numbers(page: Page, selector: str) -> list[float]:
    return [float(one.split()[0].replace("−", "-")) for one in page.locator(selector).all_inner_texts()]


def test_lines_are_drawn_at_their_values(browser: Browser, exported: str) -> None:
    found = curve("translation", "shift.accuracy_by_distance")
    with opened(browser, link(exported, "translation", found["name"])) as page:
        page.locator(".lines").first.wait_for()
        drawn = page.locator(".lines").evaluate_all(
            "all => all.flatMap(one => [...one.querySelectorAll('polyline')].map(line => "
            "[...line.points].map(point => [point.x, point.y])))"
        )
        heights = [y for points in drawn for _, y in points]
        means = [value for one in found["arms"] for value in one["mean"]]
        assert [len(points) for points in drawn] == [5] * len(found["arms"])
        np.testing.assert_allclose(np.corrcoef(heights, means)[0, 1], -1, atol=1e-6)
        assert all(0 <= y <= 100 for y in heights)
        # pointing at a place shows the values there
        plot = page.locator(".lines .frame > svg").first
        box = plot.bounding_box()
        assert box is not None
        plot.hover(position={"x": box["width"] * drawn[0][2][0] / 100, "y": 20})
        page.locator(".lines .key li", has_text="shift").first.get_by_text("4", exact=True).wait_for()
        shown = page.locator(".lines").first.locator(".key b").all_inner_texts()[1:]
        first = [one for one in found["arms"] if "," not in one["name"]]
        assert shown == [f"{bare(one['mean'][2] / 100, 'fraction')} %" for one in first]


def test_maps_show_the_value_that_is_pointed_at(browser: Browser, exported: str) -> None:
    found = curve("translation", "shift.accuracy_map")
    with opened(browser, link(exported, "translation", found["name"])) as page:
        page.locator(".heat figure").nth(len(found["arms"]) - 1).wait_for()
        maps = [np.reshape(one["mean"], (9, 9)) for one in found["arms"]]
        np.testing.assert_allclose(numbers(page, ".heat output"), [one[4, 4] for one in maps], atol=0.006)
        plot = page.locator(".heat .plot").first
        box = plot.bounding_box()
        assert box is not None
        plot.hover(position={"x": box["width"] * 6.5 / 9, "y": box["height"] * 1.5 / 9})
        page.locator(".legend b", has_text="−6").wait_for()
        np.testing.assert_allclose(numbers(page, ".heat output"), [one[1, 6] for one in maps], atol=0.006)


def test_exact_values_are_in_tables(browser: Browser, exported: str) -> None:
    found = curve("receptive-field", "field.energy_block 2")
    with opened(browser, link(exported, "receptive-field", found["name"])) as page:
        page.get_by_text("Its exact values").click()
        tables = page.locator(".curves-of-study table")
        tables.first.wait_for()
        assert tables.count() == len(found["arms"])
        cells = [float(one) for one in tables.last.locator("td").all_inner_texts()]
        np.testing.assert_allclose(cells, found["arms"][-1]["mean"], rtol=6e-4)


@pytest.mark.parametrize("name", shipped_names())
def test_every_study_draws_all_its_curves(browser: Browser, exported: str, name: str) -> None:
    study = described(read_shipped(name))
    with opened(browser, link(exported, name)) as page:
        page.locator("#command-title").wait_for()
        chooser = page.locator(".curves-of-study select")
        assert chooser.count() == (1 if study["curves"] else 0)
        for one in study["curves"]:
            chooser.select_option(one["name"])
            drawn = ".heat figure" if len(one["axes"]) == 2 else ".lines polyline"
            page.locator(drawn).nth(len(one["arms"]) - 1).wait_for(state="attached")
            assert page.locator(drawn).count() == len(one["arms"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_figures(browser: Browser, exported: str, scheme: Any) -> None:
    with opened(browser, exported, color_scheme=scheme, bypass_csp=True) as page:
        for name, shown in (("shift.accuracy_map", ".heat"), ("shift.accuracy_by_distance", ".lines")):
            page.goto(link(exported, "translation", name))
            page.locator(shown).first.wait_for()
            page.get_by_text("Its exact values").click()
            page.locator(".curves-of-study table").first.wait_for()
            found = violations(page)
            assert not found, "\n".join(found)
