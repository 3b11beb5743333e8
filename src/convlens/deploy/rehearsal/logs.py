"""CloudWatch Logs: the lines that endpoints' servers write, kept in moto, from where boto3 reads them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from moto.logs.models import logs_backends

from .account import ACCOUNT


class Logs:
    """The log groups of a region."""

    def __init__(self, region: str) -> None:
        self._backend = logs_backends[ACCOUNT][region]

    def write(self, endpoint: str, stream: str, lines: Sequence[str]) -> None:
        """Append lines to a stream of an endpoint's group; both are made if needed."""
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        if group not in self._backend.groups:
            self._backend.create_log_group(group, {})
        if stream not in self._backend.groups[group].streams:
            self._backend.create_log_stream(group, stream)
        now = int(1000 * time.time())
        events = [{"timestamp": now, "message": line} for line in lines]
        if events:
            self._backend.put_log_events(group, stream, events)
