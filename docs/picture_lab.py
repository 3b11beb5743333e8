"""Take the pictures of the lab: ``make pictures`` (needs Chromium and Playwright).

Writes docs/figures/lab-drag.gif, which shows a digit being dragged, and a picture of each room, such as lab-draw.png.
"""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from convlens.lab.export import export

FIGURES = Path(__file__).parent / "figures"
SIZE = {"width": 1280, "height": 840}
FRAMES, PAUSE = 28, 110  # of the drag; milliseconds between two
SCALE = 0.7  # of the moving picture
TRAINING = 600_000  # milliseconds that two trainings may take
REACH = 5  # pixels of the drawing that it is dragged to each side
DRAWN = {  # a room is there when it has two of these
    "draw": ".shift-map[data-complete=true]",
    "inside": ".three canvas",
    "studies": ".intervals svg",
}
SHOTS = {
    "draw": "shift=6,0",
    "inside": "room=inside&model=cnn&layer=pool1&unit=5,6,3&shift=3,1&tab=shift",
    "studies": "room=studies&study=baseline-vs-cnn&expect=1",
}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@contextmanager
def served() -> Iterator[str]:
    """Serve the exported page; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        export(Path(folder))
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/"
            finally:
                server.shutdown()
                thread.join()


@contextmanager
def running() -> Iterator[str]:
    """Run the lab, which trains; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "convlens", "lab", "--no-browser", "--port", "0", "--folder", folder]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as lab:
            assert lab.stderr is not None
            try:
                yield next(found.group() for line in lab.stderr if (found := re.search(r"http://[\w.:]+/", line)))
            finally:
                lab.terminate()


def shoot(page: Page) -> Image.Image:
    """Return what the page shows."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def show(page: Page, address: str, name: str) -> None:
    """Open a room as its picture shows it, and wait until it is there."""
    page.mouse.move(0, 0)  # nothing is pointed at
    page.goto(f"{address}#{SHOTS[name]}")
    page.locator(DRAWN[name]).nth(1).wait_for()


def train(page: Page, address: str) -> None:
    """Train the network that the room Train begins with, under two seeds, and wait until both have ended."""
    page.goto(f"{address}#room=train")
    page.get_by_label("seeds", exact=True).fill("2")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Train all 2 seeds on").wait_for(timeout=TRAINING)
    page.locator(".uplot canvas").nth(1).wait_for()
    page.evaluate("scrollTo(0, 0)")


def drag(page: Page) -> list[Image.Image]:
    """Drag the digit to the right, down and back; a picture of each moment."""
    box = page.locator(".surface").bounding_box()
    assert box is not None
    middle, reach = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), box["width"] * REACH / 28
    page.mouse.move(*middle)
    page.mouse.down()
    frames = []
    for frame in range(FRAMES):
        angle = 2 * math.pi * frame / FRAMES
        page.mouse.move(middle[0] + reach * math.sin(angle), middle[1] + reach * math.sin(2 * angle) / 3)
        page.wait_for_timeout(PAUSE)
        frames.append(shoot(page))
    page.mouse.up()
    return frames


def in_motion(frames: list[Image.Image]) -> list[Image.Image]:
    """Return frames for a GIF: smaller, and with one palette, so that what does not move does not flicker."""
    small = [one.resize([round(SCALE * side) for side in one.size], Image.Resampling.LANCZOS) for one in frames]
    width, height = small[0].size
    sheet = Image.new("RGB", (width, 4 * height))  # a few moments have all the colours
    for place in range(4):
        sheet.paste(small[place * len(small) // 4], (0, place * height))
    palette = sheet.quantize(256, Image.Quantize.MAXCOVERAGE)  # rare colours too
    return [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in small]


def keep(page: Page, name: str) -> None:
    """Write the picture of a room."""
    page.wait_for_timeout(1000)
    shoot(page).save(FIGURES / f"lab-{name}.png", optimize=True)


def main() -> None:
    """Write the pictures."""
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(address)
        page.locator(".shift-map[data-complete=true]").nth(1).wait_for()
        first, *others = in_motion(drag(page))
        first.save(FIGURES / "lab-drag.gif", save_all=True, append_images=others, duration=PAUSE, loop=0, optimize=True)
        for name in SHOTS:
            show(page, address, name)
            keep(page, name)
        with running() as lab:
            train(page, lab)
            keep(page, "train")
        browser.close()


if __name__ == "__main__":
    main()
