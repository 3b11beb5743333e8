"""“Could not access model data”: one message of AWS's with several causes, told apart by reads after the failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from .account import Role, as_list
from .checks import check_trust, look_at_bucket
from .clients import Clients, ask
from .denial import PolicyLayer
from .findings import Answer, Finding
from .permissions import NEEDS, ROLE
from .plan import DeploymentPlan
from .refusal import AwsRefusal
from .resources import ARCHIVE
from .simulation import Simulator

_WORDS = re.compile(r"could not access model data|failed to download model data|cannot download", re.IGNORECASE)
_DOWNLOAD = tuple(one for one in NEEDS if one.who == ROLE and one.action == "s3:GetObject")


def is_about_model_data(message: str) -> bool:
    """Return whether a failure may be about the archive rather than about the server."""
    return _WORDS.search(message) is not None


def explain_model_data(clients: Clients, plan: DeploymentPlan, role: Role | None) -> list[Finding]:
    """Return what may be the cause, best known first: trust, region, key, bucket policy, the role's permission."""
    found = [check_trust(role)] if role is not None else []
    refusal, region = look_at_bucket(clients, plan)
    if refusal is not None and refusal.missing:
        found.append(Finding("bucket", plan.bucket, "role", Answer.DENIED, "there is no such bucket"))
    elif region and region != plan.region:
        evidence = f"the bucket is in {region}, and the endpoint in {plan.region}"
        found.append(Finding("region", plan.bucket, "role", Answer.DENIED, evidence, advice="name another --bucket"))
    reply = ARCHIVE.look(clients, plan.url, plan.identity.account)
    if isinstance(reply, AwsRefusal) and reply.missing:
        found.append(Finding("key", plan.url, "role", Answer.DENIED, "there is no such object; repeat the deployment"))
    found += _policy_of_bucket(clients, plan)
    if plan.role:
        found += _permission(clients, plan)
    order = (Answer.DENIED, Answer.UNKNOWN)
    return sorted((one for one in found if one.answer in order), key=lambda one: order.index(one.answer))


def _permission(clients: Clients, plan: DeploymentPlan) -> Iterator[Finding]:
    """Yield the finding about the role's permission to read the archive."""
    for need, one in Simulator(clients, plan.role, plan).decide(_DOWNLOAD).items():
        layer = one.denial.layer if one.denial else None
        yield Finding(need.action, plan.arns["object"], ROLE, one.answer, one.evidence, layer)


def _policy_of_bucket(clients: Clients, plan: DeploymentPlan) -> Iterator[Finding]:
    """Yield a finding for each statement of the bucket's policy that denies the role the archive."""
    reply = ask(clients("s3").get_bucket_policy, Bucket=plan.bucket, ExpectedBucketOwner=plan.identity.account)
    if isinstance(reply, AwsRefusal):
        return
    statements = json.loads(reply["Policy"]).get("Statement", [])
    for one in [statements] if isinstance(statements, Mapping) else statements:
        if one.get("Effect") == "Deny" and _concerns(one, plan):
            conditional = bool(one.get("Condition"))
            yield Finding(
                "s3:GetObject",
                plan.arns["object"],
                ROLE,
                Answer.UNKNOWN if conditional else Answer.DENIED,
                f"the bucket's policy denies it in the statement {one.get('Sid') or 'without Sid'}"
                + (", under a condition" if conditional else ""),
                None if conditional else PolicyLayer.RESOURCE,
                explicit=True,
                advice="change the bucket's policy, or name another --bucket",
            )


def _concerns(statement: Mapping[str, Any], plan: DeploymentPlan) -> bool:
    principal = statement.get("Principal", {})
    who = ["*"] if principal == "*" else [str(one) for one in as_list(principal.get("AWS", []))]
    root = f"arn:{plan.identity.partition}:iam::{plan.identity.account}:root"
    actions = [str(one).lower() for one in as_list(statement.get("Action", []))]
    resources = [str(one) for one in as_list(statement.get("Resource", []))]
    return (
        bool({"*", plan.role, root, plan.identity.account} & set(who))
        and any(fnmatchcase("s3:getobject", one) for one in actions)
        and any(fnmatchcase(plan.arns["object"], one) for one in resources)
    )
