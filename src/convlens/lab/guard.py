"""Who may use the lab: this machine's own browser, and nobody else's page.

A page of another site can make a browser send requests to this machine and, under a name that it lets point here (DNS
rebinding), even read the answers. So the name in every request (``Host``) must be one of this machine's own, its
``Origin`` must be the page's own, and what another site caused (``Sec-Fetch-Site``) may open the page but fetch nothing
from it. Where the lab is open to other machines, everybody needs the token.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1 << 20  # bytes of a request
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

# The same text is in index.html, for the exported page; there browsers ignore frame-ancestors.
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "content-security-policy": f"{POLICY}; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True)
class Access:
    """Who may use the lab.

    Parameters
    ----------
    hosts
        Names under which it may be asked for. None: any name of `LOOPBACK`.
    token
        What everybody must know; None where only this machine can ask.
    addresses
        Whether it may also be asked for under any IP address: no name points to it then, so none can be rebound.
    """

    hosts: Collection[str] = LOOPBACK
    token: str | None = None
    addresses: bool = False

    def knows(self, host: str) -> bool:
        """Whether the lab may be asked for under this name, as in the header ``Host``."""
        name = _name(host)
        return name in self.hosts or (self.addresses and _is_address(name))


class Guard:
    """ASGI middleware that refuses those who may not use the lab, bounds bodies, and adds the headers of safety."""

    def __init__(self, app: ASGIApp, access: Access, largest_body: int = LARGEST_BODY) -> None:
        self._app, self._access, self._largest = app, access, largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise HTTPException(403, "the lab speaks HTTP alone")

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, safely)
        else:
            await self._app(scope, self._bounded(receive), safely)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that goes no further; None if it may."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._access.knows(host):
            sentence = f"this lab is not called {host!r}; open the address that convlens lab printed"
            return refusal_response(403, sentence)
        origin = headers.get("origin")
        if origin is not None and origin != f"{scope['scheme']}://{host}":
            return refusal_response(403, f"a page of {origin} may not use this lab")
        opens = headers.get("sec-fetch-mode") == "navigate" and scope["method"] in {"GET", "HEAD"}
        if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not opens:
            return refusal_response(403, "a page of another site may not use this lab")
        if self._access.token is not None:
            answer = self._without_token(scope, headers, self._access.token)
            if answer is not None:
                return answer
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._largest:
            return refusal_response(413, _too_long(self._largest))
        return None

    def _without_token(self, scope: Scope, headers: Headers, token: str) -> Response | None:
        """Return the answer to a request without the token, or with one to keep as a cookie; None if it has one."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        shown = query.pop("token", None)
        name = f"convlens-lab-{(scope.get('server') or ('', 0))[1]}"  # cookies are not told apart by ports
        if shown is not None and _same(shown, token):
            rest = f"?{urlencode(query)}" if query else ""
            path = "/" + scope["path"].lstrip("/")  # two slashes would name another site
            answer = RedirectResponse(f"{path}{rest}", 303)
            answer.set_cookie(name, token, httponly=True, samesite="lax")
            return answer
        sent = headers.get("authorization", "").removeprefix("Bearer ")
        if _same(sent, token) or _same(_cookie(headers, name), token):
            return None
        return refusal_response(
            401, "this lab needs its token: open the address with ?token= that convlens lab printed"
        )

    def _bounded(self, receive: Receive) -> Receive:
        """Return a `receive` that ends a body which is longer than allowed, whatever its header said."""
        total = 0

        async def bounded() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._largest:
                raise HTTPException(413, _too_long(self._largest))
            return message

        return bounded


def refusal_response(status: int, sentence: str) -> JSONResponse:
    """Return the answer to a request that cannot be granted: ``{"error": sentence}``."""
    return JSONResponse({"error": sentence}, status)


def _too_long(largest: int) -> str:
    return f"the request is too long; at most {largest:,} bytes are allowed"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())  # takes as long whatever they share


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _name(host: str) -> str:
    """Return the name in a header ``Host``, without port and brackets, in small letters."""
    name = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    return name.strip("[]").rstrip(".").lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
