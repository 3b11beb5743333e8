"""AWS's policy language: whether a request is allowed, and if not, which layer refuses it.

A request passes if no policy of any layer denies it, the organisation's policies and the permissions boundary allow
it, and an identity-based or a resource-based policy allows it. Written after AWS's *Policy evaluation logic*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ...errors import ConfigurationError
from ...plain import check_keys
from .conditions import Condition, matches

Layer: TypeAlias = Literal[
    "identity-based policy", "permissions boundary", "service control policy", "resource-based policy"
]
Outcome: TypeAlias = Literal["allowed", "explicitDeny", "implicitDeny"]

_KEYS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal")


@dataclass(frozen=True)
class Request:
    """What a caller wants to do.

    Attributes
    ----------
    action
        Such as ``sagemaker:CreateModel``.
    resource
        The resource's ARN, or ``*``.
    context
        Condition keys, each with its values; the case of a key's letters does not matter.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "context", {key.lower(): tuple(values) for key, values in self.context.items()})


@dataclass(frozen=True)
class Statement:
    """One statement of a policy; `number` is its place there, from 0."""

    policy: str
    number: int
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    conditions: tuple[Condition, ...] = ()
    principals: tuple[str, ...] = ()
    other_actions: bool = False
    other_resources: bool = False

    def concerns(self, request: Request) -> bool:
        """Return whether it is about the request's action and resource, whatever its conditions say."""
        action = any(matches(one.lower(), request.action.lower()) for one in self.actions)
        resource = any(matches(one, request.resource) for one in self.resources)
        return action is not self.other_actions and resource is not self.other_resources

    def applies(self, request: Request) -> bool:
        """Return whether it is about the request, and its conditions hold."""
        return self.concerns(request) and all(one.holds(request.context) for one in self.conditions)

    def names(self, *principals: str) -> bool:
        """Return whether one of these is among its principals, for a policy of a resource or a role's trust."""
        return any(one == "*" or one in principals for one in self.principals)


@dataclass(frozen=True)
class Policy:
    """A policy document by name."""

    name: str
    statements: tuple[Statement, ...]

    @classmethod
    def parse(cls, name: str, document: str | bytes | Mapping[str, Any]) -> Policy:
        """Read a policy document.

        Raises
        ------
        ConfigurationError
            If it has an unknown key or condition operator.
        """
        found = json.loads(document) if isinstance(document, str | bytes) else document
        return cls(name, tuple(_statement(name, *one) for one in enumerate(_listed(found.get("Statement")))))

    def about(self, *principals: str) -> Policy:
        """Return it with the statements that name one of these principals."""
        return Policy(self.name, tuple(one for one in self.statements if one.names(*principals)))


@dataclass(frozen=True)
class Policies:
    """Everything that decides about one caller.

    Attributes
    ----------
    identity
        The policies of the user or role.
    boundary
        Its permissions boundary, if any.
    organisation
        The service control policies; none if the account is in no organisation.
    resource
        The policy of the resource, such as a bucket's, as far as it is about this caller.
    """

    identity: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] = ()
    organisation: tuple[Policy, ...] = ()
    resource: tuple[Policy, ...] = ()

    @property
    def layers(self) -> tuple[tuple[Layer, tuple[Policy, ...]], ...]:
        """The layers, in the order in which AWS names the first that denies."""
        return (
            ("service control policy", self.organisation),
            ("permissions boundary", self.boundary),
            ("resource-based policy", self.resource),
            ("identity-based policy", self.identity),
        )


@dataclass(frozen=True)
class Decision:
    """The answer to a request.

    Attributes
    ----------
    outcome
        As IAM's simulator names it.
    layer
        The layer that refuses; None if the request is allowed.
    matched
        The statements that decided: those that deny, else those that allow.
    boundary, organisation
        Whether that layer lets the request pass; None where there is none.
    missing
        Condition keys that a statement about this action and resource asks for and the request lacks.
    """

    outcome: Outcome
    layer: Layer | None = None
    matched: tuple[Statement, ...] = ()
    boundary: bool | None = None
    organisation: bool | None = None
    missing: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the request passes."""
        return self.outcome == "allowed"

    def reason(self, action: str) -> str:
        """Return the end of AWS's sentence about a refusal."""
        if self.outcome == "explicitDeny":
            return f"with an explicit deny in {'an' if self.layer == 'identity-based policy' else 'a'} {self.layer}"
        return f"because no {self.layer} allows the {action} action"


def decide(request: Request, policies: Policies) -> Decision:
    """Return whether a request is allowed.

    Examples
    --------
    >>> document = {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::mine/*"}}
    >>> mine = Policies(identity=(Policy.parse("mine", document),))
    >>> decide(Request("s3:GetObject", "arn:aws:s3:::mine/model.tar.gz"), mine).outcome
    'allowed'
    >>> decide(Request("s3:PutObject", "arn:aws:s3:::mine/model.tar.gz"), mine).reason("s3:PutObject")
    'because no identity-based policy allows the s3:PutObject action'
    """
    boundary, organisation = _passes(policies.boundary, request), _passes(policies.organisation, request)
    missing = _missing(policies, request)

    def answer(outcome: Outcome, layer: Layer | None = None, matched: tuple[Statement, ...] = ()) -> Decision:
        return Decision(outcome, layer, matched, boundary, organisation, missing)

    for layer, them in policies.layers:
        if denying := _applying(them, request, "Deny"):
            return answer("explicitDeny", layer, denying)
    if organisation is False:
        return answer("implicitDeny", "service control policy")
    allowing = _applying((*policies.identity, *policies.resource), request, "Allow")
    if not allowing:
        return answer("implicitDeny", "identity-based policy")
    if boundary is False:
        return answer("implicitDeny", "permissions boundary")
    return answer("allowed", None, allowing)


def _applying(policies: Iterable[Policy], request: Request, effect: str) -> tuple[Statement, ...]:
    every = (one for policy in policies for one in policy.statements)
    return tuple(one for one in every if one.effect == effect and one.applies(request))


def _passes(policies: tuple[Policy, ...], request: Request) -> bool | None:
    """Return whether a layer that only limits lets a request pass; None if there is no such layer."""
    if not policies:
        return None
    return not _applying(policies, request, "Deny") and bool(_applying(policies, request, "Allow"))


def _missing(policies: Policies, request: Request) -> tuple[str, ...]:
    every = (one for _, them in policies.layers for policy in them for one in policy.statements)
    keys = (condition.key for one in every if one.concerns(request) for condition in one.conditions)
    return tuple(dict.fromkeys(key for key in keys if key.lower() not in request.context))


def _statement(policy: str, number: int, found: Mapping[str, Any]) -> Statement:
    where = f"policy {policy!r}, statement {number}"
    check_keys(_KEYS, found, where)
    if found.get("Effect") not in ("Allow", "Deny"):
        raise ConfigurationError(f"{where}: Effect is Allow or Deny, not {found.get('Effect')!r}")
    return Statement(
        policy,
        number,
        found["Effect"],
        _texts(found.get("NotAction", found.get("Action"))),
        _texts(found.get("NotResource", found.get("Resource", "*"))),
        tuple(_conditions(found.get("Condition", {}))),
        _principals(found.get("Principal")),
        "NotAction" in found,
        "NotResource" in found,
    )


def _conditions(found: Mapping[str, Mapping[str, Any]]) -> Iterable[Condition]:
    for operator, keys in found.items():
        for key, values in keys.items():
            yield Condition(operator, key, _texts(values))


def _principals(found: Any) -> tuple[str, ...]:
    if isinstance(found, Mapping):
        return tuple(text for one in found.values() for text in _texts(one))
    return _texts(found)


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in _listed(found))


def _listed(found: Any) -> Sequence[Any]:
    if found is None:
        return ()
    return found if isinstance(found, list | tuple) else (found,)
