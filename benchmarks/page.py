"""How fast the page answers: the engine's JavaScript in a headless Chromium, by the browser's own clock.

    python benchmarks/page.py [MODEL.safetensors...] [--out benchmarks/results/page.json]

The models are those that ship with the lab, if none are named. A digit is drawn stroke by stroke on a canvas, and after
each stroke it is read, prepared and answered by every model: as it is, and with *centre it*. Then a worker draws the
maps over all shifts of up to 8 pixels, 17 x 17, of every model.

Then the page itself (`page_shown.py`), always with the models that ship: how long after it was asked for, without a
cache, its canvas and the answers of one and of two networks are painted. And of a stroke before three networks: how
long after the page got the mouse's move the frame with the new bars is painted (`painted`), how long after the move
itself, which waits for the screen's next frame (`sinceEvent`), and what of it is the page's script (`script`).

Every time is kept, and which share of the machine other processes took before.
"""

from __future__ import annotations

import argparse
import base64
import functools
import json
import platform
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

import convlens
from convlens.bench.load import others_now
from convlens.files import write_atomically
from page_shown import shown

LAB = Path(convlens.__file__).parent / "lab"
STROKES, MAPS = 300, 7

SCRIPT = """
async ([files, strokes, maps]) => {
  const { Model } = await import("/engine/index.js");
  const { inkOfCanvas, prepareDigit } = await import("/engine/digits.js");
  const { ShiftMaps } = await import("/engine/shift_maps.js");
  const bytes = files.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  const models = await Promise.all(bytes.map((one) => Model.fromBytes(one)));
  const canvas = Object.assign(document.createElement("canvas"), { width: 280, height: 280 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  Object.assign(pen, { lineWidth: 22, lineCap: "round", lineJoin: "round", strokeStyle: "white", fillStyle: "black" });
  const small = Object.assign(document.createElement("canvas"), { width: 28, height: 28 }).getContext("2d");
  const times = { strokes: [], centred: [], maps: [], firstPart: [] };
  let pixels;

  /** Draw a little more of a 3, round after round. */
  const stroke = (n) => {
    if (n % 40 === 0) pen.fillRect(0, 0, 280, 280);
    const at = (k) => [140 + 50 * Math.sin(0.16 * (k % 40)), 60 + 4 * (k % 40)];
    pen.beginPath();
    pen.moveTo(...at(n));
    pen.lineTo(...at(n + 0.99));
    pen.stroke();
  };
  const answer = (centre) => {
    const begun = performance.now();
    if (centre) {
      const ink = inkOfCanvas(pen.getImageData(0, 0, 280, 280));
      pixels = prepareDigit(ink, [280, 280], models[0].inputShape).pixels;
    } else {
      small.drawImage(canvas, 0, 0, 28, 28);
      pixels = Uint8Array.from(inkOfCanvas(small.getImageData(0, 0, 28, 28)));
    }
    for (const model of models) model.probabilities(pixels);
    return performance.now() - begun;
  };
  for (let n = 0; n < strokes; n++) {
    stroke(n);
    times.strokes.push(answer(false));
    times.centred.push(answer(true));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  const drawn = new ShiftMaps();
  await Promise.all(bytes.map((one, key) => drawn.add(String(key), one)));
  for (let n = 0; n < maps; n++) {
    const begun = performance.now();
    let first = null;
    const part = () => { first ??= performance.now() - begun; };
    await drawn.draw(models.map((_, key) => String(key)), pixels, { reach: 8, part });
    times.maps.push(performance.now() - begun);
    times.firstPart.push(first);
  }
  drawn.close();
  return times;
}
"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the static files, and an empty page."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>empty</title>")
        return None

    def log_message(self, *_: object) -> None:
        pass


def measured(files: list[Path]) -> dict[str, Any]:
    """Return the milliseconds of all that was timed, the bytes of the first view, and the browser's version."""
    contents = [base64.b64encode(file.read_bytes()).decode() for file in files]
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(LAB / "static"))) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        times = page.evaluate(SCRIPT, [contents, STROKES, MAPS])
        more, sizes = shown(browser)
        version = browser.version
        browser.close()
        server.shutdown()
    return {"chromium": version, "milliseconds": times | more, "bytes": sizes}


def summary(times: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(times)), 3),
        "p95": round(float(np.quantile(times, 0.95)), 3),
        "least": round(min(times), 3),
        "most": round(max(times), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/page.json"))
    given = parser.parse_args()
    files = given.models or sorted((LAB / "assets" / "models").glob("*.safetensors"))
    others = others_now()
    found = measured(files)
    result = {
        "models": [file.stem for file in files],
        "others": None if others is None else round(others, 2),
        "chromium": found["chromium"],
        "bytes": found["bytes"],
        "machine": platform.machine(),
        "summary": {name: summary(times) for name, times in found["milliseconds"].items()},
        "milliseconds": {name: [round(one, 3) for one in times] for name, times in found["milliseconds"].items()},
    }
    print(f"other processes took {result['others']} of the machine")
    print(f"bytes of the first view up to canvas, one answer, and two: {result['bytes']}")
    for name, one in result["summary"].items():
        print(f"{name:10} median {one['median']:8.2f} ms   p95 {one['p95']:8.2f} ms   least {one['least']:8.2f} ms")
    write_atomically(given.out, json.dumps(result, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main()
