"""The one table of routes: the application, the description of the API and the documentation are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from . import handlers, protocol_v2
from . import schemas as of
from .call import Call, Reply
from .media import CSV, JSON, NPY, NPZ

Handler: TypeAlias = Callable[[Call], Awaitable[Reply]]
Media: TypeAlias = Mapping[str, Mapping[str, Any]]  # a JSON schema by media type


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    Attributes
    ----------
    method, path
        Of the request; parts of the path in braces are parameters.
    handle
        What does it. Its docstring describes the operation.
    tag
        The interface that it belongs to.
    answers
        What a good answer holds, by media type; nothing: it has no body.
    body
        What the request holds, by media type; nothing: it has no body.
    headers
        Optional headers of the request, each with its description.
    refusals
        The statuses with which it may be refused.
    """

    method: str
    path: str
    handle: Handler
    tag: str
    answers: Media = field(default_factory=dict)
    body: Media = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()


_BINARY = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}
_HTML = {"text/html": _TEXT}

PREDICTABLE: Media = {
    JSON: of.IMAGES, CSV: _TEXT, NPY: _BINARY, NPZ: _BINARY, "image/png": _BINARY, "image/jpeg": _BINARY,
}  # fmt: skip
PREDICTED: Media = {JSON: of.ref("Predictions"), CSV: _TEXT, NPY: _BINARY}

_POSTED = (400, 404, 406, 408, 413, 415, 503)
_TARGET = {"X-Amzn-SageMaker-Target-Model": "The name of a model; without it, the default one."}
_ACCEPT = {"Accept": f"The form of the answer: {JSON}, {CSV} or {NPY}."}

SAGEMAKER, OPEN, SERVER = "SageMaker", "Open Inference Protocol", "server"

OPERATIONS = (
    Operation(
        "POST", "/invocations", handlers.invocations, SAGEMAKER, PREDICTED, PREDICTABLE, _TARGET | _ACCEPT, _POSTED
    ),
    Operation("GET", "/ping", handlers.ping, SAGEMAKER, refusals=(503,)),
    Operation("GET", "/execution-parameters", handlers.execution_parameters, SAGEMAKER, {JSON: of.ref("Execution")}),
    Operation("GET", "/models", handlers.models, SAGEMAKER, {JSON: of.ref("Models")}),
    Operation("POST", "/models/{name}/invoke", handlers.invoke, SAGEMAKER, PREDICTED, PREDICTABLE, _ACCEPT, _POSTED),
    Operation(
        "POST", "/v2/models/{name}/infer", protocol_v2.infer, OPEN, {JSON: of.ref("Inferred")}, {JSON: of.ref("Infer")},
        refusals=(400, 404, 408, 413, 415, 503),
    ),
    Operation("GET", "/v2/models/{name}", protocol_v2.model, OPEN, {JSON: of.ref("Model")}, refusals=(404,)),
    Operation(
        "GET", "/v2/models/{name}/ready", protocol_v2.model_ready, OPEN, {JSON: of.ref("Ready")}, refusals=(404, 503)
    ),
    Operation("GET", "/v2", protocol_v2.server, OPEN, {JSON: of.ref("Server")}),
    Operation("GET", "/v2/health/live", protocol_v2.live, OPEN, {JSON: of.ref("Live")}),
    Operation("GET", "/v2/health/ready", protocol_v2.ready, OPEN, {JSON: of.ref("Ready")}, refusals=(503,)),
    Operation("GET", "/metrics", handlers.metrics, SERVER, {"text/plain": _TEXT}),
    Operation("GET", "/openapi.json", handlers.description, SERVER, {JSON: {"type": "object"}}),
    Operation("GET", "/", handlers.page, SERVER, _HTML),
    Operation(
        "GET", "/page/{file}", handlers.page, SERVER,
        _HTML | {"text/javascript": _TEXT, "text/css": _TEXT, "image/svg+xml": _TEXT},
        refusals=(404,),
    ),
)  # fmt: skip
