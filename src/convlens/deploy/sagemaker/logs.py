"""The log of an endpoint's server, in CloudWatch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...errors import ConfigurationError, DeploymentError
from ...plain import is_number
from .clients import Clients, ask
from .plan import log_group
from .refusal import AwsRefusal, refused

LAST = 3  # lines of the log in a message


@dataclass(frozen=True)
class LogLine:
    """A line: when, of which machine's log stream, and what."""

    time: datetime
    stream: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"time": self.time.isoformat(), "stream": self.stream, "message": self.message}


def logs(clients: Clients, endpoint: str, *, minutes: float = 60.0, containing: str = "") -> Iterator[LogLine]:
    """Yield the lines of an endpoint's log, oldest first. An endpoint that is gone has its log still.

    Parameters
    ----------
    clients
        The account.
    endpoint
        Its name.
    minutes
        How far back.
    containing
        Only lines with this text.

    Raises
    ------
    ConfigurationError
        If `minutes` is no number of minutes.
    DeploymentError
        If there is no log, or it may not be read.
    """
    if not is_number(minutes) or minutes < 0:
        raise ConfigurationError(f"a log is read from some minutes back, 0 or more, not {minutes}")
    arguments: dict[str, Any] = {
        "logGroupName": log_group(endpoint),
        "startTime": max(0, int((time.time() - 60 * minutes) * 1000)),
    }
    if containing:
        quoted = containing.replace('"', '\\"')
        arguments["filterPattern"] = f'"{quoted}"'
    while True:
        reply = ask(clients("logs").filter_log_events, **arguments)
        if isinstance(reply, AwsRefusal):
            if reply.missing:
                raise DeploymentError(
                    f"the endpoint {endpoint} in {clients.region} has no log: no machine of it has started, or its "
                    "role may not write logs"
                )
            raise refused(reply, f"reading the log of {endpoint}")
        for one in reply.get("events", []):
            when = datetime.fromtimestamp(one["timestamp"] / 1000, UTC)
            yield LogLine(when, one.get("logStreamName", ""), one["message"].rstrip("\n"))
        if not reply.get("nextToken"):
            return
        arguments["nextToken"] = reply["nextToken"]


def last_lines(clients: Clients, endpoint: str) -> list[str]:
    """Return the last lines of the log as far as it can be read, for a message about a failure."""
    try:
        return [one.message.strip() for one in logs(clients, endpoint) if one.message.strip()][-LAST:]
    except DeploymentError:
        return []
