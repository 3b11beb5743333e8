"""Server-sent events: what happens in all trainings, in one stream for each tab.

A message holds the new events of every training since the last one; its id is a *cursor*, the place in each journal,
so a browser that has lost its connection goes on where it was (``Last-Event-ID``), whatever server answers. Journals
are read from their files: a tab that is opened, closed or slow changes nothing for a training or another tab.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

from .sessions import Sessions

SECONDS = 0.2  # between looks at the journals
QUIET_SECONDS = 15.0  # after which a silent stream says that it is alive
Cursor = dict[str, int]


def written(cursor: Cursor) -> str:
    """Return a cursor as the id of an event."""
    return ",".join(f"{name}:{place}" for name, place in sorted(cursor.items()))


def read(text: str) -> Cursor:
    """Return the cursor that an id is; what is none of its parts is left out, and so read from the beginning."""
    pairs = (part.partition(":") for part in text.split(","))
    return {name: int(place) for name, _, place in pairs if name and place.isdecimal() and len(place) < 16}


def news(sessions: Sessions, cursor: Cursor) -> tuple[dict[str, Any], Cursor]:
    """Return what happened since a cursor, and the cursor after it.

    Returns
    -------
    dict, Cursor
        ``changes``: for each training with new events its ``name``, the place ``begin`` where they begin, and the
        ``events``. ``gone``: names of trainings that the cursor knew, and that have been deleted.
    """
    changes, after = [], {}
    for session in sessions.all():
        events, begin, end = session.journal.read(cursor.get(session.name, 0))
        after[session.name] = end
        if events:
            changes.append({"name": session.name, "begin": begin, "events": events})
    return {"changes": changes, "gone": sorted(cursor.keys() - after.keys())}, after


async def stream(sessions: Sessions, cursor: Cursor, ended: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield messages until the server ends; the first at once, even if it is empty, as it says what there is."""
    quiet, first = 0.0, True
    while not ended():
        found, after = await run_in_threadpool(news, sessions, cursor)
        if first or after != cursor or found["gone"]:
            text = json.dumps(found, allow_nan=False, separators=(",", ":"))
            yield f"id: {written(after)}\nevent: news\ndata: {text}\n\n"
            quiet = 0.0
        elif quiet >= QUIET_SECONDS:
            yield ": still here\n\n"
            quiet = 0.0
        cursor, first = after, False
        await asyncio.sleep(SECONDS)
        quiet += SECONDS
