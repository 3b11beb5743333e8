"""Kinds of account to rehearse with: one table of data.

Each says who calls and what the caller may do, what the execution role may do, what an organisation or a permissions
boundary forbids, which quotas there are, and how an endpoint behaves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ...plain import choose

Document: TypeAlias = Mapping[str, Any]
"""A policy document."""

VERSION = "2012-10-17"
_OWN, _BUCKETS, _LOGS = "arn:aws:sagemaker:*:123456789012:", "arn:aws:s3:::*sagemaker*", "arn:aws:logs:*:123456789012:*"
_TO_SAGEMAKER = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


@dataclass(frozen=True)
class Grant:
    """Actions allowed on resources, under a condition."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Document = field(default_factory=dict)


CALLER = (
    Grant(("sts:GetCallerIdentity", "iam:GetRole", "iam:SimulatePrincipalPolicy", "servicequotas:GetServiceQuota")),
    Grant(("servicequotas:ListServiceQuotas", "pricing:GetProducts", "sagemaker:ListEndpoints")),
    Grant(("sagemaker:ListModels", "sagemaker:ListEndpointConfigs", "iam:ListRoles")),
    Grant(("iam:PassRole",), ("arn:aws:iam::123456789012:role/*",), _TO_SAGEMAKER),
    Grant(("s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket"), (_BUCKETS,)),
    Grant(("s3:GetBucketLocation", "s3:GetBucketPolicy"), (_BUCKETS,)),
    Grant(("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"), (f"{_BUCKETS}/*",)),
    *(
        Grant(tuple(f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Delete")), (f"{_OWN}{place}/*",))
        for noun, place in (("Model", "model"), ("EndpointConfig", "endpoint-config"), ("Endpoint", "endpoint"))
    ),
    Grant(("sagemaker:UpdateEndpoint",), (f"{_OWN}endpoint/*", f"{_OWN}endpoint-config/*")),
    Grant(("sagemaker:CreateEndpoint",), (f"{_OWN}endpoint-config/*",)),
    Grant(("sagemaker:InvokeEndpoint",), (f"{_OWN}endpoint/*",)),
    Grant(("sagemaker:AddTags", "sagemaker:ListTags", "sagemaker:DeleteTags"), (f"{_OWN}*",)),
    Grant(("logs:FilterLogEvents", "logs:DescribeLogStreams", "logs:GetLogEvents"), (_LOGS,)),
)
"""What somebody who deploys needs, and no more."""

EXECUTION = (
    Grant(("s3:GetObject",), (f"{_BUCKETS}/*",)),
    Grant(("s3:ListBucket",), (_BUCKETS,)),
    Grant(("cloudwatch:PutMetricData", "ecr:GetAuthorizationToken")),
    Grant(("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"), (_LOGS,)),
    Grant(("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")),
)
"""What SageMaker needs of the role that it runs a model with."""


def document(grants: Sequence[Grant], without: Collection[str] = ()) -> Document:
    """Return a policy that allows these grants, without some actions."""
    statements = []
    for grant in grants:
        actions = [one for one in grant.actions if one not in without]
        if actions:
            condition = {"Condition": grant.condition} if grant.condition else {}
            statements.append({"Effect": "Allow", "Action": actions, "Resource": list(grant.resources), **condition})
    return {"Version": VERSION, "Statement": statements}


def _trusting(service: str) -> Document:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": VERSION, "Statement": [statement]}


@dataclass(frozen=True)
class Role:
    """The execution role: its name and path, who may assume it, and what it may do."""

    name: str = "AmazonSageMaker-ExecutionRole"
    path: str = "/service-role/"
    trust: Document = field(default_factory=lambda: _trusting("sagemaker.amazonaws.com"))
    policy: Document = field(default_factory=lambda: document(EXECUTION))


@dataclass(frozen=True)
class Caller:
    """Who deploys: a user, or, with `session`, a session of a role of this name."""

    name: str = "student"
    session: str | None = None
    policy: Document = field(default_factory=lambda: document(CALLER))


@dataclass(frozen=True)
class Profile:
    """A kind of account.

    Attributes
    ----------
    name, about
        Its name, and what is special in it.
    caller, role
        Who deploys, and with which execution role the model runs.
    organisation
        Service control policies.
    boundary
        The caller's permissions boundary.
    quota
        Instances of each type that may serve endpoints.
    creating, updating, rolling_back, deleting
        Seconds of emulated time that each takes.
    damaged
        Whether the weights are cut short on their way into the container, so that the model does not load.
    """

    name: str
    about: str
    caller: Caller = field(default_factory=Caller)
    role: Role = field(default_factory=Role)
    organisation: tuple[Document, ...] = ()
    boundary: Document | None = None
    quota: int = 4
    creating: float = 180.0
    updating: float = 240.0
    rolling_back: float = 120.0
    deleting: float = 30.0
    damaged: bool = False

    def without(self, actions: Collection[str] = (), role_actions: Collection[str] = ()) -> Profile:
        """Return it without some of the caller's and of the execution role's permissions."""
        caller = dataclasses.replace(self.caller, policy=_lacking(self.caller.policy, actions))
        role = dataclasses.replace(self.role, policy=_lacking(self.role.policy, role_actions))
        return dataclasses.replace(self, caller=caller, role=role)


def _lacking(policy: Document, actions: Collection[str]) -> Document:
    kept = [{**one, "Action": [name for name in one["Action"] if name not in actions]} for one in policy["Statement"]]
    return {**policy, "Statement": [one for one in kept if one["Action"]]}


_EVERYTHING = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
_ONLY_M5 = {
    "Effect": "Deny",
    "Action": ["sagemaker:CreateEndpointConfig"],
    "Resource": ["*"],
    "Condition": {"ForAnyValue:StringNotLike": {"sagemaker:InstanceTypes": ["ml.m5.*"]}},
}
_ELSEWHERE = {
    "Effect": "Deny",
    "Action": ["*"],
    "Resource": ["*"],
    "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}},
}
_NO_IAM = {
    "Effect": "Deny",
    "Action": ["iam:Create*", "iam:Put*", "iam:Attach*", "iam:Delete*", "iam:Update*"],
    "Resource": ["*"],
}
_NO_TAGS = {"Effect": "Allow", "NotAction": ["sagemaker:AddTags"], "Resource": ["*"]}


def _policy(*statements: Document) -> Document:
    return {"Version": VERSION, "Statement": list(statements)}


PROFILES: Mapping[str, Profile] = {
    one.name: one
    for one in (
        Profile("open", "a user with exactly the permissions needed"),
        Profile(
            "learner-lab",
            "a session of voclabs in us-east-1 or us-west-2 that makes no roles, and LabRole",
            caller=Caller("voclabs", "user1=student", _policy(*document(CALLER)["Statement"], _ELSEWHERE, _NO_IAM)),
            role=Role("LabRole", "/"),
        ),
        Profile(
            "no-passrole",
            "the caller may not pass the execution role to SageMaker",
            caller=Caller(policy=document(CALLER, without={"iam:PassRole"})),
        ),
        Profile(
            "scp-instance-type",
            "the organisation forbids endpoints on other instance types than ml.m5",
            organisation=(_policy(_EVERYTHING, _ONLY_M5),),
        ),
        Profile("boundary-tags", "the caller's permissions boundary leaves out tags", boundary=_policy(_NO_TAGS)),
        Profile("quota-0", "no instance of any type may serve an endpoint", quota=0),
        Profile(
            "simulate-denied",
            "the caller may not ask IAM what would be allowed",
            caller=Caller(policy=document(CALLER, without={"iam:SimulatePrincipalPolicy"})),
        ),
        Profile("slow-start", "an endpoint takes 25 minutes to come up", creating=1500.0),
        Profile("unhealthy-model", "the weights arrive damaged, so the model never answers /ping", damaged=True),
    )
}
"""Every profile by name."""


def profile_named(name: str) -> Profile:
    """Return a profile; ConfigurationError names the nearest if there is none of this name."""
    return PROFILES[choose(name, PROFILES, "profile")]
