"""Whose a thing is: what AWS says of it, compared with its name, before it is removed.

A journal is a file: it may be old, of another endpoint, or somebody else's. So what it names is removed only if AWS's
own description shows that a deployment of this endpoint made it: a model and a configuration whose names hold the hash
of what they are, an endpoint with such a configuration, an archive that says so in its metadata, and the usual bucket,
or the one that such an archive was in. No tags are needed, which some accounts forbid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .clients import Clients
from .plan import archive_key, archive_metadata, hashed_name, usual_bucket
from .resources import ARCHIVE, BUCKET, CONFIG, ENDPOINT, MODEL, ResourceKind, split_url

_SIZES = ("MemorySizeInMB", "MaxConcurrency")


class Ownership:
    """What is known to be of one endpoint's deployments.

    Parameters
    ----------
    clients, account
        The account.
    endpoint
        Name of the endpoint.

    Attributes
    ----------
    made
        Kind and name of what this process has made itself.
    """

    def __init__(self, clients: Clients, account: str, endpoint: str) -> None:
        self.clients, self.account, self.endpoint = clients, account, endpoint
        self.made: set[tuple[str, str]] = set()
        self._buckets = {usual_bucket(clients.region, account)}

    def doubt(self, kind: ResourceKind, name: str, found: Mapping[str, Any]) -> str:
        """Return why a thing may be somebody else's; empty if a deployment of this endpoint made it.

        Parameters
        ----------
        kind, name
            The thing.
        found
            What `ResourceKind.find` returned.

        Raises
        ------
        DeploymentError
            If the configuration of an endpoint may not be seen.
        """
        if kind is ENDPOINT:
            return self._about_endpoint(name, found)
        if kind is MODEL or kind is CONFIG:
            wanted = hashed_name(self.endpoint, _held_by_model(found) if kind is MODEL else _held_by_config(found))
            return "" if name == wanted else f"what it holds is not what a deployment of {self.endpoint} names so"
        if kind is ARCHIVE:
            return self._about_archive(name, found)
        known = name in self._buckets or (BUCKET.name, name) in self.made
        return "" if known else f"no archive of {self.endpoint} was found in it"

    def _about_endpoint(self, name: str, found: Mapping[str, Any]) -> str:
        if name != self.endpoint:
            return f"it is not the endpoint {self.endpoint}"
        config = str(found["EndpointConfigName"])
        described = CONFIG.find(self.clients, config, self.account)
        if described is None:
            return f"its configuration {config} is gone"
        return f"its configuration is {config}" if self.doubt(CONFIG, config, described) else ""

    def _about_archive(self, url: str, found: Mapping[str, Any]) -> str:
        """Look at an archive's key and metadata; one of ours makes its bucket known."""
        place, said = split_url(url), dict(found.get("Metadata", {}))
        digest = str(said.get("convlens-digest", ""))
        whole = re.fullmatch(r"[0-9a-f]{64}", digest) and said == archive_metadata(self.endpoint, digest)
        if not whole or place["Key"] != archive_key(self.endpoint, digest):
            return f"its metadata does not say that a deployment of {self.endpoint} made it"
        self._buckets.add(place["Bucket"])
        return ""


def _held_by_model(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model's name is the hash of, from what describes it: AWS adds settings that nobody gave."""
    container = _part(found.get("PrimaryContainer", {}), "Image", "ModelDataUrl", "Environment")
    return {"container": container, "role": str(found.get("ExecutionRoleArn", ""))}


def _held_by_config(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a configuration's name is the hash of, from what describes it."""
    variants = found.get("ProductionVariants", [])
    if len(variants) != 1:
        return {}
    held = _part(variants[0], "VariantName", "ModelName", "InstanceType", "InitialInstanceCount")
    if sizes := variants[0].get("ServerlessConfig"):
        held["ServerlessConfig"] = _part(sizes, *_SIZES)
    return {**held, "InitialVariantWeight": float(variants[0].get("InitialVariantWeight", 1.0))}


def _part(mapping: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping}
