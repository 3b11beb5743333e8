"""Opt-in: calls that would write, made so that they cannot. For where simulation is denied.

AWS checks permissions before it looks whether a request makes sense. So a request that names a missing dependency is
answered with *access denied* where a policy forbids it, and otherwise with an error about the dependency. This order is
documented for no single call, and was not tried on a live account; an answer of another kind is *unknown*.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import DeploymentError
from .clients import Clients, ask
from .findings import Answer, Finding, remedy
from .plan import VARIANT, DeploymentPlan
from .refusal import AwsRefusal


@dataclass(frozen=True)
class PermissionProbe:
    """A call that cannot create anything.

    Attributes
    ----------
    action
        What it finds out about.
    service, method
        The call.
    harmless
        Why it cannot create, change or delete anything.
    arguments
        Its arguments, from the plan and a random name that nothing has.
    refusals
        Parts of the error that AWS answers with where the call is allowed.
    """

    action: str
    service: str
    method: str
    harmless: str
    arguments: Callable[[DeploymentPlan, str], Mapping[str, Any]]
    refusals: tuple[str, ...]


def _model(plan: DeploymentPlan, name: str) -> Mapping[str, Any]:
    return {"ModelName": name, "ExecutionRoleArn": plan.role}


def _config(plan: DeploymentPlan, name: str) -> Mapping[str, Any]:
    variant = {**plan.variant, "VariantName": VARIANT, "ModelName": name}
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def _damaged(plan: DeploymentPlan, name: str) -> Mapping[str, Any]:
    wrong = base64.b64encode(hashlib.sha256(b"another body").digest()).decode()
    key = f"{plan.key.rpartition('/')[0]}/{name}"
    owner = plan.identity.account
    return {"Bucket": plan.bucket, "Key": key, "Body": b"x", "ChecksumSHA256": wrong, "ExpectedBucketOwner": owner}


_GONE = ("could not find", "does not exist", "not found")
PROBES = (
    PermissionProbe(
        "sagemaker:CreateModel",
        "sagemaker",
        "create_model",
        "a model without a container is refused",
        _model,
        ("container", "must", "required"),
    ),
    PermissionProbe(
        "sagemaker:CreateEndpointConfig",
        "sagemaker",
        "create_endpoint_config",
        "its model does not exist",
        _config,
        _GONE,
    ),
    PermissionProbe(
        "sagemaker:CreateEndpoint",
        "sagemaker",
        "create_endpoint",
        "its configuration does not exist",
        lambda _plan, name: {"EndpointName": name, "EndpointConfigName": name},
        _GONE,
    ),
    PermissionProbe(
        "sagemaker:UpdateEndpoint",
        "sagemaker",
        "update_endpoint",
        "neither it nor its configuration exists",
        lambda _plan, name: {"EndpointName": name, "EndpointConfigName": name},
        _GONE,
    ),
    PermissionProbe(
        "sagemaker:DeleteEndpoint",
        "sagemaker",
        "delete_endpoint",
        "no endpoint has this name",
        lambda _plan, name: {"EndpointName": name},
        _GONE,
    ),
    PermissionProbe(
        "sagemaker:DeleteEndpointConfig",
        "sagemaker",
        "delete_endpoint_config",
        "no configuration has this name",
        lambda _plan, name: {"EndpointConfigName": name},
        _GONE,
    ),
    PermissionProbe(
        "sagemaker:DeleteModel",
        "sagemaker",
        "delete_model",
        "no model has this name",
        lambda _plan, name: {"ModelName": name},
        _GONE,
    ),
    PermissionProbe(
        "sagemaker:InvokeEndpoint",
        "sagemaker-runtime",
        "invoke_endpoint",
        "no endpoint has this name",
        lambda _plan, name: {"EndpointName": name, "Body": b""},
        _GONE,
    ),
    PermissionProbe(
        "s3:PutObject",
        "s3",
        "put_object",
        "S3 refuses a body that does not match its checksum",
        _damaged,
        ("baddigest", "checksum", "nosuchbucket"),
    ),
)
"""Every probe. There is none for s3:DeleteObject, which leaves a delete marker in a versioned bucket, none for
s3:CreateBucket, which would make one, and none for iam:PassRole, which is no call of its own."""


def probe(clients: Clients, plan: DeploymentPlan) -> dict[str, Finding]:
    """Make every probing call, and return what each says, by action.

    Raises
    ------
    DeploymentError
        If a call succeeds after all: names what to delete.
    """
    found = {}
    for one in PROBES:
        if one.action == "sagemaker:CreateModel" and not plan.role:
            continue
        name = f"{plan.endpoint}-{secrets.token_hex(6)}"  # of the form that policies for this endpoint allow
        reply = ask(getattr(clients(one.service), one.method), **one.arguments(plan, name))
        if not isinstance(reply, AwsRefusal):
            raise DeploymentError(
                f"the probe of {one.action} succeeded, although {one.harmless}: delete {name}, and report this, please"
            )
        found[one.action] = _finding(one, reply)
    return found


def _finding(one: PermissionProbe, reply: AwsRefusal) -> Finding:
    if reply.denied:
        denial = reply.denial
        return Finding(
            denial.action or one.action, denial.resource, "caller", Answer.DENIED, f"tried: {denial.decides}",
            denial.layer, denial.explicit, remedy(denial, "caller"),
        )  # fmt: skip
    text = f"{reply.code} {reply.message}".lower()
    if any(part in text for part in one.refusals):
        evidence = f"tried, with what cannot succeed ({one.harmless}): only that was refused"
        return Finding(one.action, "", "caller", Answer.ALLOWED, evidence)
    return Finding(one.action, "", "caller", Answer.UNKNOWN, f"tried: {reply}")
