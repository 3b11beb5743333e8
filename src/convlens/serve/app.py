"""The ASGI application: it finds the operation, sends the reply, counts and logs; every error becomes one sentence."""

from __future__ import annotations

import asyncio
import sys
import time
import traceback
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from os import PathLike
from typing import TextIO

from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from ..errors import ConvlensError, nearest
from . import openapi
from .answers import to_json
from .exchange import Arrived, Exchange, Reply, json_reply
from .inference import Inference
from .log import Log
from .metrics import Metrics
from .operations import OPERATIONS, Operation
from .refusal import Refusal
from .served import Models
from .settings import Settings

_QUIET = ("/ping", "/metrics", "/v2/health/live", "/v2/health/ready")  # asked all the time: logged if refused


class App:
    """Serves models over ASGI.

    Parameters
    ----------
    models
        What is served; the first is the default.
    settings
        Limits and times.
    stream
        Where the log goes; None: nowhere.

    Attributes
    ----------
    models, settings
        As given.
    inference
        The requests in hand.
    metrics, log
        What is counted and written.
    description
        Of the API, as JSON.
    held
        Bytes of all bodies that are held.
    """

    def __init__(self, models: Models, settings: Settings | None = None, stream: TextIO | None = sys.stderr) -> None:
        self.models, self.settings = models, settings or Settings()
        self.log = Log(stream)
        self.metrics = Metrics(list(models), lambda: self.inference.in_hand, lambda: self.inference.ready)
        self.inference = Inference(models, self.settings, self.metrics.batch)
        self.description = to_json(openapi.description())
        self.held = 0
        self._fixed = {(one.method, one.path): one for one in OPERATIONS if "{" not in one.path}
        routes = [Route(one.path, _Endpoint(one), methods=[one.method]) for one in OPERATIONS]
        self._router = Router(routes, redirect_slashes=False, lifespan=self._lifespan)

    @classmethod
    def of(
        cls,
        models: Iterable[str | PathLike[str]],
        settings: Settings | None = None,
        stream: TextIO | None = sys.stderr,
    ) -> App:
        """Serve models from their files.

        Raises
        ------
        ArtifactError
            If a file is missing, damaged or not a model.
        ConfigurationError
            If there is no model, two have one name, or pictures cannot be prepared for one.
        """
        settings = settings or Settings()
        return cls(Models.load(models, settings), settings, stream)

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        """Warm the engines up while /ping already says 503, and end the threads at last."""
        warming = asyncio.get_running_loop().create_task(self._warm())
        try:
            yield
        finally:
            await warming
            self.inference.close()
            self.log.event("stopped")
            self.log.flush()

    async def _warm(self) -> None:
        started = time.perf_counter()
        await self.inference.warm()
        if self.inference.failure is None:
            self.log.event("ready", models=list(self.models), seconds=round(time.perf_counter() - started, 3))

    def drain(self) -> None:
        """Be ready no more: from now on, each reply ends its connection."""
        self.inference.draining = True
        self.log.event("draining", in_hand=self.inference.in_hand)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, arrived: Arrived = lambda: None) -> None:
        """Answer one request, or follow the server's life; a server that can tell gives a body that has arrived."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        exchange = Exchange(scope, receive, self, arrived)
        try:
            reply = await self._reply(exchange, receive, send)
        finally:  # before a client that may read slowly gets its reply
            self.held -= exchange.held
        await exchange.send(reply, send, close=self.inference.draining)
        seconds = time.perf_counter() - exchange.started
        self.metrics.request(exchange.route or "none", reply.status, seconds)
        if self.settings.log_requests and (reply.status != 200 or exchange.route not in _QUIET):
            self.log.event(
                "request", id=exchange.id, method=scope["method"], path=scope["path"], status=reply.status,
                ms=round(1000 * seconds, 3), bytes_in=exchange.held, bytes_out=len(reply.body), **exchange.note,
            )  # fmt: skip

    async def _reply(self, exchange: Exchange, receive: Receive, send: Send) -> Reply:
        """Return the reply of an exchange, or to the error that it ended in."""
        scope = exchange.scope
        try:
            if operation := self._fixed.get((scope["method"], scope["path"])):  # what the router would find, sooner
                return await _handled(operation, exchange)
            scope["exchange"] = exchange
            scope["app"] = self  # with an app in its scope, the router raises what it cannot route
            await self._router(scope, receive, send)
            reply: Reply = scope["reply"]
            return reply
        except HTTPException as error:
            return self._refused(exchange, _unrouted(error, scope))
        except Refusal as error:
            return self._refused(exchange, error)
        except ConvlensError as error:  # a body that is not what was expected
            return self._refused(exchange, Refusal(400, str(error)))
        except Exception:  # noqa: BLE001 - the client learns its id, and the log everything
            self.log.event("error", id=exchange.id, path=scope["path"], traceback=traceback.format_exc())
            return self._refused(exchange, Refusal(500, "the server failed; its log says why, under this request's id"))

    @staticmethod
    def _refused(exchange: Exchange, refusal: Refusal) -> Reply:
        exchange.note["error"] = str(refusal)
        return json_reply({"error": str(refusal), "request_id": exchange.id}, refusal.status, refusal.headers)


class _Endpoint:
    """An operation as the router calls it; the reply is left in the scope."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive, send  # both are the exchange's
        scope["reply"] = await _handled(self._operation, scope.pop("exchange"))  # they hold each other


async def _handled(operation: Operation, exchange: Exchange) -> Reply:
    exchange.route = operation.path
    return await operation.handle(exchange)


def _unrouted(error: HTTPException, scope: Scope) -> Refusal:
    """Return the refusal of a request that no operation takes."""
    path = scope["path"]
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "")
        return Refusal(405, f"{path} takes {allow}, not {scope['method']}", allow=allow)
    known = [one.path for one in OPERATIONS]
    return Refusal(error.status_code, f"there is nothing at {path}{nearest(path, known)}")
