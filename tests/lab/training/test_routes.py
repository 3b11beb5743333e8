"""What the room Train asks of the server: answers, refusals in words, and the stream of events."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from convlens.lab.app import create_app
from convlens.lab.guard import Access
from convlens.lab.site import Site
from convlens.lab.training.configuration import Configuration
from convlens.lab.training.routes import routes
from convlens.lab.training.session import Session
from convlens.lab.training.sessions import Sessions

from .small import LAYERS, data, request

PAGE = Site({"index.html": b"", "api/lab.json": b"{}"})
MESSAGES = 2  # of a stream that are read


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    found = Sessions(tmp_path / "trainings")
    yield found
    found.close()


def ask(sessions: Sessions, path: str, body: object = None, *, method: str = "", **headers: str) -> tuple[int, Any]:
    """Send a request to the application, without a socket; returns status and JSON, or the beginning of a stream."""
    path, _, query = path.partition("?")
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    named = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http", "http_version": "1.1", "method": method or ("GET" if body is None else "POST"),
        "scheme": "http", "path": f"/api/trainings{path}", "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    sent: list[Message] = []
    stopped = threading.Event()
    parts: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        while not parts and not stopped.is_set():
            await asyncio.sleep(0.01)
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) > MESSAGES:
            stopped.set()

    app = create_app(PAGE, Access(), routes(sessions, stopped.is_set))
    thread = threading.Thread(target=lambda: asyncio.run(app(scope, receive, send)))  # type: ignore[arg-type]
    thread.start()
    if path == "/events":  # the first message is enough
        while len(sent) < MESSAGES:
            time.sleep(0.01)
        stopped.set()
    thread.join()
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return sent[0]["status"], text if path == "/events" else json.loads(text)


def made(sessions: Sessions) -> Session:
    """Make a training that nothing runs."""
    sessions.folder.mkdir(parents=True)
    given = request(data(sessions.folder.parent))
    session = Session.create(sessions.folder, Configuration.from_dict(given))
    session.tell("stopped")
    return session


def test_composing_says_what_the_layers_come_to(sessions: Sessions, tmp_path: Path) -> None:
    status, found = ask(sessions, "/compose", {"layers": LAYERS, "data": data(tmp_path)})
    assert status == 200
    assert found["problem"] is None
    assert found["data"]["shape"] == [8, 8, 1]
    assert found["parameters"] == 4 * 9 + 4 + 8 * 8 * 4 * 3 + 3
    assert "did you mean 'mnist'" in ask(sessions, "/compose", {"layers": [], "data": "mnits"})[1]["refused"]


def test_choices_and_starts(sessions: Sessions) -> None:
    assert "Conv2D" in ask(sessions, "/choices")[1]["layers"]
    assert ask(sessions, "/start", {"name": "baseline"})[1]["layers"][0] == {"layer": "Flatten"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("", b"{", "not JSON"),
        ("", [], "send an object"),
        ("", {}, "layers"),
        ("", {"layers": LAYERS, "recipe": {"base": "good"}, "data": ["mnist"]}, "data"),
        ("", {"layers": LAYERS, "recipe": {"base": "good"}, "dat": "mnist"}, "did you mean 'data'"),
        ("/compose", {"layer": []}, "did you mean 'layers'"),
        ("/compose", {"layers": {}}, "layers are a list"),
        ("/start", {"name": "cn"}, "did you mean 'cnn'"),
        ("/start", {"name": 5}, "unknown model"),
        ("/0001-none/pause", {}, "no training"),
        ("/..%2f../model", None, "no training"),
        ("/0001-none/cell?epoch=1&true=0&predicted=-1", None, "whole number"),
    ],
)
def test_refusals_are_in_words(sessions: Sessions, path: str, body: object, words: str) -> None:
    status, found = ask(sessions, path, body)
    assert status == 400
    assert words in found["error"]
    assert not sessions.folder.is_dir() or sessions.all() == []


def test_a_training_is_listed_and_deleted(sessions: Sessions) -> None:
    session = made(sessions)
    (listed,) = ask(sessions, "")[1]["trainings"]
    assert (listed["name"], listed["state"], listed["model"]) == (session.name, "stopped", None)
    assert [event["kind"] for event in ask(sessions, f"/{session.name}")[1]["events"]] == ["created", "state"]
    assert "no model yet" in ask(sessions, f"/{session.name}/model")[1]["error"]
    assert "cannot be paused" in ask(sessions, f"/{session.name}/pause", {})[1]["error"]
    assert ask(sessions, f"/{session.name}", method="DELETE")[0] == 200
    assert ask(sessions, "")[1]["trainings"] == []


def test_the_stream_goes_on_after_the_last_event_id(sessions: Sessions) -> None:
    session = made(sessions)
    first = _message(ask(sessions, "/events")[1])
    assert [event["kind"] for event in first["data"]["changes"][0]["events"]] == ["created", "state"]
    session.tell("interrupted", "why")
    for found in (
        ask(sessions, "/events", last_event_id=first["id"]),
        ask(sessions, f"/events?after={first['id']}"),
    ):
        (change,) = _message(found[1])["data"]["changes"]
        assert [event["state"] for event in change["events"]] == ["interrupted"]


def _message(text: str) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in text.split("\n\n")[0].splitlines())
    return {"id": lines["id"], "data": json.loads(lines["data"])}
