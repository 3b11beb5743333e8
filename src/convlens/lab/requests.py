"""Reading what the page sends: JSON objects, with errors in words."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from ..errors import ConfigurationError


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object that a request holds.

    Raises
    ------
    ConfigurationError
        If it is not JSON, not an object, or holds numbers that JSON does not have; the app answers 400 with the words.
    """
    try:
        found = json.loads(await request.body(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"the request is not JSON ({error}); send an object such as {{}}") from None
    if not isinstance(found, dict):
        raise ConfigurationError(f"the request is a JSON {type(found).__name__}; send an object such as {{}}")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
