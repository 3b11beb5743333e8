"""Whose credentials these are, and which role an endpoint can run as.

A role is looked for in this order: what the user names; an environment variable; ``LabRole``, which learner labs have;
the caller's own role, if SageMaker may assume it, as in a SageMaker notebook; usual names. None is ever created.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import ConfigurationError, DeploymentError
from .clients import Clients, ask, must
from .refusal import AwsRefusal

VARIABLES = ("SAGEMAKER_ROLE", "SAGEMAKER_ROLE_ARN")
LAB_ROLE = "LabRole"
USUAL_BEGINNING = "AmazonSageMaker-ExecutionRole"  # of those that the console makes, in the path /service-role/
USUAL_NAMES = (USUAL_BEGINNING, "SageMakerExecutionRole", "AmazonSageMakerExecutionRole", "SageMakerRole")
ROLE_TO_MAKE = USUAL_NAMES[1]  # the name that an administrator is asked to give a new one
SERVICE = "sagemaker.amazonaws.com"
_ROLE = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role(?P<path>/(?:[\x21-\x7e]+/)?)(?P<name>[\w+=,.@-]+)"
)
_ASSUMED = re.compile(r"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<name>[\w+=,.@-]+)/.+")
_NAME = re.compile(r"[\w+=,.@-]{1,64}")


@dataclass(frozen=True)
class Identity:
    """Whose credentials are used.

    Attributes
    ----------
    account
        Its number, 12 digits.
    arn
        As sts:GetCallerIdentity gives it; of a role, that of the session.
    principal
        ARN of the user, or of the role that is assumed: the one whose policies can be simulated.
    partition
        ``aws``, ``aws-cn`` or ``aws-us-gov``.
    """

    account: str
    arn: str
    principal: str
    partition: str


@dataclass(frozen=True)
class Role:
    """A role that an endpoint can run as.

    Attributes
    ----------
    arn
        With its path, as iam:GetRole gives it.
    source
        How it was found, in words.
    trust
        The document that says who may assume it; None if it could not be read.
    """

    arn: str
    source: str
    trust: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit("/", 1)[-1]


def role_of(session_arn: str) -> str:
    """Return the ARN of the role whose session this is, without its path, which the session's ARN does not have.

    Any other ARN is returned as it is.

    >>> role_of("arn:aws:sts::123456789012:assumed-role/voclabs/user1")
    'arn:aws:iam::123456789012:role/voclabs'
    """
    found = _ASSUMED.fullmatch(session_arn)
    return f"arn:{found['partition']}:iam::{found['account']}:role/{found['name']}" if found else session_arn


def identify(clients: Clients) -> Identity:
    """Return whose credentials these are; the role's path is asked of iam:GetRole.

    Raises
    ------
    DeploymentError
        If there are none, or AWS does not accept them.
    """
    reply = must(clients("sts").get_caller_identity)
    arn = str(reply["Arn"])
    principal = role_of(arn)
    if principal != arn:
        role = ask(clients("iam").get_role, RoleName=principal.rsplit("/", 1)[-1])
        principal = principal if isinstance(role, AwsRefusal) else str(role["Role"]["Arn"])
    return Identity(str(reply["Account"]), arn, principal, arn.split(":")[1])


def find_role(clients: Clients, identity: Identity, wanted: str | None = None) -> Role:
    """Return the role for the endpoint.

    Parameters
    ----------
    clients, identity
        The account.
    wanted
        A name or an ARN; None: the environment's, or the first that is found.

    Raises
    ------
    ConfigurationError
        If what was named is not a role's name or ARN, or is of another account.
    NoRoleError
        If there is none, or its path cannot be known.
    """
    if wanted is not None:
        return named_role(clients, identity, wanted, "--role")
    for variable in VARIABLES:
        if value := os.environ.get(variable):
            return named_role(clients, identity, value, f"the environment variable {variable}")
    failures: list[AwsRefusal] = []
    found = next(_candidates(clients, identity, failures), None)
    if found is None:
        raise _none_found(identity, failures)
    return found


class NoRoleError(DeploymentError):
    """No role is found; `certain` says whether there is none, or it is only not known."""

    def __init__(self, message: str, *, certain: bool) -> None:
        super().__init__(message)
        self.certain = certain


def _none_found(identity: Identity, failures: list[AwsRefusal]) -> NoRoleError:
    if failures:
        first = failures[0]
        why = f"{first.denial.action} is denied ({first.denial.decides})" if first.denied else str(first)
        return NoRoleError(
            f"no role for the endpoint can be looked for, because {why}; give the whole ARN of one with --role",
            certain=False,
        )
    names = ", ".join((LAB_ROLE, *USUAL_NAMES))
    return NoRoleError(
        f"account {identity.account} has none of the usual roles for an endpoint ({names}); name one with --role, or "
        f"ask an administrator to make {ROLE_TO_MAKE} with the trust policy and the policy for the role that convlens "
        "sagemaker doctor prints",
        certain=True,
    )


def named_role(clients: Clients, identity: Identity, wanted: str, source: str) -> Role:
    """Return the role that a user named; see `find_role`."""
    parts = _ROLE.fullmatch(wanted)
    if parts is None and not _NAME.fullmatch(wanted):
        raise ConfigurationError(
            f"{source} takes the name or the ARN of a role, such as LabRole or "
            f"arn:aws:iam::{identity.account}:role/service-role/NAME, not {wanted!r}"
        )
    if parts is not None and parts["account"] != identity.account:
        raise ConfigurationError(
            f"{source} is a role of account {parts['account']}, and the credentials are of {identity.account}; "
            f"SageMaker takes roles of its own account only: name one of {identity.account}, or sign in to "
            f"{parts['account']}"
        )
    name = parts["name"] if parts else wanted
    reply = ask(clients("iam").get_role, RoleName=name)
    if not isinstance(reply, AwsRefusal):
        return _role(reply, source)
    if reply.missing:
        raise NoRoleError(
            f"{source} names the role {name}, and account {identity.account} has no such role; name another, or leave "
            f"{source} out to have one looked for",
            certain=True,
        )
    if parts is None:
        raise NoRoleError(
            f"the path of the role {name} cannot be known, because iam:GetRole is denied ({reply.denial.decides}); "
            "give the whole ARN with --role",
            certain=False,
        )
    return Role(wanted, source)


def _candidates(clients: Clients, identity: Identity, failures: list[AwsRefusal]) -> Iterator[Role]:
    """Yield the roles that exist and SageMaker may assume, best first; what was refused is added to `failures`."""
    iam = clients("iam")
    own = [role_of(identity.arn).rsplit("/", 1)[-1]] if identity.arn != identity.principal else []
    for name in (LAB_ROLE, *own, *USUAL_NAMES):
        reply = ask(iam.get_role, RoleName=name)
        if isinstance(reply, AwsRefusal):
            failures += [] if reply.missing else [reply]
        elif trusts_sagemaker(reply["Role"].get("AssumeRolePolicyDocument")):
            yield _role(reply, "the caller's own role" if name in own else f"the usual name {name}")
    pages = ask(
        _all_roles, iam=iam
    )  # the console adds a date to the usual name; often denied, and not needed otherwise
    for one in () if isinstance(pages, AwsRefusal) else pages:
        if one["RoleName"].startswith(USUAL_BEGINNING) and trusts_sagemaker(one.get("AssumeRolePolicyDocument")):
            yield _role({"Role": one}, f"the usual name {one['RoleName']}")


def _all_roles(iam: Any) -> list[dict[str, Any]]:
    return [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]


def _role(reply: Mapping[str, Any], source: str) -> Role:
    return Role(str(reply["Role"]["Arn"]), source, reply["Role"].get("AssumeRolePolicyDocument"))


def trusts_sagemaker(document: object) -> bool:
    """Return whether a trust policy lets SageMaker assume the role, whatever its conditions are."""
    return any(True for _ in trusting_statements(document))


def trusting_statements(document: object) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of a trust policy that let SageMaker assume the role."""
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    for one in [statements] if isinstance(statements, Mapping) else statements:
        principal = one.get("Principal", {})
        services = ["*"] if principal == "*" else as_list(principal.get("Service", []))
        actions = [str(action).lower() for action in as_list(one.get("Action", []))]
        if (
            one.get("Effect") == "Allow"
            and {SERVICE, "*"} & set(services)
            and {"sts:assumerole", "sts:*", "*"} & set(actions)
        ):
            yield one


def as_list(value: object) -> list[Any]:
    """Return a value of a policy as a list: a policy may write a list of one without brackets."""
    return list(value) if isinstance(value, list | tuple) else [value]
