"""What the room Train asks of the server: ``/api/trainings`` and below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ...data import Dataset
from ...errors import ConfigurationError, ConvlensError
from ...plain import check_keys
from ..requests import read_json
from . import choices, events
from .composition import compose
from .configuration import Configuration, dataset_of, requested
from .confusion import cell
from .pictures import moved
from .sessions import COMMANDS, Sessions


def routes(sessions: Sessions, ended: Callable[[], bool] = lambda: False) -> Sequence[BaseRoute]:
    """Return the routes.

    Parameters
    ----------
    sessions
        The trainings.
    ended
        Whether the server is ending: streams of events end then.
    """
    base = "/api/trainings"
    asked = _Asked(sessions, ended)
    return [
        Route(base, asked.listed, methods=["GET"]),
        Route(base, asked.create, methods=["POST"]),
        Route(f"{base}/choices", asked.choices, methods=["GET"]),
        Route(f"{base}/start", asked.start, methods=["POST"]),
        Route(f"{base}/compose", asked.compose, methods=["POST"]),
        Route(f"{base}/events", asked.events, methods=["GET"]),
        Route(f"{base}/{{name}}", asked.one, methods=["GET"]),
        Route(f"{base}/{{name}}", asked.delete, methods=["DELETE"]),
        Route(f"{base}/{{name}}/model", asked.model, methods=["GET"]),
        Route(f"{base}/{{name}}/cell", asked.cell, methods=["GET"]),
        Route(f"{base}/{{name}}/extend", asked.extend, methods=["POST"]),
        *(Route(f"{base}/{{name}}/{word}", asked.command, methods=["POST"], name=word) for word in COMMANDS),
    ]


class _Asked:
    """The answers; what takes longer than a moment is done in a thread."""

    def __init__(self, sessions: Sessions, ended: Callable[[], bool]) -> None:
        self._sessions, self._ended = sessions, ended

    def listed(self, request: Request) -> Response:
        del request
        return JSONResponse({"trainings": [session.summary() for session in self._sessions.all()]})

    async def create(self, request: Request) -> Response:
        made = await run_in_threadpool(self._sessions.create, await read_json(request))
        return JSONResponse({"names": [session.name for session in made]}, 201)

    def choices(self, request: Request) -> Response:
        del request
        return JSONResponse(choices.choices())

    async def start(self, request: Request) -> Response:
        given = await read_json(request)
        check_keys(("name", *_OF_DATA), given, "start")

        def found() -> dict[str, Any]:
            return choices.start(given.get("name", "cnn"), _dataset(given))

        return JSONResponse(await run_in_threadpool(found))

    async def compose(self, request: Request) -> Response:
        given = await read_json(request)
        check_keys([*(field.name for field in fields(Configuration)), "seeds"], given, "compose")
        return JSONResponse(await run_in_threadpool(_composed, given))

    async def events(self, request: Request) -> Response:
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        found = events.stream(self._sessions, events.read(after), self._ended)
        return StreamingResponse(found, media_type="text/event-stream", headers={"cache-control": "no-store"})

    def one(self, request: Request) -> Response:
        session = self._sessions.get(request.path_params["name"])
        return JSONResponse({**session.summary(), "events": session.journal.read()[0]})

    async def extend(self, request: Request) -> Response:
        given = await read_json(request)
        check_keys(("epochs",), given, "extend")
        await run_in_threadpool(self._sessions.extend, request.path_params["name"], given.get("epochs"))
        return JSONResponse({})

    def delete(self, request: Request) -> Response:
        self._sessions.delete(request.path_params["name"])
        return JSONResponse({})

    def command(self, request: Request) -> Response:
        self._sessions.command(request.path_params["name"], request.url.path.rpartition("/")[2])
        return JSONResponse({})

    def model(self, request: Request) -> Response:
        session = self._sessions.get(request.path_params["name"])
        if not session.model.is_file():
            raise ConfigurationError(
                f"training {session.name} has no model yet; it has one after an epoch, or when it is paused"
            )
        return FileResponse(
            session.model, media_type="application/octet-stream", filename=f"training-{session.name}.safetensors",
            headers={"cache-control": "no-store"},
        )  # fmt: skip

    def cell(self, request: Request) -> Response:
        asked = [_whole(request, key) for key in ("epoch", "true", "predicted")]
        return JSONResponse(cell(self._sessions.get(request.path_params["name"]), *asked))


def _composed(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the layers come to for the data, and what is wrong with the other settings, if those are given."""
    settings, first = None, None
    try:
        first = requested(given)[0] if "recipe" in given else None
    except ConvlensError as error:
        settings = str(error)
    try:
        dataset = _dataset(given)
    except ConvlensError as error:  # as usual as a wrong layer, while somebody types a path
        return {"data": None, "refused": str(error), "settings": settings}
    composition = compose(given.get("layers"), dataset.input_shape, len(dataset.class_names))
    augmentation = first.recipe.augmentation if first else None
    shown = moved(dataset, augmentation, first.seed) if first and augmentation and augmentation.moves else None
    return {"data": choices.about(dataset), **composition.to_dict(), "settings": settings, "moved": shown}


_OF_DATA = ("data", "resize", "skip_broken")


def _dataset(given: Mapping[str, Any]) -> Dataset:
    """Return the data set that a request names."""
    return dataset_of(given.get("data", "mnist"), given.get("resize"), skip_broken=given.get("skip_broken", False))


def _whole(request: Request, key: str) -> int:
    text = request.query_params.get(key, "")
    if not text.isdecimal() or len(text) > 9:
        raise ConfigurationError(f"{key} is a whole number, 0 or more, not {text!r}")
    return int(text)
