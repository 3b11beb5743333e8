"""The description of the API in OpenAPI 3.1, made from the table of operations."""

from __future__ import annotations

import inspect
import re
from http import HTTPStatus
from typing import Any

from ..version import __version__
from .media import JSON
from .operations import OPERATIONS, Media, Operation
from .schemas import SCHEMAS, ref

_TEXT = {"type": "string"}
_REQUEST_ID = {"X-Request-Id": {"description": "The request's id, as it is in the log.", "schema": _TEXT}}
_RETRY = {"Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}}


def description() -> dict[str, Any]:
    """Return the description as plain data: every operation, what it takes, answers and refuses."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "convlens serve", "version": __version__, "description": "Predictions of convlens's models."},
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _described(operation: Operation) -> dict[str, Any]:
    text = inspect.getdoc(operation.handle) or ""
    found: dict[str, Any] = {
        "operationId": f"{operation.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', operation.path.lower()).strip('_')}",
        "summary": text.partition("\n")[0],
        "tags": [operation.tag],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": _TEXT}
            for name in re.findall(r"\{(\w+)\}", operation.path)
        ],
        "responses": {
            "200": {"description": "The answer.", "headers": _REQUEST_ID, **_content(operation.answers)},
            **{str(status): _refused(status) for status in operation.refusals},
        },
    }
    found["parameters"] += [
        {"name": name, "in": "header", "required": False, "description": what, "schema": _TEXT}
        for name, what in operation.headers.items()
        if name != "Accept"  # OpenAPI leaves this one to the media types of the answers
    ]
    if operation.body:
        found["requestBody"] = {"required": True, **_content(operation.body)}
    return found


def _refused(status: int) -> dict[str, Any]:
    headers = _REQUEST_ID | (_RETRY if status == 503 else {})
    return {"description": HTTPStatus(status).phrase, "headers": headers, **_content({JSON: ref("Refused")})}


def _content(media: Media) -> dict[str, Any]:
    return {"content": {name: {"schema": schema} for name, schema in media.items()}} if media else {}
