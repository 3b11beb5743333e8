"""How fast the page shows what it has to show: its first view, and a stroke up to the frame that has the new bars.

Used by ``page.py``. `convlens lab` runs as for a user, and a headless Chromium opens it; all times are of the page's
own clock. A frame counts as painted when the first task after it runs.
"""

from __future__ import annotations

import contextlib
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page

LOADS, ROUNDS, POINTS = 7, 8, 40  # fresh visits; strokes, and moves of the mouse in each
SIZE = {"width": 1280, "height": 840}
FIRST = ("canvas", "answer", "both")  # of a first view

# Runs before the page does: notes when the canvas, the first answer and the second are painted, and the bytes by then.
WATCH_LOADING = """
() => {
  window.firstView = {};
  const painted = (then) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(0);
  });
  const bytes = () => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, one) => sum + one.encodedBodySize, 0);
  const is = {
    canvas: () => document.querySelector(".surface canvas"),
    answer: () => document.querySelector(".reads strong"),
    both: () => document.querySelectorAll(".reads strong").length > 1,
  };
  const look = () => {
    for (const [name, there] of Object.entries(is)) {
      if (name in firstView || !there()) continue;
      firstView[name] = null;
      const size = bytes();
      painted(() => { firstView[name] = { milliseconds: performance.now(), bytes: size }; });
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}
"""

# Notes for every move of the pressed mouse: from the event, and from when the page got it, to the frame with new bars.
WATCH_STROKES = """
() => {
  window.strokes = { painted: [], sinceEvent: [], script: [] };
  const share = (one) => one.style.getPropertyValue("--share");
  const bars = () => [...document.querySelectorAll(".bars td")].map(share).join();
  const { port1, port2 } = new MessageChannel();
  let move = null;
  port1.onmessage = () => {
    const now = performance.now();
    if (bars() !== move.bars) {
      strokes.painted.push(now - move.got);
      strokes.sinceEvent.push(now - move.sent);
      strokes.script.push(move.frame - move.got);
    }
    move = null;
  };
  addEventListener("pointermove", ({ buttons, timeStamp }) => {
    if (!buttons || move) return;
    move = { sent: timeStamp, bars: bars(), got: performance.now() };
    requestAnimationFrame(() => {
      move.frame = performance.now();
      port2.postMessage(0);
    });
  }, true);
}
"""


@contextlib.contextmanager
def running_lab() -> Iterator[str]:
    """Run ``convlens lab`` without anybody's trainings; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "convlens", "lab", "--no-browser", "--port", "0", "--folder", folder]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                yield next(found.group() for line in process.stderr if (found := re.search(r"http://\S+", line)))
            finally:
                process.kill()


def shown(browser: Browser) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return milliseconds by what was shown, and the bytes that had come by then."""
    with running_lab() as address:
        loads = [first_view(browser, address) for _ in range(LOADS)]
        times = {name: [one[name]["milliseconds"] for one in loads] for name in FIRST}
        return {**times, **strokes(browser, address)}, {name: loads[-1][name]["bytes"] for name in FIRST}


def first_view(browser: Browser, address: str) -> dict[str, Any]:
    """Return when canvas, first and second answer were painted after the page was asked for, with no cache."""
    with browser.new_context(viewport=SIZE) as context:
        page = context.new_page()
        page.add_init_script(f"({WATCH_LOADING})()")
        page.goto(address)
        page.locator(".shift-map[data-complete=true]").nth(1).wait_for()
        found: dict[str, Any] = page.evaluate("firstView")
        return found


def strokes(browser: Browser, address: str) -> dict[str, list[float]]:
    """Draw a 3 with the mouse, several times, before three networks."""
    with browser.new_context(viewport=SIZE) as context:
        page = context.new_page()
        page.goto(f"{address}#models=dense,cnn,local")
        page.locator(".shift-map[data-complete=true]").nth(2).wait_for()
        page.evaluate(WATCH_STROKES)
        for _ in range(ROUNDS):
            page.get_by_role("button", name="Clear").click()
            draw_three(page)
        found: dict[str, list[float]] = page.evaluate("strokes")
        return found


def draw_three(page: Page) -> None:
    box = page.locator(".surface").bounding_box()
    assert box is not None
    for n in range(POINTS):
        across, down = 0.5 + 0.25 * math.sin(0.16 * n), 0.15 + 0.7 * n / POINTS
        page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        if n == 0:
            page.mouse.down()
    page.mouse.up()
