"""The engine's files behind a small server on loopback, imported by an empty page of a real browser."""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from convlens import nn

HERE, STATIC = Path(__file__).parent, Path(nn.__file__).parents[1] / "lab" / "static"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave all that needs a browser to `make check`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)


class Handler(SimpleHTTPRequestHandler):
    """Serves the lab's static files, the tests' own module, and an empty page."""

    def translate_path(self, path: str) -> str:
        return str(HERE / "harness.js") if path == "/harness.js" else super().translate_path(path)

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        return self.wfile.write(b"<!doctype html><title>empty</title>") and None

    def log_message(self, *_: object) -> None:
        pass


class Engine:
    """The page, as far as the tests use it; arrays travel as base64."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def call(self, name: str, *given: Any) -> Any:
        """Call a function of harness.js; arrays and bytes in its arguments and in its result are converted."""
        found = self.page.evaluate("([name, given]) => harness.call(name, given)", [name, _to_page(given)])
        return _from_page(found)


def _to_page(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode(), "type": "Uint8Array"}
    if isinstance(value, np.ndarray):
        kind = {"uint8": "Uint8Array", "float32": "Float32Array", "float64": "Float64Array"}[str(value.dtype)]
        return {"base64": base64.b64encode(np.ascontiguousarray(value).tobytes()).decode(), "type": kind}
    if isinstance(value, list | tuple):
        return [_to_page(one) for one in value]
    if isinstance(value, dict):
        return {key: _to_page(one) for key, one in value.items()}
    return value


def _from_page(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"base64", "type"}:
        kind = value["type"].removesuffix("Array").removesuffix("Clamped").lower()
        return np.frombuffer(base64.b64decode(value["base64"]), kind)
    if isinstance(value, list):
        return [_from_page(one) for one in value]
    if isinstance(value, dict):
        return {key: _from_page(one) for key, one in value.items()}
    return value


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    """Return the address of the server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(STATIC))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def engine(browser: Browser, address: str) -> Iterator[Engine]:
    """Return the engine, in a page."""
    page = browser.new_page()
    page.goto(address)
    page.evaluate("async () => { globalThis.harness = await import('/harness.js'); }")
    yield Engine(page)
    page.close()
