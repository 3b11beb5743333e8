"""Driving the page as a user does, and reading what it shows."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

SIDE = 28
PATIENCE = 60_000  # ms: the machine may be busy


@contextmanager
def opened(browser: Browser, address: str, **settings: Any) -> Iterator[Page]:
    """Open the page; at the end, nothing must have gone wrong in it that it did not say itself."""
    context = browser.new_context(**{"reduced_motion": "reduce", **settings})
    context.set_default_timeout(PATIENCE)
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda one: wrong.append(one.text) if one.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        page.goto(address)
        page.locator("main h1").wait_for()
        yield page
        assert not wrong, wrong
    finally:
        context.close()


def at(surface: Locator, x: float, y: float) -> tuple[float, float]:
    """Return where on the screen a pixel of the drawing is, (x, y) from the middle of the first."""
    box = surface.bounding_box()
    assert box is not None
    return box["x"] + (x + 0.5) / SIDE * box["width"], box["y"] + (y + 0.5) / SIDE * box["height"]


def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Move the mouse along points of the drawing with its button down."""
    surface = page.locator(".surface")
    surface.scroll_into_view_if_needed()
    page.mouse.move(*at(surface, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(surface, *point), steps=6)
    page.mouse.up()


def touch(page: Page, *points: tuple[float, float], other: tuple[float, float] | None = None) -> None:
    """Move a finger along points of the drawing; another one may rest on it meanwhile."""
    surface = page.locator(".surface")
    surface.scroll_into_view_if_needed()
    session = page.context.new_cdp_session(page)

    def send(kind: str, *places: tuple[float, float]) -> None:
        fingers = [
            {"id": number, "x": x, "y": y} for number, (x, y) in enumerate([at(surface, *one) for one in places])
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    resting = [] if other is None else [other]
    send("touchStart", points[0])
    if resting:
        send("touchStart", points[0], *resting)
    for before, after in itertools.pairwise(points):
        for step in range(1, 7):
            place = tuple(a + (b - a) * step / 6 for a, b in zip(before, after, strict=True))
            send("touchMove", (place[0], place[1]), *resting)
    send("touchEnd")
    session.detach()
    # what fingers did comes with the next frame
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


def probabilities(page: Page, title: str) -> dict[str, float]:
    """Return the probabilities that a network's card shows, by class, as its bars are long."""
    rows = page.locator(".card", has=page.get_by_role("heading", name=title, exact=True)).locator(".bars tr")
    found: dict[str, float] = rows.evaluate_all(
        "rows => Object.fromEntries(rows.map(row => [row.cells[0].textContent, "
        "Number(row.cells[1].style.getPropertyValue('--share'))]))"
    )
    return found


def until(page: Page, expression: str) -> None:
    """Wait until JavaScript's expression is true; Playwright's own way needs `eval`, which the page forbids."""
    end = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)


def wait_for_answers(page: Page, number: int = 2) -> None:
    """Wait until so many networks have answered."""
    until(page, f"document.querySelectorAll('.reads strong').length === {number}")


def settle(page: Page, **values: Any) -> None:
    """Set fields of the view, as the page's own controls do, and wait until it has been drawn."""
    page.evaluate(
        "async values => { (await import(new URL('state.js', document.baseURI))).set(values);"
        " await new Promise(done => requestAnimationFrame(() => setTimeout(done))); }",
        values,
    )


def show_digit(page: Page, pixels: Sequence[int], shift: tuple[int, int] = (0, 0)) -> None:
    """Show a drawing, shifted (right, down)."""
    page.evaluate(
        "async ([pixels, shift]) => { (await import(new URL('state.js', document.baseURI))).set("
        "{drawing: Uint8Array.from(pixels), shift});"
        " await new Promise(done => requestAnimationFrame(() => setTimeout(done))); }",
        [list(map(int, pixels)), list(shift)],
    )


def drawn(page: Page) -> list[int]:
    """Return the pixels that the surface shows, row by row."""
    found: list[int] = page.locator(".surface canvas").evaluate(
        "one => { const copy = document.createElement('canvas'); [copy.width, copy.height] = [one.width, one.height];"
        " const context = copy.getContext('2d', { willReadFrequently: true }); context.drawImage(one, 0, 0);"
        " return [...context.getImageData(0, 0, one.width, one.height).data].filter((_, i) => i % 4 === 0); }"
    )
    return found


def drop(page: Page, name: str, content: bytes) -> None:
    """Drop a file on the page."""
    page.evaluate(
        "([name, content]) => { const bytes = Uint8Array.from(atob(content), one => one.charCodeAt(0));"
        " const dataTransfer = new DataTransfer(); dataTransfer.items.add(new File([bytes], name));"
        " document.querySelector('main').dispatchEvent("
        "new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })); }",
        [name, base64.b64encode(content).decode()],
    )


def paste(page: Page, name: str, kind: str, content: bytes) -> None:
    """Paste what the clipboard has."""
    page.evaluate(
        "([name, type, content]) => { const bytes = Uint8Array.from(atob(content), one => one.charCodeAt(0));"
        " const clipboardData = new DataTransfer(); clipboardData.items.add(new File([bytes], name, { type }));"
        " document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true })); }",
        [name, kind, base64.b64encode(content).decode()],
    )


def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is now."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(all => JSON.stringify(all.violations))"
    )
    return [
        f"{one['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for one in json.loads(found)
        for node in one["nodes"]
    ]
