"""Reading what the page sends: JSON objects, with errors in words."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ..errors import DataError
from ..plain import parsed_json

_HINT = "; send an object such as {}"


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request holds.

    Raises
    ------
    DataError
        If it is not JSON, not an object, or holds numbers that JSON does not have; the app answers 400 with the words.
    """
    found = parsed_json(await request.body(), "the request", _HINT)
    if not isinstance(found, dict):
        raise DataError(f"the request is a JSON {type(found).__name__}{_HINT}")
    return found
