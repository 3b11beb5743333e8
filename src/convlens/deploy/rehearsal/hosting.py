"""SageMaker's control plane: models, endpoint configurations and endpoints, with AWS's checks and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ...errors import ConfigurationError
from .account import ACCOUNT, Account
from .clock import Clock
from .container import Definition
from .endpoints import Deployment, Endpoint, Endpoints, deployed, variants
from .policy import Request
from .wire import AwsError, Members

KINDS = {
    "Model": ("ModelName", "model", "model"),
    "EndpointConfig": ("EndpointConfigName", "endpoint-config", "endpoint configuration"),
    "Endpoint": ("EndpointName", "endpoint", "endpoint"),
}
"""Of each kind of resource: the member that names it, its place in an ARN, and AWS's words for it."""

_NO_DATA = (
    'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its trust relationship '
    'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that '
    'the role has "s3:GetObject" permissions and that the object is located in {region}.'
)
_NO_QUOTA = (
    "The account-level service limit '{kind} for endpoint usage' is {limit} Instances, with current utilization of "
    "{used} Instances and a request delta of {more} Instances. Please use AWS Service Quotas to request an increase "
    "for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota."
)


class Hosting:
    """The operations of the control plane, by AWS's names.

    Parameters
    ----------
    account
        Whose resources they are.
    clock
        The time.
    noticed, write
        Called with an endpoint after each change of its state, and with what its server logs: see `Endpoints`.
    """

    def __init__(
        self,
        account: Account,
        clock: Clock,
        noticed: Callable[[Endpoint], None],
        write: Callable[[str, str, list[str]], None],
    ) -> None:
        self.account, self.clock = account, clock
        self.endpoints = Endpoints(account.profile, clock, noticed, write)
        self.resources: dict[str, dict[str, Members]] = {"Model": {}, "EndpointConfig": {}}
        self.tags: dict[str, dict[str, str]] = {}
        self.operations: Mapping[str, Callable[[Members], Members]] = {
            "CreateModel": self._create_model,
            "CreateEndpointConfig": self._create_configuration,
            "CreateEndpoint": self._create_endpoint,
            "UpdateEndpoint": self._update_endpoint,
            "DescribeModel": lambda given: dict(self._resource("Model", given)),
            "DescribeEndpointConfig": lambda given: dict(self._resource("EndpointConfig", given)),
            "DescribeEndpoint": self._describe_endpoint,
            "ListModels": lambda given: {"Models": self._listed("Model", given)},
            "ListEndpointConfigs": lambda given: {"EndpointConfigs": self._listed("EndpointConfig", given)},
            "ListEndpoints": lambda given: {"Endpoints": self._listed("Endpoint", given)},
            "DeleteModel": lambda given: self._delete("Model", given),
            "DeleteEndpointConfig": lambda given: self._delete("EndpointConfig", given),
            "DeleteEndpoint": self._delete_endpoint,
            "AddTags": self._add_tags,
            "ListTags": lambda given: {"Tags": _pairs(self.tags.get(self._tagged(given), {}))},
            "DeleteTags": self._delete_tags,
        }

    @property
    def left(self) -> list[str]:
        """The ARNs of all resources that exist."""
        kinds = [(kind, name) for kind, them in self.resources.items() for name in them]
        return [self.arn(kind, name) for kind, name in (*kinds, *(("Endpoint", one) for one in self.endpoints.known))]

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a resource."""
        return f"arn:aws:sagemaker:{self.account.region}:{ACCOUNT}:{KINDS[kind][1]}/{name}"

    def requests(self, operation: str, given: Members) -> list[Request]:
        """Return what a caller must be allowed for an operation: several requests, for some."""
        action = f"sagemaker:{operation}"
        named = [self.arn(kind, given[name]) for kind, (name, _, _) in KINDS.items() if name in given]
        owner = [f"{operation.removeprefix('Create')}"] if operation.startswith("Create") else []
        if operation in ("CreateModel", "CreateEndpointConfig"):
            named = [self.arn(one, given[KINDS[one][0]]) for one in owner]
        tags = {one["Key"]: one["Value"] for one in given.get("Tags", ())}
        context: dict[str, tuple[str, ...]] = {f"aws:RequestTag/{key}": (value,) for key, value in tags.items()}
        if tags:
            context["aws:TagKeys"] = tuple(tags)
        context.update(_of_variants(given.get("ProductionVariants", ())))
        found = [Request(action, one, context) for one in named or [given.get("ResourceArn", "*")]]
        if tags and owner:
            found += [Request("sagemaker:AddTags", self.arn(owner[0], given[KINDS[owner[0]][0]]), context)]
        if "ExecutionRoleArn" in given:
            passed = {"iam:PassedToService": ("sagemaker.amazonaws.com",)}
            found.append(Request("iam:PassRole", given["ExecutionRoleArn"], passed))
        return found

    def _create_model(self, given: Members) -> Members:
        self._require_new("Model", given)
        container, role = given.get("PrimaryContainer"), given.get("ExecutionRoleArn")
        if container is None or role is None:
            raise AwsError("ValidationException", "PrimaryContainer and ExecutionRoleArn are needed.")
        self._data(container.get("ModelDataUrl", ""), role)
        return {"ModelArn": self._keep("Model", given)}

    def _create_configuration(self, given: Members) -> Members:
        self._require_new("EndpointConfig", given)
        for variant in given["ProductionVariants"]:
            self._resource("Model", variant)
            if ("InstanceType" in variant) is ("ServerlessConfig" in variant):
                raise AwsError("ValidationException", "One of InstanceType and ServerlessConfig is needed.")
        return {"EndpointConfigArn": self._keep("EndpointConfig", given)}

    def _create_endpoint(self, given: Members) -> Members:
        self._require_new("Endpoint", given)
        configuration = self._resource("EndpointConfig", given)
        self._require_quota(configuration)
        arn = self._tag("Endpoint", given)
        self.endpoints.create(given["EndpointName"], arn, self._deployed(configuration))
        return {"EndpointArn": arn}

    def _update_endpoint(self, given: Members) -> Members:
        one, configuration = self._endpoint(given), self._resource("EndpointConfig", given)
        self._require_settled(one)
        if one.status != "InService":
            raise AwsError("ValidationException", f'Cannot update endpoint "{one.arn}" in the state {one.status}.')
        self.endpoints.update(one, self._deployed(configuration))
        return {"EndpointArn": one.arn}

    def _describe_endpoint(self, given: Members) -> Members:
        self.clock.tick()
        self.endpoints.settle()
        one = self._endpoint(given)
        reason = {"FailureReason": one.reason} if one.reason else {}
        there = {"ProductionVariants": variants(one.shown)} if one.serving is not None else {}
        name = {"EndpointConfigName": one.shown["EndpointConfigName"]}
        return {**_summary(one), **name, **there, **reason}

    def _delete_endpoint(self, given: Members) -> Members:
        one = self._endpoint(given)
        self._require_settled(one)
        self.endpoints.delete(one)
        self.tags.pop(one.arn, None)
        return {}

    def _deployed(self, configuration: Members) -> Deployment:
        return deployed(configuration, self._definition)

    def _definition(self, configuration: Members) -> Definition:
        """Return what a configuration's first variant runs, or ConfigurationError with AWS's reason of a failure."""
        model = self._resource("Model", configuration["ProductionVariants"][0])
        container = model["PrimaryContainer"]
        try:
            archive = self._data(container["ModelDataUrl"], model["ExecutionRoleArn"])
        except AwsError as error:
            raise ConfigurationError(error.message) from error
        damaged = self.account.profile.damaged
        return Definition(container["Image"], archive, container.get("Environment", {}), damaged)

    def _data(self, url: str, role: str) -> bytes:
        found = self.account.model_data(role, url)
        if found is None:
            message = _NO_DATA.format(url=url, role=role, region=self.account.region)
            raise AwsError("ValidationException", message)
        return found

    def _require_quota(self, configuration: Members) -> None:
        limit = self.account.profile.quota
        shown = [one.shown for one in self.endpoints.known.values()]
        for variant in configuration["ProductionVariants"]:
            kind, more = variant.get("InstanceType"), variant.get("InitialInstanceCount", 0)
            running = [one for each in shown for one in each["ProductionVariants"] if one.get("InstanceType") == kind]
            used = sum(one.get("InitialInstanceCount", 0) for one in running)
            if kind is not None and used + more > limit:
                message = _NO_QUOTA.format(kind=kind, limit=limit, used=used, more=more)
                raise AwsError("ResourceLimitExceeded", message)

    def _require_new(self, kind: str, given: Members) -> None:
        name = given[KINDS[kind][0]]
        if name in self.resources.get(kind, self.endpoints.known):
            message = f'Cannot create already existing {KINDS[kind][2]} "{self.arn(kind, name)}".'
            raise AwsError("ValidationException", message)

    def _require_settled(self, one: Endpoint) -> None:
        if one.due is not None:
            raise AwsError("ValidationException", f'Cannot update in-progress endpoint "{one.arn}".')

    def _missing(self, kind: str, name: str) -> AwsError:
        return AwsError("ValidationException", f'Could not find {KINDS[kind][2]} "{self.arn(kind, name)}".')

    def _resource(self, kind: str, given: Mapping[str, Any]) -> Members:
        name = given[KINDS[kind][0]]
        if name not in self.resources[kind]:
            raise self._missing(kind, name)
        return self.resources[kind][name]

    def _endpoint(self, given: Members) -> Endpoint:
        if given["EndpointName"] not in self.endpoints.known:
            raise self._missing("Endpoint", given["EndpointName"])
        return self.endpoints.known[given["EndpointName"]]

    def _keep(self, kind: str, given: Members) -> str:
        """Keep a new resource, without its tags, which have operations of their own; return its ARN."""
        arn = self._tag(kind, given)
        kept = {key: value for key, value in given.items() if key != "Tags"}
        self.resources[kind][given[KINDS[kind][0]]] = {**kept, f"{kind}Arn": arn, "CreationTime": self.clock.now}
        return arn

    def _delete(self, kind: str, given: Members) -> Members:
        self._resource(kind, given)
        del self.resources[kind][given[KINDS[kind][0]]]
        self.tags.pop(self.arn(kind, given[KINDS[kind][0]]), None)
        return {}

    def _listed(self, kind: str, given: Members) -> list[Members]:
        self.endpoints.settle()
        part, status = given.get("NameContains", ""), given.get("StatusEquals")
        if kind == "Endpoint":
            every = [_summary(one) for one in self.endpoints.known.values()]
        else:
            keys = (KINDS[kind][0], f"{kind}Arn", "CreationTime")
            every = [{key: one[key] for key in keys} for one in self.resources[kind].values()]
        found = [one for one in every if part.lower() in one[KINDS[kind][0]].lower()]
        return [one for one in found if status is None or one["EndpointStatus"] == status]

    def _tag(self, kind: str, given: Members) -> str:
        arn = self.arn(kind, given[KINDS[kind][0]])
        if given.get("Tags"):
            self._add_tags({"ResourceArn": arn, "Tags": given["Tags"]})
        return arn

    def _tagged(self, given: Members) -> str:
        return str(given["ResourceArn"])

    def _add_tags(self, given: Members) -> Members:
        tags = self.tags.setdefault(self._tagged(given), {})
        tags.update({one["Key"]: one["Value"] for one in given["Tags"]})
        return {"Tags": _pairs(tags)}

    def _delete_tags(self, given: Members) -> Members:
        for key in given["TagKeys"]:
            self.tags.get(self._tagged(given), {}).pop(key, None)
        return {}


def _of_variants(variants: Sequence[Members]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the condition keys of a configuration: its instance types, or the sizes of what is serverless."""
    serverless = [one["ServerlessConfig"] for one in variants if "ServerlessConfig" in one]
    found = {
        "sagemaker:InstanceTypes": [one["InstanceType"] for one in variants if "InstanceType" in one],
        "sagemaker:ServerlessMemorySize": [str(one["MemorySizeInMB"]) for one in serverless],
        "sagemaker:ServerlessMaxConcurrency": [str(one["MaxConcurrency"]) for one in serverless],
    }
    return ((key, tuple(values)) for key, values in found.items() if values)


def _summary(one: Endpoint) -> Members:
    times: dict[str, datetime] = {"CreationTime": one.created, "LastModifiedTime": one.modified}
    return {"EndpointName": one.name, "EndpointArn": one.arn, "EndpointStatus": one.status, **times}


def _pairs(tags: Mapping[str, str]) -> list[Members]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
