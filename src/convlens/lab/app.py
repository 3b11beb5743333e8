"""The lab as an ASGI application: the files of the page, and what other rooms answer under ``/api/``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Lifespan

from ..errors import ConvlensError
from .guard import Access, Guard, refusal_response
from .site import Site, media_type


def create_app(
    site: Site,
    access: Access,
    routes: Sequence[BaseRoute] = (),
    lifespan: Lifespan[Starlette] | None = None,
) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    site
        The files of the page.
    access
        Who may use it.
    routes
        Further routes, all below ``/api/``; they are tried before the files. A ConvlensError that one raises becomes
        an answer 400 with its words.
    lifespan
        What is started and stopped with the server.
    """

    def page(request: Request) -> Response:
        return _file(site, request)

    inner = Starlette(
        routes=[*routes, Route("/{address:path}", page, methods=["GET"])],
        exception_handlers={ConvlensError: _in_words, HTTPException: _refused},
        lifespan=lifespan,
    )
    return Guard(inner, access)


def _file(site: Site, request: Request) -> Response:
    """Answer with a file of the page; 304 if the browser has it already."""
    address = request.path_params["address"]
    content = site.read(address)
    if content is None:
        return refusal_response(404, f"the lab has nothing at /{address}")
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    # no-cache: kept, but asked about each time, so that an updated package shows at once
    headers = {"etag": tag, "cache-control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type(address))


def _in_words(request: Request, error: Exception) -> Response:
    del request
    return refusal_response(400, str(error))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    del request
    return refusal_response(error.status_code, error.detail)
