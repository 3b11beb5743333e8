"""The room Train as its user sees it: its address, its buttons, what it shows."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Browser, Page

from convlens.lab.training.session import Session
from convlens.train.loop import fit

from .page import opened, until, violations

BASELINE = [
    {"layer": "Flatten"},
    {"layer": "Dense", "units": 128},
    {"layer": "ReLU"},
    {"layer": "Dense", "units": 10, "kernel_initializer": "glorot_uniform"},
]
PHONE = {"width": 390, "height": 844}


def room(address: str, **plan: Any) -> str:
    """Return the address of the room Train with a plan."""
    shown = {"layers": BASELINE, "base": "good", "changes": {"epochs": 1}, **plan}
    return f"{address}#room=train&plan={json.dumps(shown)}"


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def badge(page: Page, state: str) -> None:
    """Wait until the training that is looked at is in a state."""
    page.locator(".focus .badge", has_text=re.compile(f"^{state}$")).wait_for()


def number(page: Page, name: str) -> str:
    found = page.locator(".numbers div", has=page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("dd")
    return str(found.text_content())


def untouched(session: Session) -> bytes:
    """Return the weights of the same training, run in one piece."""
    given = session.configuration()
    dataset = given.dataset()
    model = given.model(dataset)
    fit(model, dataset, given.recipe, test=False, progress=False, doubt=False)
    return model.flat.tobytes()


def everybody_can_use(browser: Browser, page: Page, ready: str = ".sum-line") -> None:
    """Check the page with axe-core, here, in the dark and on a phone, once `ready` is there; nothing moves in it."""
    assert not violations(page)
    address = page.evaluate("import(new URL('state.js', document.baseURI)).then(state => state.link())")
    for settings in (
        {"color_scheme": "dark"},
        {"viewport": PHONE},
        {"viewport": PHONE, "color_scheme": "dark"},
    ):
        with opened(browser, address, **settings) as other:
            other.locator(".focus .badge").wait_for()
            other.locator(ready).wait_for()
            assert not violations(other), settings
            assert other.evaluate("document.documentElement.scrollWidth <= innerWidth"), settings
            assert other.evaluate("document.getAnimations().length") == 0
            assert (
                other.locator("main button").first.evaluate("one => getComputedStyle(one).transitionProperty") == "none"
            )


def begin(page: Page, name: str = "Train") -> None:
    """Start what is composed, and wait until the page has gone to the training that begins."""
    page.locator(".begin button.main:enabled", has_text=name).click()
    until(page, "document.activeElement.id === 'focus-title'")
