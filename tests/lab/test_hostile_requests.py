"""Requests that nobody who uses the page would send, to every route of a running lab: none has an effect.

The routes are those of the application that is served, whatever stands before them: a new one is among them by itself.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.routing import Mount

from convlens.lab import guard, server
from convlens.lab.guard import Guard
from convlens.lab.site import Site
from convlens.lab.training.configuration import Configuration
from convlens.lab.training.session import Session, sessions_in
from convlens.lab.training.sessions import Sessions

from .serving import running
from .training.small import data, request

Route = tuple[str, str]  # method and path
FROM_ELSEWHERE = {
    "another origin": {"Origin": "http://evil.example"},
    "the same machine, another port": {"Origin": "http://localhost:1"},
    "a page without an origin": {"Origin": "null"},
    "a name that was rebound": {"Host": "evil.example"},
    "a name that was rebound, with its own origin": {"Host": "evil.example", "Origin": "http://evil.example"},
    "no name": {"Host": ""},
    "what a page of another site fetches": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "what a neighbouring site fetches": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
}
MALFORMED = {
    "nothing": b"",
    "half of it": b'{"layers": [',
    "a list": b"[]",
    "no text": b"\xff\xfe\x00",
    "nested": b"[" * 100_000,
    "not a number": b'{"share": NaN}',
    "a number of many digits": b'{"seeds": [' + b"9" * 5_000 + b"]}",
    "half a character": b'{"\\ud800": 1}',
    "what a terminal would obey": b'{"\\u001b[2J": 1}',
}


def table(app: Any) -> list[Route]:
    """Return what an application answers, method and path, behind its guard and beside it."""
    if isinstance(app, Guard):
        return table(app._app)
    found: list[Route] = []
    for route in app.routes:
        if isinstance(route, Mount):
            found += [(method, route.path + path) for method, path in table(route.app)]
        else:
            found += [(method, route.path) for method in sorted(route.methods - {"HEAD"})]
    return found


ROUTES = table(
    server.application(Site({}), Sessions(Path("nowhere")), server.LabSettings(), token=None, ended=lambda: True)
)
CHANGING = [route for route in ROUTES if route[0] != "GET"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one training, which could be resumed and deleted."""
    found = tmp_path_factory.mktemp("hostile")
    session = Session.create(found, Configuration.from_dict(request(data(found))))
    session.tell("stopped")
    return found


@pytest.fixture(scope="module")
def lab(folder: Path) -> Iterator[str]:
    """Return the address of a running lab."""
    with running("--folder", str(folder)) as (_, address, _):
        yield address


def path(route: Route, name: str) -> str:
    return route[1].replace("{name}", name).replace("{address:path}", "app.js")


def ask(address: str, method: str, path: str, headers: Mapping[str, str], body: Any = None) -> tuple[int, str]:
    """Send a request; returns the status, and the sentence with which it was refused."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for one, value in headers.items():
            connection.putheader(one, value)
        chunked = headers.get("Transfer-Encoding") == "chunked"
        if body is not None and not chunked:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body, encode_chunked=chunked)
        answer = connection.getresponse()
        text = answer.read() if answer.status != 200 else b"{}"  # a stream of events would not end
        return answer.status, str(json.loads(text or b"{}").get("error", ""))
    finally:
        connection.close()


def state(folder: Path) -> dict[str, bytes]:
    """Return what the trainings of a folder are."""
    return {one.name: one.journal.path.read_bytes() for one in sessions_in(folder)}


def test_the_table_has_the_routes_of_every_room() -> None:
    assert {("POST", "/api/trainings"), ("DELETE", "/api/trainings/{name}"), ("GET", "/{address:path}")} <= {*ROUTES}


@pytest.mark.parametrize("headers", FROM_ELSEWHERE.values(), ids=FROM_ELSEWHERE)
def test_what_comes_from_elsewhere_is_refused(lab: str, folder: Path, headers: Mapping[str, str]) -> None:
    before = state(folder)
    (name,) = before
    for route in ROUTES:
        status, sentence = ask(lab, route[0], path(route, name), headers, b"{}" if route in CHANGING else None)
        assert status == 403, route
        assert "this lab" in sentence
    assert state(folder) == before


def test_a_form_of_another_site_is_refused_where_it_would_change_something(lab: str, folder: Path) -> None:
    before, headers = state(folder), {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    (name,) = before
    for route in CHANGING:
        assert ask(lab, route[0], path(route, name), headers, b"{}")[0] == 403, route
    assert state(folder) == before


@pytest.mark.parametrize("known", ["", "wrong"])
def test_an_open_lab_does_nothing_without_its_token(tmp_path: Path, known: str) -> None:
    session = Session.create(tmp_path, Configuration.from_dict(request(data(tmp_path))))
    session.tell("stopped")
    before = state(tmp_path)
    headers = {"Authorization": f"Bearer {known}", "Cookie": f"convlens-lab-80={known}"} if known else {}
    with running("--host", "0.0.0.0", "--folder", str(tmp_path)) as (_, address, _):
        for route in ROUTES:
            status, sentence = ask(address, route[0], path(route, session.name), headers, b"{}")
            assert status == 401, route
            assert "token" in sentence
    assert state(tmp_path) == before


def test_long_bodies_are_refused_and_the_lab_goes_on(lab: str, folder: Path) -> None:
    before = state(folder)
    long = b"[" + b" " * guard.LARGEST_BODY + b"]"
    for route in CHANGING:
        where = path(route, "0009-none")
        assert ask(lab, route[0], where, {"Content-Length": str(10**12)})[0] == 413, route
        # without its length, it is refused where it is read; a route that reads none has no use for it
        status, _ = ask(lab, route[0], where, {"Transfer-Encoding": "chunked"}, iter([long]))
        assert status in {400, 413}, route
    assert ask(lab, "POST", "/api/trainings", {"Transfer-Encoding": "chunked"}, iter([long]))[0] == 413
    assert ask(lab, "GET", "/app.js", {})[0] == 200
    assert state(folder) == before


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_answered_in_words(lab: str, folder: Path, body: bytes) -> None:
    before = state(folder)
    for route in CHANGING:
        status, sentence = ask(lab, route[0], path(route, "0009-none"), {}, body)
        assert status == 400, route
        assert sentence
        assert sentence.isprintable()
    assert state(folder) == before
