"""The emulated account: its users, roles, policies and buckets, which moto holds, and what they allow.

All use of moto's inside is in this file. Who calls is known by the access key; signatures are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from moto.core.base_backend import BackendDict
from moto.core.exceptions import ServiceException
from moto.iam.models import iam_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from .policy import AccessRequest, Decision, Policies, Policy, decide
from .profiles import VERSION, AccountProfile, Document
from .wire import AwsError

ACCOUNT = "123456789012"
SERVICE = "sagemaker.amazonaws.com"


@dataclass(frozen=True)
class Principal:
    """Who calls.

    Attributes
    ----------
    arn
        As AWS names the caller in a refusal: a user, or a session of a role.
    source
        The user's or role's own ARN, whose policies decide.
    """

    arn: str
    source: str


@dataclass(frozen=True)
class Credentials:
    """What a client signs with."""

    access_key: str
    secret_key: str
    session_token: str | None = None


class EmulatedAccount:
    """An account made as a profile says.

    Parameters
    ----------
    profile
        What it has and allows.
    region
        Where its resources are.
    """

    def __init__(self, profile: AccountProfile, region: str) -> None:
        BackendDict.reset()  # moto keeps one state in a process
        self.profile, self.region = profile, region
        self.organisation = tuple(Policy.parse(f"p-{number}", one) for number, one in enumerate(profile.organisation))
        self._iam = iam_backends[ACCOUNT]["aws"]
        self._s3 = s3_backends[ACCOUNT]["aws"]
        self._sts = sts_backends[ACCOUNT]["aws"]
        self._boundary = self._make_boundary()
        self.role_arn = self._make_role()
        self.credentials = self._make_caller()

    def caller(self, access_key: str) -> Principal:
        """Return who an access key belongs to.

        Raises
        ------
        AwsError
            If nobody has this key.
        """
        session = self._sts.get_assumed_role_from_access_key(access_key)
        if session is not None:
            return Principal(session.arn, session.role_arn)
        user = self._iam.get_user_from_access_key_id(access_key)
        if user is None:
            raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
        return Principal(user.arn, user.arn)

    def policies(self, source: str, resource: str = "*") -> Policies:
        """Return what decides about a user or a role and a resource.

        Raises
        ------
        AwsError
            ``NoSuchEntity``, if there is no such user or role.
        """
        holder = self._holder(source)
        identity = [Policy.parse(name, text) for name, text in holder.policies.items()]
        identity += [_managed(one) for one in holder.managed_policies.values()]
        named = self._boundary_of(holder)
        boundary = () if named is None else (_managed(self._iam.get_policy(named)),)
        return Policies(tuple(identity), boundary, self.organisation, self._bucket_policies(source, resource))

    def decide(self, who: Principal, request: AccessRequest, region: str | None = None) -> Decision:
        """Return whether a caller's request is allowed, made in a region, by default the account's."""
        context = {"aws:RequestedRegion": (region or self.region,), "aws:PrincipalArn": (who.source,)}
        complete = AccessRequest(request.action, request.resource, {**context, **request.context})
        return decide(complete, self.policies(who.source, request.resource))

    def require(self, who: Principal, request: AccessRequest, region: str, protocol: str) -> None:
        """Raise an AwsError in the words that AWS's services of a protocol have, unless a request is allowed."""
        decision = self.decide(who, request, region)
        if decision.allowed:
            return
        json_service = protocol == "json"
        raise AwsError(
            "AccessDeniedException" if json_service else "AccessDenied",
            f"User: {who.arn} is not authorized to perform: {request.action} on resource: "
            f"{_shown(request, protocol)} {decision.reason(request.action)}",
            400 if json_service else 403,
        )

    def assumed(self, role_arn: str) -> Principal | None:
        """Return SageMaker's session of a role; None if there is no such role, or it does not trust SageMaker."""
        try:
            trust = Policy.parse("trust", self._holder(role_arn).assume_role_policy_document)
        except AwsError:
            return None
        decision = decide(AccessRequest("sts:AssumeRole", "*"), Policies(identity=(trust.about(SERVICE),)))
        session = f"{role_arn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/', 1)}/SageMaker"
        return Principal(session, role_arn) if decision.allowed else None

    def model_data(self, role_arn: str, url: str) -> bytes | None:
        """Return the object that a model's URL names, fetched with the role's permissions; None if that fails.

        It fails if the role cannot be assumed, or may not read the object, or there is no such object in this region.
        """
        who, place = self.assumed(role_arn), urlsplit(url)
        name, key = place.netloc, place.path.lstrip("/")
        if who is None or place.scheme != "s3" or not key:
            return None
        if not self.decide(who, AccessRequest("s3:GetObject", f"arn:aws:s3:::{name}/{key}")).allowed:
            return None
        try:
            bucket, found = self._s3.get_bucket(name), self._s3.get_object(name, key)
        except (ServiceException, S3ClientError):
            return None
        return found.value if found is not None and bucket.region_name == self.region else None

    def role_named(self, name: str) -> str:
        """Return the ARN of a role, with its path if there is such a role."""
        for role in self._iam.roles.values():
            if role.name == name:
                return str(role.arn)
        return f"arn:aws:iam::{ACCOUNT}:role/{name}"

    def require_own(self, bucket: str) -> None:
        """Raise an AwsError as S3 does if a bucket is another account's; one that does not exist is nobody's."""
        if s3_backends.bucket_accounts.get(bucket, ("aws", ACCOUNT))[1] != ACCOUNT:
            raise AwsError("AccessDenied", "Access Denied", 403)

    @property
    def buckets(self) -> Mapping[str, Sequence[str]]:
        """The keys in each bucket."""
        return {name: sorted(one.keys) for name, one in self._s3.buckets.items()}

    def _holder(self, source: str) -> Any:
        everyone = (*self._iam.users.values(), *self._iam.roles.values())
        found = next((one for one in everyone if one.arn == source), None)
        if found is None:
            raise AwsError("NoSuchEntity", f"The entity {source} cannot be found.", 404)
        return found

    def _boundary_of(self, holder: Any) -> str | None:
        return getattr(holder, "permissions_boundary_arn", None) or (
            self._boundary if holder.arn == self._caller_source else None
        )

    def _bucket_policies(self, source: str, resource: str) -> tuple[Policy, ...]:
        """Return the policy of the bucket that a resource is in, as far as it is about a caller."""
        if not resource.startswith("arn:aws:s3:::"):
            return ()
        name = resource.removeprefix("arn:aws:s3:::").partition("/")[0]
        bucket = self._s3.buckets.get(name)
        if bucket is None or not bucket.policy:
            return ()
        root = f"arn:aws:iam::{ACCOUNT}:root"
        return (Policy.parse(f"bucket {name}", bucket.policy).about(source, root, ACCOUNT),)

    def _make_boundary(self) -> str | None:
        if self.profile.boundary is None:
            return None
        text = _text(self.profile.boundary)
        return str(self._iam.create_policy("", "/", text, "boundary", []).arn)

    def _make_role(self) -> str:
        one = self.profile.role
        role = self._iam.create_role(one.name, _text(one.trust), one.path, None, "", [], None)
        self._iam.put_role_policy(one.name, "execution", _text(one.policy))
        return str(role.arn)

    def _make_caller(self) -> Credentials:
        one = self.profile.caller
        if one.session is None:
            user = self._iam.create_user(self.region, one.name, "/", [])
            self._iam.put_user_policy(one.name, "caller", _text(one.policy))
            self._caller_source = str(user.arn)
            key = self._iam.create_access_key(one.name)
            return Credentials(key.access_key_id, key.secret_access_key)
        trust = {
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
        }
        role = self._iam.create_role(one.name, _text(trust), "/", self._boundary, "", [], None)
        self._iam.put_role_policy(one.name, "caller", _text(one.policy))
        self._caller_source = str(role.arn)
        session = self._sts.assume_role(self.region, one.session, role.arn, "", 3600, "")
        return Credentials(session.access_key_id, session.secret_access_key, session.session_token)


def _shown(request: AccessRequest, protocol: str) -> str:
    """Return a resource as AWS's refusals name it: S3 quotes the ARN, and IAM says what it is and its name."""
    if protocol == "rest-xml":
        return f'"{request.resource}"'
    if request.action.startswith("iam:") and protocol == "query" and request.resource.startswith("arn:"):
        kind, _, name = request.resource.rpartition(":")[2].partition("/")
        return f"{kind} {name.rpartition('/')[2]}"
    return request.resource


def _text(document: Document) -> str:
    """Return a policy document as AWS takes it."""
    return json.dumps({"Version": VERSION, **document})


def _managed(policy: Any) -> Policy:
    """Return a managed policy of moto's, in the version that counts."""
    versions = {one.version_id: one.document for one in policy.versions}
    return Policy.parse(policy.name, versions[policy.default_version_id])
