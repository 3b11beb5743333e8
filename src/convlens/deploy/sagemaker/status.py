"""How endpoints are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import DeploymentError
from .clients import Clients, must
from .resources import CONFIG, ENDPOINT


@dataclass(frozen=True)
class Status:
    """How an endpoint is.

    Attributes
    ----------
    endpoint, state
        Its name, and its state: ``"InService"``.
    configuration, model
        What it runs.
    machines
        ``"1 x ml.m5.large"``, or the sizes of a serverless one.
    reason
        Why it failed, in AWS's words; empty if it has not.
    changed
        When it last changed, ISO 8601.
    """

    endpoint: str
    state: str
    configuration: str
    model: str
    machines: str
    reason: str
    changed: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return dict(vars(self))


def status(clients: Clients, endpoint: str) -> Status:
    """Return how an endpoint is.

    Raises
    ------
    DeploymentError
        If there is none of this name, or it may not be seen.
    """
    found = ENDPOINT.find(clients, endpoint, "")
    if found is None:
        raise DeploymentError(
            f"there is no endpoint {endpoint} in {clients.region}; list them: convlens sagemaker status"
        )
    config = CONFIG.find(clients, found["EndpointConfigName"], "") or {}
    variants = config.get("ProductionVariants", [])
    return Status(
        endpoint,
        found["EndpointStatus"],
        found["EndpointConfigName"],
        ", ".join(one.get("ModelName", "") for one in variants),
        ", ".join(map(_machines, variants)),
        found.get("FailureReason", ""),
        found["LastModifiedTime"].isoformat(),
    )


def _machines(variant: Mapping[str, Any]) -> str:
    if sizes := variant.get("ServerlessConfig"):
        return f"serverless, {sizes['MemorySizeInMB']} MB, {sizes['MaxConcurrency']} at once"
    return f"{variant.get('InitialInstanceCount', 0)} x {variant.get('InstanceType', '')}"


def statuses(clients: Clients) -> list[tuple[str, str]]:
    """Return the name and state of every endpoint in the region, last made first."""
    arguments: dict[str, Any] = {}
    found: list[tuple[str, str]] = []
    while True:
        reply = must(clients("sagemaker").list_endpoints, **arguments)
        found += [(one["EndpointName"], one["EndpointStatus"]) for one in reply["Endpoints"]]
        if not reply.get("NextToken"):
            return found
        arguments["NextToken"] = reply["NextToken"]
