"""The five kinds of things that a deployment makes: how each is found, made and removed, in the order of making."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .clients import Clients, ask
from .plan import DeploymentPlan
from .refusal import AwsRefusal, refused

Found: TypeAlias = "Mapping[str, Any] | None"


@dataclass(frozen=True)
class ResourceKind:
    """A kind of thing.

    Attributes
    ----------
    name
        In words.
    named
        Returns its name in a plan.
    look
        Returns the reply that describes it, or the refusal; by its name and the account.
    make
        Makes it; by the plan.
    remove
        Removes it; by its name and the account.
    """

    name: str
    named: Callable[[DeploymentPlan], str]
    look: Callable[[Clients, str, str], Any]
    make: Callable[[Clients, DeploymentPlan], Any]
    remove: Callable[[Clients, str, str], Any]

    def find(self, clients: Clients, name: str, account: str) -> Found:
        """Return what describes it, or None if it does not exist; DeploymentError if that may not be known."""
        reply = self.look(clients, name, account)
        if not isinstance(reply, AwsRefusal):
            return dict(reply)
        if reply.missing:
            return None
        raise refused(reply, f"looking for the {self.name} {name}")


def split_url(name: str) -> dict[str, str]:
    """Return the bucket and the key of ``s3://BUCKET/KEY``, as S3's calls take them."""
    bucket, _, key = name.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}


def _make_bucket(clients: Clients, plan: DeploymentPlan) -> Any:
    place = {} if plan.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": plan.region}}
    return ask(clients("s3").create_bucket, Bucket=plan.bucket, **place)


def _make_archive(clients: Clients, plan: DeploymentPlan) -> Any:
    return ask(
        clients("s3").put_object,
        **split_url(plan.url),
        Body=plan.archive.contents,
        ChecksumSHA256=base64.b64encode(hashlib.sha256(plan.archive.contents).digest()).decode(),
        ContentType="application/gzip",
        Metadata=plan.metadata,
        IfNoneMatch="*",  # another deployment's is the same, and stays the other's
        ExpectedBucketOwner=plan.identity.account,
    )


def _tags(plan: DeploymentPlan) -> dict[str, Any]:
    return {"Tags": plan.tags} if plan.tags else {}


BUCKET = ResourceKind(
    "bucket",
    lambda plan: plan.bucket,
    lambda clients, name, account: ask(clients("s3").head_bucket, Bucket=name, ExpectedBucketOwner=account),
    _make_bucket,
    lambda clients, name, account: ask(clients("s3").delete_bucket, Bucket=name, ExpectedBucketOwner=account),
)
ARCHIVE = ResourceKind(
    "archive",
    lambda plan: plan.url,
    lambda clients, name, account: ask(clients("s3").head_object, **split_url(name), ExpectedBucketOwner=account),
    _make_archive,
    lambda clients, name, account: ask(clients("s3").delete_object, **split_url(name), ExpectedBucketOwner=account),
)
MODEL = ResourceKind(
    "model",
    lambda plan: plan.model,
    lambda clients, name, _account: ask(clients("sagemaker").describe_model, ModelName=name),
    lambda clients, plan: ask(
        clients("sagemaker").create_model,
        ModelName=plan.model,
        PrimaryContainer=plan.container,
        ExecutionRoleArn=plan.role,
        **_tags(plan),
    ),
    lambda clients, name, _account: ask(clients("sagemaker").delete_model, ModelName=name),
)
CONFIG = ResourceKind(
    "endpoint configuration",
    lambda plan: plan.config,
    lambda clients, name, _account: ask(clients("sagemaker").describe_endpoint_config, EndpointConfigName=name),
    lambda clients, plan: ask(
        clients("sagemaker").create_endpoint_config,
        EndpointConfigName=plan.config,
        ProductionVariants=[plan.variant],
        **_tags(plan),
    ),
    lambda clients, name, _account: ask(clients("sagemaker").delete_endpoint_config, EndpointConfigName=name),
)
ENDPOINT = ResourceKind(
    "endpoint",
    lambda plan: plan.endpoint,
    lambda clients, name, _account: ask(clients("sagemaker").describe_endpoint, EndpointName=name),
    lambda clients, plan: ask(
        clients("sagemaker").create_endpoint,
        EndpointName=plan.endpoint,
        EndpointConfigName=plan.config,
        **_tags(plan),
    ),
    lambda clients, name, _account: ask(clients("sagemaker").delete_endpoint, EndpointName=name),
)
KINDS = {one.name: one for one in (BUCKET, ARCHIVE, MODEL, CONFIG, ENDPOINT)}
"""Every kind by name, in the order in which they are made; they are removed in the reverse order."""


def behind_endpoint(clients: Clients, endpoint: Mapping[str, Any]) -> list[tuple[ResourceKind, str]]:
    """Return what an endpoint uses: its configuration, and the models and archives behind it, as far as they exist."""
    found: list[tuple[ResourceKind, str]] = []
    config = endpoint.get("EndpointConfigName", "")
    described = CONFIG.find(clients, config, "") if config else None
    if described is None:
        return found
    found.append((CONFIG, config))
    for variant in described.get("ProductionVariants", []):
        model = MODEL.find(clients, variant.get("ModelName", ""), "")
        if model is not None:
            url = model.get("PrimaryContainer", {}).get("ModelDataUrl", "")
            found += [(MODEL, model["ModelName"]), *([(ARCHIVE, url)] if url else [])]
    return found
