"""Endpoints and their states: Creating, InService, Failed, Updating, RollingBack, Deleting.

A change takes emulated time, after which the outcome is looked at: whether the real server answers. Nothing runs in
the background; `Endpoints.settle` brings every state up to the clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from ...errors import ConvlensError
from .clock import Clock
from .container import Container, Definition
from .profiles import Profile

Members: TypeAlias = dict[str, Any]

NOT_HEALTHY = (
    "The primary container for production variant {} did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


@dataclass
class Deployment:
    """A configuration on its way into an endpoint, or in it: its container, or the reason why there is none."""

    configuration: Members
    container: Container | None
    reason: str = ""
    stream: str = field(default_factory=lambda: f"AllTraffic/i-{uuid.uuid4().hex[:17]}")
    logged: int = 0

    def healthy(self) -> bool:
        """Return whether its server answers; waits for it."""
        if self.container is not None and not self.container.healthy():
            self.reason = NOT_HEALTHY.format(self.configuration["ProductionVariants"][0]["VariantName"])
        return not self.reason

    def stop(self) -> None:
        """End its server."""
        if self.container is not None:
            self.container.stop()


@dataclass
class Endpoint:
    """An endpoint: its state, what serves it, and what is on its way."""

    name: str
    arn: str
    status: str
    created: datetime
    modified: datetime
    serving: Deployment | None = None
    coming: Deployment | None = None
    due: datetime | None = None
    reason: str = ""

    @property
    def deployments(self) -> list[Deployment]:
        """What it has servers for."""
        return [one for one in (self.serving, self.coming) if one is not None]

    @property
    def shown(self) -> Members:
        """The configuration that DescribeEndpoint shows: the one in it, or before there is one, the first."""
        found = self.serving or self.coming
        assert found is not None
        return found.configuration


class Endpoints:
    """All endpoints of an account.

    Parameters
    ----------
    profile, clock
        How long each change takes, and the time.
    noticed
        Called with an endpoint after each change of its state.
    write
        Called with an endpoint's name, a stream's, and the lines that its server has written meanwhile.
    """

    def __init__(
        self,
        profile: Profile,
        clock: Clock,
        noticed: Callable[[Endpoint], None],
        write: Callable[[str, str, list[str]], None],
    ) -> None:
        self.profile, self.clock = profile, clock
        self.known: dict[str, Endpoint] = {}
        self._noticed, self._write = noticed, write

    def create(self, name: str, arn: str, coming: Deployment) -> None:
        """Begin to create an endpoint."""
        now = self.clock.now
        self.known[name] = one = Endpoint(name, arn, "Creating", now, now, coming=coming)
        self._begin(one, "Creating", self.profile.creating)

    def update(self, one: Endpoint, coming: Deployment) -> None:
        """Begin to update an endpoint; what serves it goes on until the new server answers."""
        one.coming = coming
        self._begin(one, "Updating", self.profile.updating)

    def delete(self, one: Endpoint) -> None:
        """Begin to delete an endpoint; it answers no more."""
        self._end(one)
        self._begin(one, "Deleting", self.profile.deleting)

    def settle(self) -> None:
        """Bring every endpoint up to the clock."""
        for one in list(self.known.values()):
            while one.due is not None and self.clock.now >= one.due:
                self._settle(one)

    def collect(self) -> None:
        """Write what servers have logged since the last time."""
        for one in self.known.values():
            for deployment in one.deployments:
                self._collect(one, deployment)

    def stop(self) -> None:
        """End all servers."""
        for one in self.known.values():
            self._end(one)

    def _settle(self, one: Endpoint) -> None:
        """Move an endpoint whose change is due into its next state."""
        if one.status == "Deleting":
            one.due = None
            del self.known[one.name]
            self._became(one, "Deleted")
        elif one.status == "RollingBack":
            one.coming, one.due = None, None
            self._became(one, "InService")
        elif one.coming is not None and one.coming.healthy():
            if one.serving is not None:
                self._stop(one, one.serving)
            one.serving, one.coming, one.due = one.coming, None, None
            self._became(one, "InService")
        else:
            self._fail(one)

    def _fail(self, one: Endpoint) -> None:
        """End a server that never answered: a new endpoint has failed, and an updated one goes back."""
        assert one.coming is not None
        self._stop(one, one.coming)
        if one.status == "Updating":
            self._begin(one, "RollingBack", self.profile.rolling_back)
        else:
            one.reason, one.due = one.coming.reason, None
            self._became(one, "Failed")

    def _begin(self, one: Endpoint, status: str, seconds: float) -> None:
        one.due = self.clock.now + timedelta(seconds=seconds)
        self._became(one, status)

    def _became(self, one: Endpoint, status: str) -> None:
        one.status, one.modified = status, self.clock.now
        self._noticed(one)

    def _end(self, one: Endpoint) -> None:
        for deployment in one.deployments:
            self._stop(one, deployment)

    def _stop(self, one: Endpoint, deployment: Deployment) -> None:
        """End a deployment's server and keep its log."""
        self._collect(one, deployment)
        deployment.stop()
        deployment.container = None

    def _collect(self, one: Endpoint, deployment: Deployment) -> None:
        if deployment.container is not None:
            lines = deployment.container.log()
            self._write(one.name, deployment.stream, lines[deployment.logged :])
            deployment.logged = len(lines)


def deployed(configuration: Members, define: Callable[[Members], Definition]) -> Deployment:
    """Start the server of a configuration; what cannot be started is the reason of a failure that shows later."""
    try:
        return Deployment(configuration, Container(define(configuration)))
    except ConvlensError as error:
        return Deployment(configuration, None, str(error))


def variants(configuration: Members) -> list[Members]:
    """Return the summaries of a configuration's variants, as DescribeEndpoint shows them."""
    return [_summary(one) for one in configuration["ProductionVariants"]]


def _summary(variant: Mapping[str, Any]) -> Members:
    if "ServerlessConfig" in variant:
        return {"VariantName": variant["VariantName"], "CurrentServerlessConfig": variant["ServerlessConfig"]}
    weight, count = float(variant.get("InitialVariantWeight", 1.0)), variant["InitialInstanceCount"]
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
